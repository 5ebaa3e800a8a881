"""The site on a socket: bound first, so that a port in use is one clear sentence; then served from a thread."""

import errno
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from domain.errors import SettingsError
from web.clients import Clients
from web.patience import LARGEST_EVENT, Peers, patience

_GRACE = 3  # seconds for requests that are being answered when the site stops
_JOIN = 6.0  # seconds until the thread is left behind: it is a daemon and ends with the process


@contextmanager
def serve(
    app: ASGIApp,
    host: str,
    port: int,
    stop: threading.Event,
    *,
    setting: str = "[web] port",
    peers: Peers | None = None,
) -> Iterator[tuple[str, int]]:
    """Serve `app` while the context is open; give the address (host, port) that is really listened at.

    Port 0 is any that is free. Leaving the context ends the site within seconds; should the site end by itself, it
    sets `stop`, so that whoever waits for that event does not wait for ever. `peers` knows the proxies in front. Raises
    SettingsError, which calls the port by its `setting`, if the address cannot be listened at.
    """
    listening = _listen(host, port, setting)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            loop="asyncio",
            http=patience(peers or Clients()),
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,  # its lines would hold readers' tokens
            proxy_headers=False,  # who asks is for the guard to find out (clients.py); no page depends on the scheme
            h11_max_incomplete_event_size=LARGEST_EVENT,
            server_header=False,
            timeout_graceful_shutdown=_GRACE,
        )
    )

    def run() -> None:
        try:
            server.run(sockets=[listening])
        finally:
            listening.close()
            if not server.should_exit:
                stop.set()

    thread = threading.Thread(target=run, name="web", daemon=True)
    bound = listening.getsockname()
    thread.start()
    try:
        yield str(bound[0]), int(bound[1])
    finally:
        server.should_exit = True
        thread.join(_JOIN)


def _listen(host: str, port: int, setting: str) -> socket.socket:
    """Return a socket that listens; raises SettingsError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=512)
    except (OSError, UnicodeError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            reason = f"{setting} {port} on {host} is in use; stop what listens there or set another port"
        elif isinstance(error, OSError) and error.errno == errno.EACCES:
            reason = f"{setting} {port} on {host} needs rights that this user does not have; set one above 1023"
        else:
            reason = f"[web] host {host!r} is not an address of this machine ({error})"
        raise SettingsError(reason) from error
    # What it accepts inherits this. asyncio would set it on a socket of its own making alone, and without it every
    # answer on a connection that is kept waits 40 ms for the other side's acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
