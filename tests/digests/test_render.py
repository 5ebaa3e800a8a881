"""Letters: a digest in, the two parts out; whole letters as golden files."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest

from digests.fit import LARGEST_HTML
from digests.mail.joining import part
from digests.mail.message import Identity, Letter, freeze
from digests.pages import SitePages
from digests.render import Frame, Renderer
from domain.issues import Digest, Entry, LetterKind, Receipt, Role, Section
from domain.papers import AbstractKind, Paper
from domain.topics import Why

MakePaper = Callable[..., Paper]
LINKED = Frame(
    linked=True, postal_address="Example Lab, 1 Example Street, Example City", labels={"daily": "Hugging Face"}
)
IDENTITY = Identity(sender="Paperround <digests@example.org>", secret="a secret")
WHY = Why(line="“network” in abstract", abstract=("network",))


def empty(digest: Digest) -> Digest:
    return replace(
        digest, first=True, sections=(), confirmed_at=None, receipt=replace(digest.receipt, new=3, matched=0)
    )


def flood(make_paper: MakePaper, topics: int, papers: int, **changes: Any) -> tuple[Section, ...]:
    return tuple(
        Section(
            topic_id=topic,
            name=f"topic {topic}",
            total=papers,
            entries=tuple(Entry(make_paper(topic * 1000 + n, **changes), topic, WHY) for n in range(papers)),
            overflow=(),
        )
        for topic in range(1, topics + 1)
    )


def parts(letter: Letter, slots: dict[str, str]) -> tuple[str, str]:
    fragments = freeze(letter, IDENTITY).fragments
    text = part(fragments, "text", personal=True, slots=slots)
    return text, part(fragments, "html", personal=True, slots=slots)


class Links(HTMLParser):
    """Collects what a page links to, and refuses tags that are never closed."""

    VOID = frozenset({"meta", "br", "img"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_subject_names_the_best_paper_how_many_more_and_the_day(sample: Digest) -> None:
    renderer = Renderer(LINKED)
    assert renderer.digest(sample, shared=False).subject == (
        "Probing ℓ₁ Sensitivity in Schrödinger Networks, and 3 more · 20 November"
    )
    assert renderer.digest(empty(sample), shared=False).subject == "Paperround: your first letter · 20 November"


def test_both_parts_hold_the_same_papers_and_links(sample: Digest, slots: dict[str, str]) -> None:
    text, page = parts(Renderer(LINKED).digest(sample, shared=False), slots)
    assert set(re.findall(r"https?://\S+", text)) == set(Links(page).links)
    shown = " ".join(unescape(" ".join(Links(page).words)).split())
    flat = " ".join(text.split()).replace("*", "")
    for title in ("Probing ℓ₁ Sensitivity in Schrödinger Networks", "Loss < 1: a & b <script>alert(1)</script>"):
        assert title in shown
        assert title in flat


def test_a_text_part_has_short_lines_links_alone_and_the_way_out_first(sample: Digest, slots: dict[str, str]) -> None:
    text, _ = parts(Renderer(LINKED).digest(sample, shared=False), slots)
    lines = text.split("\n")
    assert any(line.startswith("Unsubscribe: ") for line in lines[:5])
    assert all(len(line) <= 72 for line in lines if "://" not in line)
    linked = [line for line in lines if "://" in line]
    assert linked[0] == f"Unsubscribe: {slots['unsubscribe']}"
    assert all(re.fullmatch(r"(    |   )?https?://\S+", line) for line in linked[1:])
    assert f"\nUnsubscribe:\n{slots['unsubscribe']}\n" in text


def test_hostile_text_stays_text(sample: Digest, make_paper: MakePaper, slots: dict[str, str]) -> None:
    evil = make_paper(
        9,
        title='\0q:unsubscribe\0 "><img src=x onerror=alert(1)> \u202egnp.exe',
        abstract="<b>network</b> \0h:to\0 \ud800 & {{ 7 * 7 }}",
        authors=("<i>A</i>",),
        author_count=1,
        url="javascript:alert(1)",
        pdf_url='https://a.example/"onclick="x',
        code_url="https://user@evil.example/",
        sources=("<u>daily</u>",),
    )
    section = Section(1, '<svg onload="x">', 1, (Entry(evil, 1, Why("<x>", abstract=("network", "<b>"))),), ())
    digest = replace(sample, sections=(section,), receipt=Receipt((), 1, 1))
    letter = Renderer(LINKED).digest(digest, shared=True)
    text, page = parts(letter, slots)
    for tag in ("<img", "<b>net", "<i>", "<u>", "<svg", "<x>", "javascript:", "onclick", "\u202e", "evil.example"):
        assert tag not in page
    assert "{{ 7 * 7 }}" in page
    assert "javascript:" not in text
    assert slots["unsubscribe"] not in page
    assert Links(page).links == [slots["issue"]]


def test_personal_pieces_hold_every_slot_and_no_other_piece_does(sample: Digest) -> None:
    renderer = Renderer(LINKED)
    for letter in (renderer.digest(sample, shared=False), renderer.linked(LetterKind.CONFIRM)):
        for fragment in letter.fragments:
            personal = fragment.role in {Role.TEXT_PERSONAL, Role.HTML_PERSONAL}
            assert (b"\0" in fragment.body) is personal


def test_a_shared_mailbox_gets_no_personal_link(sample: Digest, slots: dict[str, str]) -> None:
    letter = Renderer(LINKED).digest(sample, shared=True)
    text, page = parts(letter, slots)
    assert not letter.listed
    for body in (text, page):
        assert "/unsubscribe/" not in body
        assert "/preferences/" not in body
        assert "shared mailbox" in body


def test_a_personal_installation_has_no_web_links(sample: Digest) -> None:
    letter = Renderer(Frame()).digest(sample, shared=False)
    text, page = parts(letter, {})
    assert not letter.listed
    assert "example.org" not in text
    assert "Small Steps, Large Effects" in text
    assert all("arxiv.org" in link or "github.com" in link for link in Links(page).links)


def test_a_confirmation_holds_nothing_that_anyone_typed(slots: dict[str, str]) -> None:
    letter = Renderer(LINKED).linked(LetterKind.CONFIRM)
    text, page = parts(letter, slots)
    assert letter.kind is LetterKind.CONFIRM
    for body in (text, page):
        assert slots["confirm"] in body
        assert "72 hours" in body
        assert "do nothing" in body
        assert "reader@" not in body


def test_a_paper_is_rendered_once_for_all_who_get_it(sample: Digest) -> None:
    renderer = Renderer(LINKED)
    first = renderer.digest(sample, shared=False)
    assert renderer.renders == 8  # four papers, two parts
    again = renderer.digest(replace(sample, sections=sample.sections[::-1]), shared=False)
    assert renderer.renders == 8
    assert {f.sha256 for f in first.fragments} >= {f.sha256 for f in again.fragments if b"2611." in f.body}


@pytest.mark.parametrize(("topics", "papers"), [(1, 400), (40, 10), (500, 2)])
def test_the_html_part_stays_small_whatever_the_day_brings(
    topics: int, papers: int, sample: Digest, make_paper: MakePaper, slots: dict[str, str]
) -> None:
    sections = flood(make_paper, topics, papers, abstract="ℓ₁ network " * 80, title="Très longue ℓ₁ " * 12)
    matched = topics * papers
    digest = replace(sample, sections=sections, receipt=replace(sample.receipt, new=matched, matched=matched))
    letter = Renderer(LINKED).digest(digest, shared=False)
    pages = [f for f in letter.fragments if f.role in {Role.HTML, Role.HTML_PERSONAL}]
    assert LARGEST_HTML * 0.8 < sum(len(fragment.body) for fragment in pages) <= LARGEST_HTML
    text, page = parts(letter, slots)
    full = page.count("<h3")
    titled = sum(int(found.replace(",", "")) for found in re.findall(r"matched: .*?, ([\d,]+) by title", page))
    assert f"{full:,} in full, {titled:,} by title" in page
    assert set(re.findall(r"https?://\S+", text)) == set(Links(page).links)
    assert letter.fragments == Renderer(LINKED).digest(digest, shared=False).fragments


def test_the_page_has_one_outline_and_is_made_for_narrow_and_dark(sample: Digest, slots: dict[str, str]) -> None:
    _, page = parts(Renderer(LINKED).digest(sample, shared=False), slots)
    assert page.startswith('<!doctype html>\n<html lang="en" dir="ltr">')
    assert (page.count("<h1"), page.count("<h2"), page.count("<h3")) == (1, 2, 3)
    assert page.count("<table") == page.count('<table role="presentation"')
    assert "prefers-color-scheme:dark" in page
    assert '<meta name="color-scheme" content="light dark">' in page
    assert "overflow-wrap:anywhere" in page
    assert "<img" not in page
    assert min(int(size) for size in re.findall(r"(\d+)px(?:/|;line-height)", page)) >= 14


def test_a_long_title_hangs_under_its_beginning_whatever_its_number(make_paper: MakePaper, sample: Digest) -> None:
    sections = flood(make_paper, 1, 12, title="A Long Title That Goes On " * 4)
    text, _ = parts(Renderer(Frame()).digest(replace(sample, sections=sections), shared=False), {})
    lines = text.splitlines()
    titles = [place for place, line in enumerate(lines) if re.match(r" ?\d+\. A Long", line)]
    assert len(titles) == 12
    assert {lines[place].index("A Long") for place in titles} == {4}
    assert all(re.match(r" {4}\S", lines[place + 1]) for place in titles)


def test_matched_words_are_marked_as_whole_words_in_any_case(make_paper: MakePaper, sample: Digest) -> None:
    paper = make_paper(1, abstract="Network of networks: the NETWORK, netw\\'ork & C++ code; a neural network here.")
    why = Why("x", abstract=("network", "neural network", "C++", "("))
    section = Section(1, "t", 1, (Entry(paper, 1, why),), ())
    text, page = parts(Renderer(Frame()).digest(replace(sample, sections=(section,)), shared=False), {})
    assert "*Network* of networks: the *NETWORK*" in text
    assert "*C++*" in text
    assert "*neural network* here" in " ".join(text.split())
    assert page.count("<mark") == 4


def test_a_digest_that_nobody_confirmed_does_not_say_so(sample: Digest, slots: dict[str, str]) -> None:
    """An operator may vouch for a reader: there is no day to name then, and no slot to fill."""
    del slots["confirmed"]
    letter = Renderer(LINKED).digest(replace(sample, confirmed_at=None), shared=False)
    for body in parts(letter, slots):
        assert "confirmed" not in body
        assert slots["unsubscribe"] in body


@pytest.mark.parametrize("first", [False, True])
def test_a_paper_whose_title_cannot_be_seen_still_gives_a_subject(
    first: bool, make_paper: MakePaper, sample: Digest
) -> None:
    section = Section(1, "t", 1, (Entry(make_paper(1, title="\u200b\u202e"), 1, WHY),), ())
    digest = replace(sample, first=first, sections=(section,), receipt=Receipt((), 1, 1))
    assert Renderer(LINKED).digest(digest, shared=False).subject == "Untitled · 20 November"


def test_a_topic_whose_papers_all_stand_above_is_one_line(sample: Digest, slots: dict[str, str]) -> None:
    sections = (sample.sections[0], Section(9, "bounds", 3, (), ()))
    text, page = parts(Renderer(LINKED).digest(replace(sample, sections=sections), shared=False), slots)
    rule = "-" * 72
    assert f"\nbounds: 3 papers, above\n\n{rule}\nChecked for you" in text
    assert page.count("<h2") == 1
    assert "bounds" in page
    assert "3 papers, above" in page


def test_a_letter_of_related_papers_alone_says_so_and_is_named_after_one(busy: Digest, slots: dict[str, str]) -> None:
    sections = tuple(section for section in busy.sections if not section.total)
    letter = Renderer(LINKED).digest(
        replace(busy, sections=sections, receipt=replace(busy.receipt, matched=0, at_most=False)), shared=False
    )
    text, page = parts(letter, slots)
    assert letter.subject == "Mud That Moves, and 1 more · 20 November"
    for body in (text, unescape(page)):
        flat = " ".join(body.split())
        assert "No new paper answers your topics in full; 2 related ones have part of the words." in flat
        assert "None matched. Counted apart: 2 related, 1 late riser, 1 trending." in flat
        assert "We watch for" not in flat


def test_all_reasons_mark_their_words_and_both_parts_tell_them(busy: Digest, slots: dict[str, str]) -> None:
    text, page = parts(Renderer(LINKED).digest(busy, shared=False), slots)
    for body in (text, unescape(page)):
        flat = " ".join(body.split())
        assert "Also under “Robustness”: word “robust”, in title and abstract" in flat
        assert "Under “neural sensitivity”: both words, in abstract and title" in flat
        assert "listed 3 November" in flat


def test_an_address_in_an_abstract_is_neither_broken_nor_marked(make_paper: MakePaper, sample: Digest) -> None:
    url = "https://code.example/network/" + "deep-network/" * 9 + "network"
    paper = make_paper(1, abstract=f"A network is at {url}. More on the network.")
    section = Section(1, "t", 1, (Entry(paper, 1, WHY),), ())
    text, page = parts(Renderer(Frame()).digest(replace(sample, sections=(section,)), shared=False), {})
    assert f"{url}." in text
    assert f"{url}." in page
    assert text.count("*network*") == page.count("<mark") == 2


def test_a_paper_without_anything_is_still_calm(make_paper: MakePaper, sample: Digest) -> None:
    bare = make_paper(
        1, title="", abstract="x", abstract_kind=AbstractKind.NONE, authors=(), author_count=0, url="", pdf_url=""
    )
    section = Section(1, "", 1, (Entry(bare, 1, Why("")),), ())
    text, page = parts(Renderer(Frame()).digest(replace(sample, sections=(section,)), shared=False), {})
    assert "Untitled" in text
    assert "Why:" not in page
    assert "Abstract" not in page


SITE_PAGES = SitePages("https://digests.example.org")
ON_THE_WEB = replace(LINKED, pages=SITE_PAGES)


@pytest.mark.parametrize(("topics", "papers"), [(1, 400), (40, 10), (500, 2)])
def test_links_into_the_site_take_their_room_from_the_same_limit(
    topics: int, papers: int, sample: Digest, make_paper: MakePaper, slots: dict[str, str]
) -> None:
    sections = flood(make_paper, topics, papers, abstract="ℓ₁ network " * 80, title="Très longue ℓ₁ " * 12)
    sections = tuple(replace(each, query="ℓ₁ network " * 9, since=sample.slot.day) for each in sections)
    digest = replace(sample, sections=sections, receipt=replace(sample.receipt, matched=topics * papers))
    letter = Renderer(ON_THE_WEB).digest(digest, shared=False)
    pages = [f for f in letter.fragments if f.role in {Role.HTML, Role.HTML_PERSONAL}]
    assert LARGEST_HTML * 0.8 < sum(len(fragment.body) for fragment in pages) <= LARGEST_HTML
    _, page = parts(letter, slots)
    assert page.count("#similar") == page.count("<h3")
    assert slots["unsubscribe"] in page


def test_links_into_the_site_are_the_same_for_everyone_and_carry_no_token(
    sample: Digest, slots: dict[str, str]
) -> None:
    renderer = Renderer(ON_THE_WEB)
    own, group = (renderer.digest(sample, shared=shared) for shared in (False, True))
    into = [
        {link for link in Links(parts(letter, slots)[1]).links if re.search(r"/papers[/?]|/privacy$", link)}
        for letter in (own, group)
    ]
    assert into[0] == into[1]
    assert len(into[0]) == 2 * 3 + 2  # two a paper, what one topic has besides, and privacy
    for fragment in group.fragments:
        assert not re.search(rb"\0q:(?:unsubscribe|preferences)\0", fragment.body)
    assert "/papers" not in parts(Renderer(Frame()).digest(sample, shared=False), {})[1]


def test_what_is_only_counted_is_found_on_the_web(busy: Digest, slots: dict[str, str]) -> None:
    search = SITE_PAGES.search('abnn OR "attention fault"', date(2026, 11, 20))
    text, page = parts(Renderer(ON_THE_WEB).digest(busy, shared=False), slots)
    assert f"692 more are on the web:\n{search}\n" in text
    assert Links(page).links.count(search) == 2
    twice = replace(busy, sections=(busy.sections[-1], replace(busy.sections[-1], topic_id=9, beyond=1)))
    text, page = parts(Renderer(ON_THE_WEB).digest(twice, shared=False), slots)
    told = "What is only counted is on the web, by “see all” at each topic."
    assert told in " ".join(text.split())
    assert told in page


def test_a_topic_that_stands_in_full_needs_no_see_all(sample: Digest, slots: dict[str, str]) -> None:
    whole = replace(sample, sections=(replace(sample.sections[0], total=2, overflow=()),))
    for body in parts(Renderer(ON_THE_WEB).digest(whole, shared=False), slots):
        assert "see all" not in body.lower()
