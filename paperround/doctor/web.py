"""One question to a web server that the settings name: its status, its clock and how its answer begins."""

import http.client
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol
from urllib.parse import urlsplit

from paperround.doctor.reach import Unreached, cut_after, unreached

_SECONDS = 2.0
_LARGEST = 2048  # bytes of an answer that are read


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """What came of one question."""

    status: int = 0  #: of HTTP; 0 where no answer came
    date: datetime | None = None  #: what the server's clock says, aware UTC, to a second; None where it says nothing
    start: str = ""  #: of the answer
    missed: Unreached | None = None  #: why no answer came


class Web(Protocol):
    """Asks."""

    def ask(self, url: str, method: str = "GET") -> WebAnswer:
        """Return what a server answers; follows nothing, never raises."""
        ...


class PlainWeb:
    """Asks over the network of this machine; remembers what it heard, for one visit."""

    def __init__(self, context: ssl.SSLContext, seconds: float = _SECONDS) -> None:
        self._context = context
        self._seconds = seconds
        self._heard: dict[tuple[str, str], WebAnswer] = {}

    def ask(self, url: str, method: str = "GET") -> WebAnswer:
        """Return what a server answers; follows nothing, never raises."""
        key = (method, url)
        if key not in self._heard:
            self._heard[key] = self._ask(url, method)
        return self._heard[key]

    def _ask(self, url: str, method: str) -> WebAnswer:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
            connection = (
                http.client.HTTPSConnection(host, port, timeout=self._seconds, context=self._context)
                if parts.scheme == "https"
                else http.client.HTTPConnection(host, port, timeout=self._seconds)
            )
        except (ValueError, http.client.HTTPException) as error:
            return WebAnswer(missed=unreached(error))
        try:
            connection.connect()
            with cut_after(connection.sock, 2 * self._seconds):
                connection.request(method, parts.path or "/", headers={"User-Agent": "paperround/doctor"})
                answer = connection.getresponse()
                start = answer.read(_LARGEST).decode("utf-8", "replace")
            return WebAnswer(answer.status, _date(answer.getheader("Date", "")), start)
        except (OSError, ValueError, http.client.HTTPException) as error:
            return WebAnswer(missed=unreached(error))
        finally:
            connection.close()


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
