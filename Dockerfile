# Three stages: the wheel is built, then installed with the locked requirements, then only the result is kept.
# Build:  docker build -t paperround .
# Start:  see compose.yaml and docs/operating.md

# The Python that the tests run on.
FROM python:3.11-slim-bookworm AS base
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PYTHONDONTWRITEBYTECODE=1

FROM base AS wheel
WORKDIR /src
COPY requirements-dev.txt ./
RUN pip install --require-hashes -r requirements-dev.txt
COPY . .
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheel .

FROM base AS install
COPY requirements.txt /src/
RUN python -m venv /opt/paperround \
    && /opt/paperround/bin/pip install --require-hashes -r /src/requirements.txt
COPY --from=wheel /wheel /wheel
RUN /opt/paperround/bin/pip install --no-deps --no-index /wheel/*.whl \
    && /opt/paperround/bin/python -m compileall -q /opt/paperround

FROM base AS runtime
COPY --from=install /opt/paperround /opt/paperround
# The number is fixed, so that a volume keeps its owner over rebuilds.
RUN groupadd --gid 10001 paperround \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin paperround \
    && install -d -o 10001 -g 10001 -m 0750 /data
ENV PATH=/opt/paperround/bin:$PATH \
    PAPERROUND_CONFIG=/data/paperround.toml \
    PAPERROUND_WEB__HOST=0.0.0.0 \
    PAPERROUND_WEB__PORT=8000 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
# urlopen raises, and so exits with 1, for every answer of 400 and above.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['PAPERROUND_WEB__PORT'] + '/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["paperround"]
CMD ["run"]
