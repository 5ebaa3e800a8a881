"""Hosts that mean no good: answers without end, bytes that drip, certificates that do not hold."""

import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from domain.errors import PermanentCollectError, RefusedAnswer, Unreachable
from domain.papers import PageRequest
from scrapers.fetch import Fetcher, Limits
from scrapers.pace import Pace


def page(url: str) -> PageRequest:
    return PageRequest(url, pace=0.0)


def feed(url: str) -> PageRequest:
    return PageRequest(url, pace=0.0, is_page=False)


@pytest.mark.parametrize("kind", ["chunks", "head"])
def test_an_answer_without_end_ends(site: Any, fetcher: Fetcher, kind: str) -> None:
    def route(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        if kind == "chunks":
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
        piece = bytes(2**16)
        while True:
            handler.wfile.write(b"10000\r\n" + piece + b"\r\n" if kind == "chunks" else b"x: y\r\n" * 999)

    site.routes["/"] = route
    with pytest.raises(RefusedAnswer if kind == "chunks" else Unreachable):
        fetcher.get(feed(f"{site.url}/"))


def test_a_byte_at_a_time_ends_at_the_deadline(site: Any, make: Any, pace: Pace) -> None:
    def route(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        for _ in range(1000):
            handler.wfile.write(b"x")
            time.sleep(0.03)

    site.routes["/"] = route
    begun = time.monotonic()
    with make(pace, limits=Limits(total=0.15)) as made, pytest.raises(Unreachable, match="longer than"):
        made.get(feed(f"{site.url}/"))
    assert time.monotonic() - begun < 2


def test_a_status_that_the_source_reads_is_a_page(site: Any, fetcher: Fetcher) -> None:
    site.answer("/", b"<rss>", status=400)
    request = PageRequest(f"{site.url}/", pace=0, is_page=False, reads=frozenset({400}))
    assert (fetcher.get(request).status, fetcher.get(request).body) == (400, b"<rss>")


# -- certificates ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not here to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    name = ["-subj", "/CN=papers.example", "-addext", "subjectAltName=DNS:papers.example"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(folder / "key.pem")]
    command = [openssl, "req", "-x509", *key, "-days", "2", *name, "-out", str(folder / "certificate.pem")]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture
def secure(certificate: Path) -> Iterator[ThreadingHTTPServer]:
    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass  # clients that hang up over the certificate

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "certificate.pem", certificate / "key.pem")
    server = Quiet(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_certificate_that_nobody_vouches_for_is_named(
    secure: ThreadingHTTPServer, fetcher: Fetcher, hours: Any
) -> None:
    url = f"https://localhost:{secure.server_port}/"
    for request in (feed(url), page(url)):
        with pytest.raises(PermanentCollectError, match=r"the certificate of https://localhost.*self.signed"):
            fetcher.get(request)
    assert hours.slept == [], "asking again would not help"


def test_a_certificate_of_another_host_is_named(
    secure: ThreadingHTTPServer, certificate: Path, fetcher: Fetcher
) -> None:
    fetcher.close()
    trusting = ssl.create_default_context(cafile=str(certificate / "certificate.pem"))
    fetcher._transport = httpx.HTTPTransport(verify=trusting, trust_env=False)
    with pytest.raises(PermanentCollectError, match=r"the certificate of https://localhost.*[Hh]ostname mismatch"):
        fetcher.get(feed(f"https://localhost:{secure.server_port}/"))
