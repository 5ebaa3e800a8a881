"""The demo: the whole road, offline, on this machine's loopback only.

    the demo's own listing site → the real fetcher → archive → two readers' topics → letters → a real SMTP conversation
    with the demo's own mailbox → one file a letter, and a page to look at

It runs again without doing anything twice: the archive knows the papers, the slots have their issues, and what was
delivered stays delivered.
"""

import http.server
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from digests.mail.joining import part
from paperround.demo.mailbox import Mailbox
from paperround.demo.readers import READERS
from paperround.demo.site import DAYS, DemoSite, read_pages
from paperround.settings import build
from paperround.settings_model import Settings
from paperround.wiring import House

#: The evening of the last listing day: slots and dates of the demo's letters are the same whenever it is run.
EVENING = datetime(DAYS[-1].year, DAYS[-1].month, DAYS[-1].day, 18, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Played:
    """What one run of the demo did."""

    folder: Path
    listed: int
    new: int
    letters: int
    papers: int
    accepted: int
    waiting: int
    readers: int

    def as_json(self) -> dict[str, Any]:
        """Return the report's JSON object."""
        return {**asdict(self), "folder": str(self.folder)}

    def lines(self) -> tuple[str, ...]:
        """Return the six lines that a person reads."""
        mails = self.folder / "outbox"
        return (
            f"Collected {len(DAYS)} listing days from a site on this machine: {self.listed} listed, {self.new} new.",
            f"Matched them against the topics of {self.readers} sample readers.",
            f"Composed {self.letters} letters with {self.papers} papers."
            if self.letters
            else "Nobody was due a letter: each has had this day's.",
            f"Delivered {self.accepted} letters over SMTP to a mailbox on this machine.",
            f"Open {self.folder / 'digest.html'} in a browser, or {mails}/*.eml in a mail program.",
            f"Everything lies in {self.folder}; run it again and nothing is sent twice.",
        )


def play(folder: Path) -> Played:
    """Run the demo in a folder, which is made if it is missing; raises PaperroundError or OSError."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with (
        DemoSite(read_pages()) as site,
        Mailbox(folder / "outbox") as mailbox,
        House(_settings(folder, site.url, mailbox.port)) as house,
    ):
        reports = house.collector.collect(days=DAYS)
        for reader in READERS:
            wishes = [f"{name} = {query}" for name, query in reader.topics]
            house.desk.subscribe(reader.address, wishes, None, vouched=True, shared=False)
        house.matcher.match(house.clock.now())
        published = house.publisher.publish(EVENING)
        delivered = house.deliverer.deliver()
        _write_page(house, folder / "digest.html")
    return Played(
        folder=folder,
        listed=sum(each.listed for each in reports),
        new=sum(each.new for each in reports),
        letters=published.issues,
        papers=published.papers,
        accepted=delivered.accepted,
        waiting=delivered.deferred + delivered.uncertain,
        readers=len(READERS),
    )


def serve_folder(folder: Path, stop: threading.Event, tell: Callable[[str], None]) -> None:
    """Serve the demo's folder on the loopback until `stop` is set."""
    handler = partial(_Quiet, directory=str(folder.resolve()))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        tell(f"http://127.0.0.1:{server.server_port}/digest.html")
        stop.wait()
        server.shutdown()
        thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the name is the standard library's
        """Say nothing."""


def _settings(folder: Path, site: str, port: int) -> Settings:
    values: Mapping[str, Any] = {
        "database": {"url": f"sqlite:///{folder / 'archive.db'}"},
        "mail": {
            "transport": "smtp",
            "host": "127.0.0.1",
            "port": port,
            "tls": "none",
            "from": "Paperround <paperround@lab.example>",
        },
        "source": [{"name": "huggingface-daily", "kind": "huggingface-daily", "url": site}],
    }
    return build(values, folder)


def _write_page(house: House, page: Path) -> None:
    """Write the first reader's letter as a page: the very bytes that were sent, decoded."""
    records = [each for each in house.issues.records() if each.subscriber == READERS[0].address]
    if records:
        letter = house.outbox.letter(house.issues.delivery_of(records[0].id))
        page.write_text(part(letter.fragments, "html", personal=True, slots=letter.slots), encoding="utf-8")
