"""Every way out keeps one contract; and what folder, html, smtp and the registry add to it."""

import io
import json
import multiprocessing
import os
import socket
import stat
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from html.parser import HTMLParser
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from digests.mail.headers import unstructured
from digests.transports.folder import FolderTransport, file_stem
from digests.transports.html import HtmlTransport
from digests.transports.memory import MemoryTransport
from digests.transports.registry import TRANSPORTS, transport_of
from digests.transports.transport import MailRoute, Transport
from domain.deliveries import Message
from domain.errors import NotConnected, PermanentDeliveryError, SettingsError, TransientDeliveryError
from domain.issues import LetterKind

ATOM = "{http://www.w3.org/2005/Atom}"


def letter(
    number: int = 1, *, title: str = "Probing in small steps", kind: LetterKind = LetterKind.DIGEST, day: int = 20,
    lead: str = "58 new papers since yesterday. 3 of them answer your topics.", year: int = 2026,
) -> Message:  # fmt: skip
    """A letter as the composer makes it: two parts, quoted-printable, CRLF."""
    mail = message_from_bytes(b"", policy=policy.SMTP)
    mail["From"] = "Paperround <digests@example.org>"
    mail["To"] = "ann@lab.example"
    mail["Date"] = datetime(year, 11, day, 6, 0, tzinfo=UTC)
    mail["Message-ID"] = f"<{number}@example.org>"
    mail.set_content("The text part.\n", cte="quoted-printable")
    page = f"<!doctype html>\n<html lang=en><body><h1>{lead}</h1><p>ℓ₁ &lt; 1 &amp; more</p></body></html>\n"
    mail.add_alternative(page, subtype="html", cte="quoted-printable")
    mail.set_boundary("=_seam")
    data = f"{unstructured('Subject', f'{title} · {day} November')}\r\n".encode() + mail.as_bytes()
    key = f"issue:{number:016x}" if kind is LetterKind.DIGEST else f"confirm:{number:016x}:1"
    return Message(key, kind, "digests@example.org", "ann@lab.example", f"<{number}@example.org>", data)


def yes() -> bool:
    return True


def no() -> bool:
    return False


# -- the contract ------------------------------------------------------------------------------------------------------


@dataclass
class Way:
    """A transport, and how to look at what has left by it."""

    transport: Transport
    left: Callable[[], list[str]]
    overwrites: bool


class _Mailbox:
    """aiosmtpd's handler: keeps what arrives."""

    def __init__(self) -> None:
        self.arrived: list[bytes] = []

    # aiosmtpd calls it by this name, and with all three.
    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802 see above
        self.arrived.append(bytes(envelope.content or b""))
        return "250 2.0.0 kept"


@pytest.fixture
def mailbox() -> Iterator[tuple[_Mailbox, int]]:
    box = _Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


@pytest.fixture(params=["folder", "html", "smtp", "memory"])
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Way:
    if request.param == "smtp":
        box, port = request.getfixturevalue("mailbox")
        route = MailRoute(transport="smtp", host="127.0.0.1", port=port, tls="none")
        return Way(transport_of(route), lambda: [str(len(each)) for each in box.arrived], overwrites=False)
    transport = transport_of(MailRoute(transport=request.param, dir=tmp_path / "out"))
    if isinstance(transport, MemoryTransport):
        return Way(transport, lambda: [each.key for each in transport.messages], overwrites=False)
    return Way(transport, lambda: files(tmp_path / "out", but=("index.html", "feed.atom")), overwrites=True)


def files(directory: Path, *, but: tuple[str, ...] = ()) -> list[str]:
    return sorted({path.name for path in directory.iterdir()} - set(but)) if directory.exists() else []


def test_the_contract_is_tried_with_every_way_out(request: pytest.FixtureRequest) -> None:
    assert set(TRANSPORTS) == {"folder", "html", "smtp", "memory"}
    assert all(transport_of(MailRoute(transport=name)).name == name for name in TRANSPORTS)


def test_the_mark_is_asked_for_once_and_before_anything_leaves(way: Way) -> None:
    asked: list[list[str]] = []

    def mark() -> bool:
        asked.append([name for name in way.left() if not name.startswith(".")])
        return True

    with way.transport.connect() as connection:
        acceptance = connection.send(letter(), mark)
    assert asked == [[]]
    assert acceptance is not None
    assert acceptance.reply
    assert len(way.left()) == 1


def test_what_nobody_wants_any_more_leaves_nothing_behind(way: Way) -> None:
    with way.transport.connect() as connection:
        assert connection.send(letter(), no) is None
        assert way.left() == []
        assert connection.send(letter(2), yes)
    assert len(way.left()) == 1


def test_a_mark_that_fails_goes_through_and_leaves_nothing_behind(way: Way) -> None:
    def broken() -> bool:
        raise RuntimeError("the disk is full")

    with way.transport.connect() as connection:
        with pytest.raises(RuntimeError, match="disk is full"):
            connection.send(letter(), broken)
        assert way.left() == []
        assert connection.send(letter(), yes)
    assert len(way.left()) == 1


def test_a_letter_sent_again_doubles_only_where_that_cannot_be_helped(way: Way) -> None:
    for _ in range(2):
        with way.transport.connect() as connection:
            connection.send(letter(), yes)
            connection.send(letter(2), yes)
    assert len(way.left()) == (2 if way.overwrites else 4)


def test_several_threads_send_at_once(way: Way) -> None:
    def work(first: int) -> None:
        with way.transport.connect() as connection:
            for number in range(first, first + 5):
                connection.send(letter(number), yes)

    threads = [threading.Thread(target=work, args=(first,)) for first in (10, 20, 30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(way.left()) == 15


# -- folder ------------------------------------------------------------------------------------------------------------


def test_a_folder_holds_the_very_bytes_for_its_owner_alone(tmp_path: Path) -> None:
    FolderTransport(tmp_path).send(letter(), yes)
    path = tmp_path / "issue-0000000000000001.eml"
    assert path.read_bytes() == letter().data
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_a_killed_process_left_half_written_is_swept_up(tmp_path: Path) -> None:
    (tmp_path / ".issue-0000000000000001.eml.part").write_bytes(b"half a let")
    FolderTransport(tmp_path).send(letter(), yes)
    assert files(tmp_path) == ["issue-0000000000000001.eml"]
    assert (tmp_path / "issue-0000000000000001.eml").read_bytes() == letter().data


def test_a_link_laid_in_the_way_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched", encoding="utf-8")
    out = tmp_path / "out"
    out.mkdir()
    (out / ".issue-0000000000000001.eml.part").symlink_to(victim)
    (out / "issue-0000000000000001.eml").symlink_to(victim)
    FolderTransport(out).send(letter(), yes)
    assert victim.read_text(encoding="utf-8") == "untouched"
    assert (out / "issue-0000000000000001.eml").read_bytes() == letter().data


@pytest.mark.parametrize("transport", [FolderTransport, HtmlTransport])
def test_a_folder_that_cannot_be_made_costs_no_attempt(transport: Callable[[Path], Transport], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(NotConnected, match="cannot be opened"), transport(tmp_path / "file" / "out").connect() as mail:
        mail.send(letter(), yes)


def test_a_disk_that_takes_nothing_costs_no_attempt_and_leaves_nothing(tmp_path: Path) -> None:
    asked: list[bool] = []
    (tmp_path / ".issue-0000000000000001.eml.part").mkdir()  # as good as a full disk: the draft cannot be opened
    with pytest.raises(NotConnected, match="could not be written"):
        FolderTransport(tmp_path).send(letter(), lambda: bool(asked.append(True)) or True)
    assert asked == []


@pytest.mark.parametrize(("transport", "ending"), [(FolderTransport, "eml"), (HtmlTransport, "html")])
def test_a_file_that_cannot_be_put_in_place_is_tried_again(
    transport: Callable[[Path], Transport], ending: str, tmp_path: Path
) -> None:
    (tmp_path / f"issue-0000000000000001.{ending}").mkdir()
    with pytest.raises(TransientDeliveryError, match="put in place"), transport(tmp_path).connect() as mail:
        mail.send(letter(), yes)
    assert files(tmp_path) == [f"issue-0000000000000001.{ending}"]


@pytest.mark.parametrize(
    ("key", "stem"),
    [("issue:1f0c", "issue-1f0c"), ("confirm:1f0c:2", "confirm-1f0c-2")],
)
def test_a_file_is_named_after_its_message(key: str, stem: str) -> None:
    assert file_stem(key) == stem


@pytest.mark.parametrize(
    "key", ["", ".", "..", "../../etc/passwd", "a/b", "issue:\0", "issue:" + "f" * 300, "Ω", "\ud800", "-rf"]
)
def test_no_key_leads_out_of_the_folder(key: str) -> None:
    stem = file_stem(key)
    assert stem.isascii()
    assert len(stem) < 130
    assert not set(stem) & set("/.\0")


def test_different_keys_are_different_files() -> None:
    keys = ["issue:1-2", "issue:1:2", "issue-1-2", "issue/1/2", "Issue:1:2", "issue:1:2 "]
    assert len({file_stem(key) for key in keys}) == len(keys)


# -- html --------------------------------------------------------------------------------------------------------------


def feed(directory: Path) -> ET.Element:
    return ET.fromstring((directory / "feed.atom").read_bytes())  # noqa: S314 our own, and a parser's opinion is what we want


class _Links(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 the parser's own names
        self.found += [value or "" for name, value in attrs if name == "href"]


def test_a_page_is_the_letter_decoded(tmp_path: Path) -> None:
    HtmlTransport(tmp_path).send(letter(), yes)
    page = (tmp_path / "issue-0000000000000001.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "<p>ℓ₁ &lt; 1 &amp; more</p>" in page


def test_index_and_feed_list_every_page_newest_first_with_links_that_work(tmp_path: Path) -> None:
    transport = HtmlTransport(tmp_path)
    for number, day, year in [(2, 20, 2026), (1, 19, 2026), (3, 21, 2026), (4, 30, 2025)]:
        transport.send(letter(number, title=f"Title {number}", day=day, year=year), yes)
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert [index.index(f"Title {n} ·") for n in (3, 2, 1, 4)] == sorted(
        index.index(f"Title {n} ·") for n in (1, 2, 3, 4)
    )
    assert index.index("<h2>2026") < index.index("<h2>2025")
    assert "4 letters" in index
    links = _Links(index).found
    assert len(links) == 6
    assert all((tmp_path / link).is_file() for link in links)
    atom = feed(tmp_path)
    assert [entry.findtext(f"{ATOM}title") for entry in atom.findall(f"{ATOM}entry")] == [
        "Title 3 · 21 November", "Title 2 · 20 November", "Title 1 · 19 November", "Title 4 · 30 November",
    ]  # fmt: skip
    assert all((tmp_path / link.attrib["href"]).is_file() for link in atom.iter(f"{ATOM}link"))


def test_the_feed_has_what_rfc_4287_asks_for(tmp_path: Path) -> None:
    HtmlTransport(tmp_path).send(letter(), yes)
    atom = feed(tmp_path)
    assert atom.tag == f"{ATOM}feed"
    for node in (atom, atom.find(f"{ATOM}entry")):
        assert node is not None
        assert (node.findtext(f"{ATOM}id") or "").startswith("urn:uuid:")
        assert node.findtext(f"{ATOM}title")
        assert node.findtext(f"{ATOM}updated") == "2026-11-20T06:00:00Z"
        assert node.find(f"{ATOM}link[@rel='alternate']") is not None
    assert atom.findtext(f"{ATOM}author/{ATOM}name") == "Paperround"
    assert atom.findtext(f"{ATOM}entry/{ATOM}summary", "").startswith("58 new papers")


def test_sending_again_changes_no_byte_and_no_id(tmp_path: Path) -> None:
    transport = HtmlTransport(tmp_path)
    transport.send(letter(), yes)
    transport.send(letter(2), yes)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    HtmlTransport(tmp_path).send(letter(), yes)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    ids = [entry.findtext(f"{ATOM}id") for entry in feed(tmp_path).findall(f"{ATOM}entry")]
    assert len(set(ids)) == 2


def test_a_hostile_title_stays_text_everywhere(tmp_path: Path) -> None:
    title = "Loss < 1: a & b <script>alert(1)</script> --> ]]> {{ 7*7 }} \u202e 🦉"
    HtmlTransport(tmp_path).send(letter(title=title, lead="a --&gt; &lt;b&gt; <em>lead</em>"), yes)
    shown = "Loss < 1: a & b <script>alert(1)</script> --> ]]> {{ 7*7 }} 🦉 · 20 November"
    entry = feed(tmp_path).find(f"{ATOM}entry")
    assert entry is not None
    assert entry.findtext(f"{ATOM}title") == shown
    assert entry.findtext(f"{ATOM}summary") == "a --> <b> lead"
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "<script" not in index
    page = (tmp_path / "issue-0000000000000001.html").read_text(encoding="utf-8")
    note = page.rpartition("<!-- paperround ")[2].removesuffix(" -->\n")
    assert not set(note) & set("<>")
    assert json.loads(note)["title"] == shown


def test_the_longest_title_keeps_its_place_in_the_index(tmp_path: Path) -> None:
    HtmlTransport(tmp_path).send(letter(title="🦉" * 2000, lead="🦉" * 2000), yes)
    assert "🦉" * 300 in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_pages_that_are_not_ours_stay_and_are_not_listed(tmp_path: Path) -> None:
    (tmp_path / "about.html").write_text("<p>who we are</p>", encoding="utf-8")
    (tmp_path / "odd.html").write_text("<p>x</p>\n<!-- paperround {not json} -->\n", encoding="utf-8")
    (tmp_path / "list.html").write_text('<p>x</p>\n<!-- paperround {"title": "only"} -->\n', encoding="utf-8")
    HtmlTransport(tmp_path).send(letter(), yes)
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "1 letter," in index
    assert (tmp_path / "about.html").exists()


def test_a_page_that_was_removed_leaves_the_index_with_the_next_letter(tmp_path: Path) -> None:
    transport = HtmlTransport(tmp_path)
    transport.send(letter(1), yes)
    (tmp_path / "issue-0000000000000001.html").unlink()
    transport.send(letter(2), yes)
    assert len(feed(tmp_path).findall(f"{ATOM}entry")) == 1


def test_a_confirmation_letter_never_becomes_a_page(tmp_path: Path) -> None:
    with pytest.raises(PermanentDeliveryError, match="confirm letter"):
        HtmlTransport(tmp_path / "out").send(letter(kind=LetterKind.CONFIRM), yes)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("data", [b"Subject: x\r\n\r\nonly text\r\n", letter().data.replace(b"Date:", b"X-Date:"), b""])
def test_what_cannot_be_a_page_is_refused_for_good(data: bytes, tmp_path: Path) -> None:
    whole = letter()
    message = Message(whole.key, whole.kind, whole.sender, whole.recipient, whole.message_id, data)
    with pytest.raises(PermanentDeliveryError, match="cannot become a page"):
        HtmlTransport(tmp_path).send(message, yes)
    assert files(tmp_path) == []


def test_a_web_server_may_read_the_pages(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        HtmlTransport(tmp_path).send(letter(), yes)
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o644}


def _send_ten(directory: Path, first: int) -> None:
    transport = HtmlTransport(directory)
    for number in range(first, first + 10):
        transport.send(letter(number), yes)


def test_processes_that_write_at_once_leave_a_whole_index(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_send_ten, args=(tmp_path, first)) for first in (100, 200, 300)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len(feed(tmp_path).findall(f"{ATOM}entry")) == 30
    assert "30 letters" in (tmp_path / "index.html").read_text(encoding="utf-8")
    assert not [name for name in files(tmp_path) if name.endswith(".part")]


# -- smtp and the registry ---------------------------------------------------------------------------------------------


def test_a_real_mail_server_gets_the_very_bytes(mailbox: tuple[_Mailbox, int]) -> None:
    box, port = mailbox
    data = letter().data + b".\r\n..\r\n.dots\r\n"
    whole = letter()
    message = Message(whole.key, whole.kind, whole.sender, whole.recipient, whole.message_id, data)
    with transport_of(MailRoute(transport="smtp", host="127.0.0.1", port=port, tls="none")).connect() as connection:
        acceptance = connection.send(message, yes)
    assert acceptance is not None
    assert (acceptance.code, acceptance.enhanced) == (250, "2.0.0")
    assert box.arrived == [data]


def test_an_unknown_way_out_is_refused_with_the_legal_ones() -> None:
    with pytest.raises(SettingsError, match=r"folder, html, smtp, memory, not 'pigeon'"):
        transport_of(MailRoute(transport="pigeon"))


def test_a_route_does_not_show_its_password() -> None:
    shown = io.StringIO()
    print(MailRoute(transport="smtp", password="hunter2"), file=shown)
    assert "hunter2" not in shown.getvalue()


def test_a_letter_without_html_becomes_a_page_of_its_text(tmp_path: Path) -> None:
    plain = message_from_bytes(b"", policy=policy.SMTP)
    plain["From"] = "Paperround <digests@example.org>"
    plain["Date"] = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
    plain["Subject"] = "Tides <1> · 20 November"
    plain.set_content("Tides < 1\n    https://arxiv.org/abs/1\n", cte="quoted-printable")
    whole = letter()
    with HtmlTransport(tmp_path).connect() as mail:
        mail.send(replace(whole, data=plain.as_bytes()), yes)
    page = (tmp_path / "issue-0000000000000001.html").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert "Tides &lt; 1\n" in page
    assert '<a href="https://arxiv.org/abs/1"' in page
    assert "Tides &lt;1&gt; · 20 November" in (tmp_path / "index.html").read_text("utf-8")
