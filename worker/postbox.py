"""The mailbox that bounces come back to, read by IMAP over TLS (RFC 3501).

    due? → connect, log in, select → the unseen, oldest first, at most 200 → for each:
    fetch without marking it → hand it to the desk, which keeps what it says → mark it as seen

A message is marked after what it said was committed, so a kill in between reads it twice, which counts once. One that
cannot be read is marked too: it must not stand before all others for ever. Nothing is deleted or moved. Whatever else
fails ends the round with a sentence, and the next one begins where it ended.
"""

import imaplib
import logging
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Protocol

from domain.clock import Clock
from domain.errors import MailboxError, PaperroundError, StorageError

log = logging.getLogger("paperround.worker")
MOST = 200  # messages a round
LARGEST = 10_485_760  # octets of a message that are read; what a bounce says stands at its beginning
_SLACK = 65_536  # octets beside a message in one answer
_TRIES = 3
_WINDOW = 5_000  # messages that one search looks through: an answer of all numbers of a flooded mailbox is too long


class Desk(Protocol):
    """Who reads the messages."""

    def take(self, raw: bytes) -> object:
        """Read one message and keep what it says of letters; raises PaperroundError where it cannot be read."""
        ...


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Where bounces come back to."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"  #: in printable ASCII; others in the modified UTF-7 of RFC 3501 section 5.1.3
    every: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Read:
    """What one round did."""

    taken: int = 0
    unreadable: int = 0


class Postbox:
    """Reads one mailbox; `context` checks the server's certificate, `seconds` is how long an answer may take."""

    def __init__(
        self,
        *,
        mailbox: Mailbox,
        desk: Desk,
        context: ssl.SSLContext,
        clock: Clock,
        stop: threading.Event,
        seconds: float = 30.0,
    ) -> None:
        self._mailbox = mailbox
        self._desk = desk
        self._context = context
        self._clock = clock
        self._stop = stop
        self._seconds = seconds
        self._begun: datetime | None = None
        self._tries: Counter[str] = Counter()  # at the message that a round ended with

    def read_due(self) -> Read | None:
        """Read the mailbox if its time has come; None if not. Raises MailboxError, StorageError."""
        now = self._clock.now()
        if self._begun is not None and self._begun <= now < self._begun + self._mailbox.every:
            return None
        self._begun = now
        return self.round()

    def round(self) -> Read:
        """Read the mailbox now, and say in the log what was read; raises MailboxError, StorageError."""
        done = self.read()
        if done.taken or done.unreadable:
            log.info("bounces: %d messages read, %d not readable", done.taken, done.unreadable)
        return done

    def read(self) -> Read:
        """Read what is new. Raises MailboxError, and StorageError where what was read could not be kept."""
        with self._opened() as imap:
            taken = unreadable = 0
            for uid in _unseen(imap, self._messages(imap)):
                if self._stop.is_set():
                    break
                raw = self._fetched(imap, uid)
                if raw is None:
                    continue  # somebody else took it away meanwhile
                if raw and self._is_taken(raw):
                    taken += 1
                else:
                    unreadable += 1
                _expect(imap.uid("STORE", uid, "+FLAGS.SILENT", r"(\Seen)"), "mark a message as seen")
            return Read(taken, unreadable)

    def _fetched(self, imap: "_Imap", uid: str) -> bytes | None:
        """Fetch a message, as `_fetch` does; one at which the connection broke three times is not asked for again."""
        self._tries[uid] += 1
        if self._tries[uid] > _TRIES:
            log.warning("bounces: message %s broke the connection again and again and is left alone", uid)
            raw: bytes | None = b""
        else:
            raw = _fetch(imap, uid)
        del self._tries[uid]
        return raw

    def _is_taken(self, raw: bytes) -> bool:
        try:
            self._desk.take(raw)
        except StorageError:
            raise  # it was readable: it waits, and so do those behind it
        except PaperroundError as error:
            log.warning("bounces: a message cannot be read and is left alone: %s", error)
            return False
        except Exception:
            log.exception("bounces: a message cannot be read, in a way we did not foresee, and is left alone")
            return False
        return True

    def _messages(self, imap: "_Imap") -> int:
        """Select the folder; return how many messages it has."""
        quoted = self._mailbox.folder.replace("\\", "\\\\").replace('"', '\\"')
        count = _expect(imap.select(f'"{quoted}"'), f"open the folder {self._mailbox.folder!r}")
        number = count[0] if count else None
        return int(number) if isinstance(number, bytes) and number.isdigit() else 0

    @contextmanager
    def _opened(self) -> Iterator["_Imap"]:
        """Give a connection that is logged in; whatever fails on it is one sentence."""
        where = f"the mailbox of bounces at {self._mailbox.host}:{self._mailbox.port}"
        try:
            imap = _Imap(self._mailbox.host, self._mailbox.port, ssl_context=self._context, timeout=self._seconds)
        except ssl.SSLCertVerificationError as error:
            raise MailboxError(f"the certificate of {where} is not good: {error.verify_message}") from error
        except (OSError, imaplib.IMAP4.error, ValueError) as error:
            raise MailboxError(f"{where} cannot be reached: {_words(error)}") from error
        try:
            self._log_in(imap, where)
            yield imap
            with suppress(OSError, imaplib.IMAP4.error, ValueError):
                imap.logout()
        except (OSError, imaplib.IMAP4.error, ValueError) as error:
            raise MailboxError(f"{where} failed: {_words(error)}") from error
        finally:
            with suppress(OSError):
                imap.shutdown()

    def _log_in(self, imap: "_Imap", where: str) -> None:
        try:
            imap.login(self._mailbox.user, self._mailbox.password)
        except UnicodeEncodeError as error:
            reason = "[bounces] imap_user and imap_password must be ASCII, which is all that LOGIN carries"
            raise MailboxError(reason) from error
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            reason = f"{where} refuses the login; check [bounces] imap_user and imap_password"
            raise MailboxError(reason) from error


class _Imap(imaplib.IMAP4_SSL):
    """The standard library's client, which would believe a server that announces a message of any length."""

    def read(self, size: int) -> bytes:
        if size > LARGEST + _SLACK:
            raise self.abort("a message is announced that is longer than was asked for")
        data = super().read(size)
        if len(data) != size:
            raise self.abort("the connection ended within a message")
        return data


def _unseen(imap: _Imap, messages: int) -> Iterator[str]:
    """Yield the identifiers of the oldest unseen messages, at most 200."""
    left = MOST
    for first in range(1, messages + 1, _WINDOW):
        last = min(first + _WINDOW - 1, messages)
        found = _expect(imap.uid("SEARCH", f"{first}:{last}", "UNSEEN"), "search for new messages")
        numbers = [each for part in found if isinstance(part, bytes) for each in part.split() if each.isdigit()]
        for number in numbers[:left]:
            yield number.decode("ascii")
        left -= len(numbers[:left])
        if not left:
            return


def _fetch(imap: _Imap, uid: str) -> bytes | None:
    """Return the first 10 MB of a message without marking it; b"" if it cannot be had, None if it is gone."""
    kind, parts = imap.uid("FETCH", uid, f"(BODY.PEEK[]<0.{LARGEST}>)")
    if kind != "OK":
        return b""
    if not any(parts):
        return None
    for part, rest in pairwise(parts):
        # After the octets that were announced the list goes on or ends: anything else is the message's own remainder.
        if isinstance(part, tuple) and isinstance(rest, bytes) and rest[:1] in {b" ", b")"}:
            return bytes(part[1])
    return b""


def _expect(answer: tuple[str, list[bytes | None]], what: str) -> list[bytes | None]:
    kind, data = answer
    if kind != "OK":
        raise MailboxError(f"the server of the mailbox of bounces refuses to {what}")
    return data


def _words(error: Exception) -> str:
    """Return what an error says, printable and short: a server may have said it."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    said = "".join(each if each.isprintable() else " " for each in str(error))
    return " ".join(said.split())[:200] or type(error).__name__
