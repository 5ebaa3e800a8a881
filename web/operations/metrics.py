"""GET /metrics: the same figures for Prometheus, what workers did in other processes is read in the database.

The operator may read it and, where the site is this machine's alone, this machine without a password. Behind a proxy on
this machine every request comes from loopback, and its Host may be whatever a stranger wrote: so with a `base_url` that
others reach the password is always asked for.
"""

import ipaddress
from collections.abc import Iterable

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from web.clients import client_of
from web.operations.figures import FIGURES, figures
from web.operations.sign_in import Door
from web.operations.values import Desk, Figures, View

_SAFE = ["GET", "HEAD"]
_HANDED_ON = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")


class MetricsPages:
    """Serves the figures."""

    def __init__(self, desk: Desk, door: Door, *, public: bool) -> None:
        """`public`: others than this machine reach the site."""
        self._public = public
        self._desk = desk
        self._door = door

    def mount(self, app: FastAPI, root: str) -> None:
        """Add the route to an application, also without the site's prefix, as with the probes."""
        for path in sorted({"", root}):
            app.add_api_route(f"{path}/metrics", self.show, methods=_SAFE)

    def show(self, request: Request) -> Response:
        """Show the figures to whoever may read them."""
        is_open = not self._public and _is_local(request)
        if not is_open and (refused := self._door.refused(request)) is not None:
            return refused
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Figures(self._desk.view(), self._desk.figures()))
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Figures(Collector):
    """One look, as Prometheus wants it."""

    def __init__(self, view: View, found: Figures) -> None:
        self._found = dict(figures(view, found))

    def collect(self) -> Iterable[Metric]:
        """Give each figure."""
        for name, figure in FIGURES.items():
            full = f"paperround_{name}"
            if figure.kind == "summary":
                summary = SummaryMetricFamily(full, figure.says, labels=figure.labels)
                sums = self._found[f"{name}_sum"]
                for values, number in self._found[f"{name}_count"].items():
                    summary.add_metric(values, int(number), sums[values])
                yield summary
                continue
            family = (CounterMetricFamily if figure.kind == "counter" else GaugeMetricFamily)(
                full, figure.says, labels=figure.labels
            )
            for values, value in self._found[name].items():
                family.add_metric(values, value)
            yield family


def _is_local(request: Request) -> bool:
    """Whether this machine asks for itself."""
    if any(name in request.headers for name in _HANDED_ON):
        return False
    return _is_loopback(client_of(request)) and _is_loopback(request.url.hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
