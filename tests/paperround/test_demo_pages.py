"""The demo's own pages, site, mailbox and readers."""

import http.client
import json
import re
import smtplib
import socket
import sqlite3
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.demo.mailbox import Mailbox, file_name
from paperround.demo.readers import READERS
from paperround.demo.site import DAYS, DemoSite, read_pages


class _Hydration(HTMLParser):
    """Collects the props of the daily list, and the titles that the cards show."""

    def __init__(self) -> None:
        super().__init__()
        self.props: list[str] = []
        self.cards: list[str] = []
        self._in_heading = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if named.get("data-target") == "DailyPapers":
            self.props.append(named.get("data-props") or "")
        if tag == "h3":
            self._in_heading = True
            self.cards.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "h3":
            self._in_heading = False

    def handle_data(self, data: str) -> None:
        if self._in_heading:
            self.cards[-1] += data


def _read(day: date) -> tuple[dict[str, Any], list[str]]:
    page = _Hydration()
    page.feed(read_pages()[day].decode("utf-8"))
    (props,) = page.props
    return json.loads(props), page.cards


@pytest.fixture(scope="module")
def listings() -> dict[date, dict[str, Any]]:
    return {day: _read(day)[0] for day in DAYS}


@pytest.fixture(scope="module")
def papers(listings: dict[date, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {item["paper"]["id"]: item["paper"] for props in listings.values() for item in props["dailyPapers"]}


# -- the pages


def test_three_working_days_hold_sixty_one_papers_one_of_them_twice(
    listings: dict[date, dict[str, Any]], papers: dict[str, dict[str, Any]]
) -> None:
    ids = {day: [item["paper"]["id"] for item in props["dailyPapers"]] for day, props in listings.items()}
    assert [len(ids[day]) for day in DAYS] == [22, 19, 21]
    assert all(len(set(on_day)) == len(on_day) for on_day in ids.values())
    assert len(papers) == 61
    assert all(day.weekday() < 5 for day in DAYS)


def test_every_page_says_its_own_day(listings: dict[date, dict[str, Any]]) -> None:
    for day, props in listings.items():
        assert props["dateString"] == day.isoformat()
        assert props["periodType"] == "day"
        listed = {item["paper"]["submittedOnDailyAt"] for item in props["dailyPapers"]}
        assert listed == {f"{day.isoformat()}T00:00:00.000Z"}


def test_every_paper_appeared_before_it_was_listed_and_the_item_lies_about_it_as_on_the_real_site(
    listings: dict[date, dict[str, Any]],
) -> None:
    for day, props in listings.items():
        for item in props["dailyPapers"]:
            stamp = item["paper"]["publishedAt"]
            published = date.fromisoformat(stamp[:10])
            assert stamp[10:] == "T00:00:00.000Z"
            assert published <= day
            assert item["publishedAt"][10:] == "T20:00:00.000Z"
            assert (published - date.fromisoformat(item["publishedAt"][:10])).days == 1


def test_the_ids_lie_where_no_real_paper_has_one(papers: dict[str, dict[str, Any]]) -> None:
    assert all(re.fullmatch(r"26\d\d\.9\d{4}", paper_id) for paper_id in papers)


def test_no_page_sends_a_browser_anywhere_by_itself() -> None:
    for page in read_pages().values():
        assert not re.findall(rb'(?:src|href)="(?:https?:)?//', page)


def test_the_pages_stay_small() -> None:
    assert all(len(page) < 200_000 for page in read_pages().values())


def test_the_cards_show_the_titles_of_the_list() -> None:
    for day in DAYS:
        props, cards = _read(day)
        assert cards == [item["title"] for item in props["dailyPapers"]]


def test_every_abstract_is_long_enough_to_be_cut_and_one_is_missing(papers: dict[str, dict[str, Any]]) -> None:
    lengths = {paper_id: len(paper["summary"].split()) for paper_id, paper in papers.items()}
    (without,) = [paper_id for paper_id, words in lengths.items() if not words]
    assert papers[without]["ai_summary"]
    assert all(100 <= words <= 230 for paper_id, words in lengths.items() if paper_id != without)


def test_no_two_abstracts_share_a_sentence(papers: dict[str, dict[str, Any]]) -> None:
    seen: dict[str, str] = {}
    for paper_id, paper in papers.items():
        for sentence in re.split(r"(?<=[.!?:;])\s+", paper["summary"]):
            if sentence:
                assert seen.setdefault(sentence.casefold(), paper_id) == paper_id, sentence


def test_the_papers_bring_what_a_letter_must_bear(papers: dict[str, dict[str, Any]]) -> None:
    titles = [paper["title"] for paper in papers.values()]
    counts = {len(paper["authors"]) for paper in papers.values()}
    assert any("<script>" in title and "&" in title for title in titles)
    assert any(r"$\ell_1$" in title for title in titles)
    assert any(r"Schr\"odinger" in title for title in titles)
    assert {1, 60} <= counts
    assert any("organization" in paper for paper in papers.values())
    assert any(author["name"].endswith("Collaboration") for paper in papers.values() for author in paper["authors"])
    code = [paper["githubRepo"] for paper in papers.values() if "githubRepo" in paper]
    assert len(code) > 20
    assert all(address.startswith("https://github.com/example-lab/") for address in code)
    assert all(0 <= paper["upvotes"] <= 160 for paper in papers.values())


# -- the readers


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("mira@lab.example", {"Protein design": 3, "Weather and climate": 3, "Honest uncertainty": 3}),
        ("jonas@lab.example", {"Code agents": 4, "Speech": 4}),
    ],
)
def test_each_reader_gets_a_good_letter_with_one_paper_that_answers_two_topics(
    papers: dict[str, dict[str, Any]], address: str, expected: dict[str, int]
) -> None:
    (reader,) = [reader for reader in READERS if reader.address == address]
    with sqlite3.connect(":memory:") as index:
        index.execute("CREATE VIRTUAL TABLE paper USING fts5(id UNINDEXED, title, abstract, tokenize='porter')")
        rows = [(paper_id, paper["title"], paper["summary"]) for paper_id, paper in papers.items()]
        index.executemany("INSERT INTO paper VALUES (?, ?, ?)", rows)
        found = {
            name: {row[0] for row in index.execute("SELECT id FROM paper WHERE paper MATCH ?", (query,))}
            for name, query in reader.topics
        }
    index.close()
    assert {name: len(ids) for name, ids in found.items()} == expected
    together = set().union(*found.values())
    assert 4 <= len(together) <= 8
    assert sum(len(ids) for ids in found.values()) == len(together) + 1


# -- the site


def _get(site: DemoSite, path: str, headers: dict[str, str] | None = None) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(site.url.removeprefix("http://"), timeout=5)
    connection.request("GET", path, headers=headers or {})
    answer = connection.getresponse()
    answer.body = answer.read()  # type: ignore[attr-defined]
    connection.close()
    return answer


def test_the_site_answers_200_then_304_and_404_for_days_it_does_not_know() -> None:
    pages = read_pages()
    with DemoSite(pages) as site:
        assert site.url.startswith("http://127.0.0.1:")
        for day in DAYS:
            first = _get(site, f"/papers/date/{day.isoformat()}")
            assert (first.status, first.body) == (200, pages[day])  # type: ignore[attr-defined]
            again = _get(site, f"/papers/date/{day.isoformat()}", {"If-None-Match": first.headers["ETag"]})
            assert (again.status, again.body) == (304, b"")  # type: ignore[attr-defined]
            assert again.headers["ETag"] == first.headers["ETag"]
        assert _get(site, "/papers/date/2026-11-21").status == 404
        assert _get(site, "/papers/date/../../etc/passwd").status == 404
    assert site.answers == {200: 3, 304: 3, 404: 2}
    assert site.requests == 8


@pytest.mark.parametrize(
    ("condition", "status"), [("W/{etag}", 304), ('"other", {etag}', 304), ("*", 304), ('"other"', 200), ("", 200)]
)
def test_the_site_reads_if_none_match_as_the_standard_does(condition: str, status: int) -> None:
    with DemoSite({DAYS[0]: b"<p>a day</p>"}) as site:
        path = f"/papers/date/{DAYS[0].isoformat()}"
        etag = _get(site, path).headers["ETag"]
        assert _get(site, path, {"If-None-Match": condition.format(etag=etag)}).status == status


def test_the_site_is_gone_when_its_block_ends() -> None:
    with DemoSite({}) as site:
        port = int(site.url.rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)
    with pytest.raises(RuntimeError):
        _ = site.url


# -- the mailbox

LETTER = (
    b"Message-ID: <issue-7@lab.example>\r\n"
    b"From: round@lab.example\r\n"
    b"To: mira@lab.example\r\n"
    b"Subject: a day\r\n"
    b"\r\n"
    b".a line that begins with a dot\r\n"
    b".\r\n"
    b"..\r\n"
    b"From here on \xc3\xa9 =3D\r\n"
)


def _send(mailbox: Mailbox, data: bytes) -> tuple[int, bytes]:
    with smtplib.SMTP(mailbox.host, mailbox.port, timeout=5) as relay:
        relay.ehlo("lab.example")
        relay.mail("round@lab.example")
        relay.rcpt("mira@lab.example")
        return relay.data(data)


def test_a_message_lies_in_the_mailbox_byte_for_byte(tmp_path: Path) -> None:
    with Mailbox(tmp_path / "outbox") as mailbox:
        code, _ = _send(mailbox, LETTER)
    assert code == 250
    (kept,) = (tmp_path / "outbox").iterdir()
    assert kept.name == "issue-7@lab.example.eml"
    assert kept.read_bytes() == LETTER


def test_a_message_that_comes_twice_is_one_file(tmp_path: Path) -> None:
    with Mailbox(tmp_path) as mailbox:
        _send(mailbox, LETTER)
        _send(mailbox, LETTER)
        _send(mailbox, LETTER.replace(b"issue-7", b"issue-8"))
        assert mailbox.received == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["issue-7@lab.example.eml", "issue-8@lab.example.eml"]


def test_the_mailbox_listens_on_the_loopback_only(tmp_path: Path) -> None:
    with Mailbox(tmp_path) as mailbox, socket.create_connection((mailbox.host, mailbox.port), timeout=5) as caller:
        assert caller.getpeername()[0] == "127.0.0.1"
        port = mailbox.port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)


def test_a_caller_who_stays_on_the_line_does_not_keep_the_mailbox_open(tmp_path: Path) -> None:
    with Mailbox(tmp_path) as mailbox:
        caller = socket.create_connection((mailbox.host, mailbox.port), timeout=5)
        assert caller.recv(4) == b"220 "
    with caller:
        while caller.recv(1024):
            pass


def test_a_mailbox_that_cannot_be_written_asks_the_sender_to_keep_the_message(tmp_path: Path) -> None:
    with Mailbox(tmp_path) as mailbox:
        (tmp_path / "issue-7@lab.example.eml").mkdir()
        code, _ = _send(mailbox, LETTER)
        assert code == 452
        assert mailbox.received == 0
    assert [path.name for path in tmp_path.iterdir()] == ["issue-7@lab.example.eml"]


@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_no_message_id_can_lead_out_of_the_folder(message_id: str) -> None:
    name = file_name(b"Message-ID: <" + message_id.encode() + b">\r\n\r\nbody\r\n")
    assert re.fullmatch(r"[A-Za-z0-9@_+=-][A-Za-z0-9@._+=-]*", name)
    assert name.endswith(".eml")
    assert len(name) < 200


def test_two_strange_ids_stay_two_names() -> None:
    assert file_name(b"Message-ID: <a/b@x>\r\n\r\n") != file_name(b"Message-ID: <a:b@x>\r\n\r\n")
    assert file_name(b"Subject: no id\r\n\r\none") != file_name(b"Subject: no id\r\n\r\ntwo")
