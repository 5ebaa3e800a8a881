"""Every kind of letter, byte for byte, as it goes out; and what each has to be, whatever its words."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

import pytest

from digests.mail.joining import join, part
from digests.mail.message import Identity, Letter, freeze
from digests.pages import SitePages
from digests.render import Frame, Renderer
from domain.issues import Aside, AsideKind, Digest, Entry, LetterKind, QuietNote
from domain.topics import Tier, Why
from domain.troubles import Trouble

ReadBack = Callable[[bytes], EmailMessage]
GOLDEN = Path(__file__).parent / "golden"
LINKED = Frame(
    linked=True,
    pages=SitePages("https://digests.example.org"),
    postal_address="Example Lab, 1 Example Street, Example City",
    labels={"daily": "Hugging Face"},
)
PERSONAL = Frame(labels=LINKED.labels)
ON_A_SITE, ALONE = Renderer(LINKED), Renderer(PERSONAL)
IDENTITY = Identity(sender="Paperround <digests@example.org>", secret="a secret")
HEARD = Identity(
    sender='"Lab, Kuşlar" <digests@bücher.example>',
    reply_to="Öffentliche Lesegruppe der Universität <lesen@bücher.example>",
    bounce_domain="bounces.bücher.example",
    secret="a secret",
)
LARGEST = {LetterKind.DIGEST: 60_000}  # octets of a whole message; any other kind has at most 12,000
IN_BRIEF = re.compile(r"/pdf/|/papers/[^?]*#similar$")  # what a text part leaves out where there is a site
ONCE = {"from", "to", "subject", "date", "message-id", "mime-version", "content-type", "x-paperround-letter"}
NOW = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)


def empty(digest: Digest) -> Digest:
    return replace(
        digest, first=True, sections=(), confirmed_at=None, receipt=replace(digest.receipt, new=3, matched=0)
    )


def note(sample: Digest) -> QuietNote:
    topics = (*sample.topics, "<b>mud</b> & \u202eriver \0q:unsubscribe\0")
    return QuietNote(sample.slot, date(2026, 11, 17), topics, sample.receipt, sample.confirmed_at)


def learned(sample: Digest) -> Digest:
    """The sample with what likings bring: a paper like saved ones, a match set aside, news of papers sent."""
    paper = sample.sections[0].entries[0].paper
    url = "https://arxiv.org/abs/2611.000"
    like = replace(
        paper, id=51, key="arxiv:2611.00051", title="Mud of Another Estuary", url=f"{url}51", pdf_url="", code_url=""
    )
    new = replace(paper, id=52, key="doi:10.1000/mud(1)<2>", title="Mud & <i>Silt</i>, Revisited", url=f"{url}52")
    gone = replace(paper, id=53, key="arxiv:2611.00053", title="A Proof That Did Not Hold", url=f"{url}53")
    news = ((gone, "withdrawn, 19 November"), (new, "a new version (v3), 18 November; its code, 17 November"))
    entry = Entry(like, 0, Why("like “Robust Estuaries”, which you saved"), tier=Tier.LIKE_SAVED)
    first, *others = sample.sections
    unwanted = replace(first, set_aside=frozenset(paper.id for paper in first.overflow))
    return replace(
        sample,
        sections=(unwanted, *others),
        asides=(
            Aside(AsideKind.LIKE_SAVED, (entry,)),
            Aside(AsideKind.SENT_NEWS, tuple(Entry(each, 0, Why(""), happened=told) for each, told in news)),
        ),
    )


def liked(sample: Digest) -> Digest:
    """A letter that only what is like saved papers is the reason for."""
    receipt = replace(sample.receipt, matched=0)
    return replace(sample, sections=(), receipt=receipt, asides=learned(sample).asides[:1])


TROUBLES = (
    Trouble("deliver", NOW - timedelta(hours=25), NOW - timedelta(minutes=5), "relay.example.org did not answer"),
    Trouble(
        "source:cs.LG", NOW - timedelta(days=3, hours=1), NOW, "<table> not found at row 3 & column \u202e9\r\nBcc: x"
    ),
    Trouble("publish", NOW - timedelta(hours=24), NOW, "no such column: x"),
)


def made(name: str, sample: Digest, busy: Digest) -> tuple[Letter, Identity]:
    linked, personal = ON_A_SITE, ALONE
    letters: dict[str, Callable[[], Letter]] = {
        "digest": lambda: linked.digest(sample, shared=False),
        "busy": lambda: linked.digest(busy, shared=False),
        "first": lambda: linked.digest(replace(sample, first=True), shared=False),
        "first-empty": lambda: linked.digest(empty(sample), shared=False),
        "personal": lambda: personal.digest(sample, shared=False),
        "shared": lambda: linked.digest(sample, shared=True),
        "heard": lambda: linked.digest(sample, shared=False),
        "back": lambda: linked.digest(replace(sample, away_since=date(2026, 11, 3)), shared=False),
        "learned": lambda: linked.digest(learned(sample), shared=False),
        "learned-personal": lambda: personal.digest(learned(sample), shared=False),
        "liked-alone": lambda: linked.digest(liked(sample), shared=False),
        "text-only": lambda: linked.digest(sample, shared=False),
        "text-only-heard": lambda: linked.digest(busy, shared=False),
        "confirm": lambda: linked.linked(LetterKind.CONFIRM),
        "preferences": lambda: linked.linked(LetterKind.PREFERENCES),
        "address": lambda: linked.linked(LetterKind.ADDRESS),
        "goodbye": lambda: linked.goodbye(fresh=True),
        "goodbye-without-a-page": lambda: personal.goodbye(fresh=False),
        "quiet": lambda: linked.quiet(note(sample), shared=False),
        "quiet-personal": lambda: personal.quiet(replace(note(sample), confirmed_at=None), shared=False),
        "quiet-shared": lambda: linked.quiet(note(sample), shared=True),
        "quiet-heard": lambda: linked.quiet(note(sample), shared=False),
        "text-only-quiet": lambda: linked.quiet(note(sample), shared=False),
        "alert": lambda: linked.alert(TROUBLES, NOW),
        "alert-of-one": lambda: personal.alert(TROUBLES[1:2], NOW),
    }
    assert set(letters) == set(NAMES)
    return letters[name](), HEARD if name.endswith("heard") else IDENTITY


NAMES = (
    "digest", "busy", "first", "first-empty", "personal", "shared", "heard", "back", "text-only", "text-only-heard",
    "learned", "learned-personal", "liked-alone", "text-only-quiet", "confirm", "preferences", "address",
    "goodbye", "goodbye-without-a-page", "quiet", "quiet-personal", "quiet-shared", "quiet-heard",
    "alert", "alert-of-one",
)  # fmt: skip
NOT_LISTED = {"personal", "learned-personal", "shared", "quiet-personal", "quiet-shared"}
STRANGERS = ("confirm", "preferences", "address", "goodbye", "goodbye-without-a-page")  # may reach one
TEXT_ONLY = {name for name in NAMES if name.startswith("text-only")}
ON_THE_SITE = {  # and papers in it
    "digest", "busy", "first", "shared", "heard", "back", "learned", "liked-alone", "text-only", "text-only-heard",
}  # fmt: skip
every_letter = pytest.mark.parametrize("name", NAMES)


@every_letter
def test_letters_are_as_they_were(name: str, sample: Digest, busy: Digest, slots: dict[str, str]) -> None:
    """To accept a change, delete the golden file, run once, and read what was written."""
    letter, identity = made(name, sample, busy)
    data = join(freeze(letter, identity, text_only=name in TEXT_ONLY).fragments, slots)
    assert data.count(b"\n") == data.count(b"\r\n") == data.count(b"\r")  # so the golden file holds every byte but CR
    golden = GOLDEN / f"{name}.eml"
    if not golden.exists():
        golden.write_bytes(data.replace(b"\r\n", b"\n"))
        pytest.fail(f"{golden.name} did not exist; it is written now: read it and run again")
    assert data.replace(b"\r\n", b"\n").decode("ascii") == golden.read_text("ascii")


@every_letter
def test_a_letter_is_read_back_as_it_was_rendered(
    name: str, sample: Digest, busy: Digest, slots: dict[str, str], read_back: ReadBack
) -> None:
    letter, identity = made(name, sample, busy)
    data = join(freeze(letter, identity, text_only=name in TEXT_ONLY).fragments, slots)
    message = read_back(data)
    assert data.isascii()
    assert len(data) <= LARGEST.get(letter.kind, 12_000)
    assert {each.lower() for each in message} >= ONCE
    assert message["Subject"] == letter.subject
    assert message["X-Paperround-Letter"] == message["Message-ID"][1:].partition("@")[0]
    assert message["Auto-Submitted"] == "auto-generated"
    if name in TEXT_ONLY:
        assert not message.is_multipart()
        assert message["Content-Type"] == 'text/plain; charset="utf-8"'
        assert message["Content-Transfer-Encoding"] == "quoted-printable"
        pieces = [message]
    else:
        assert message.get_content_type() == "multipart/alternative"
        pieces = list(message.iter_parts())
    kinds = {"text/plain": "text", "text/html": "html"}
    assert [piece.get_content_type() for piece in pieces] == list(kinds)[: len(pieces)]
    for piece, kind in zip(pieces, kinds.values(), strict=False):
        rendered = part(letter.fragments, kind, personal=True, slots=slots)
        assert piece.get_content().replace("\r\n", "\n") == rendered


@every_letter
def test_only_what_a_reader_subscribed_to_belongs_to_a_list(
    name: str, sample: Digest, busy: Digest, slots: dict[str, str], read_back: ReadBack
) -> None:
    letter, identity = made(name, sample, busy)
    message = read_back(join(freeze(letter, identity, text_only=name in TEXT_ONLY).fragments, slots))
    found = {header for header in message if header.startswith("List-") or header == "Precedence"}
    expected: set[str] = set()
    if letter.kind in {LetterKind.DIGEST, LetterKind.QUIET}:
        expected = {"List-Id", "Precedence"}
        if letter.listed:
            expected |= {"List-Unsubscribe", "List-Unsubscribe-Post", "List-Help"}
        if letter.listed and letter.kind is LetterKind.DIGEST:
            expected |= {"List-Archive"}
    assert found == expected
    assert letter.listed is (name not in NOT_LISTED and bool(expected))
    if letter.listed:
        assert message["List-Unsubscribe"] == f"<{slots['unsubscribe']}>"
    heard = {header for header in message if header in {"CFBL-Address", "Feedback-ID"}}
    assert heard == ({"CFBL-Address", "Feedback-ID"} if name.endswith("heard") else set())


class Page(HTMLParser):
    """A page's links, its words, and whether every tag is closed."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.headings: list[str] = []
        self.words = ""
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self._open.append(tag)
        self.links |= {value or "" for key, value in attrs if key == "href"}
        if re.fullmatch(r"h\d", tag):
            self.headings.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "title"} & set(self._open):
            self.words += f" {data} "


@every_letter
def test_both_parts_hold_the_same_links_and_a_page_has_one_outline(
    name: str, sample: Digest, busy: Digest, slots: dict[str, str]
) -> None:
    letter, _ = made(name, sample, busy)
    text, page = (part(letter.fragments, kind, personal=True, slots=slots) for kind in ("text", "html"))
    read = Page(page)
    told = set(re.findall(r"https?://\S+", text))
    assert told <= read.links
    assert [each for each in read.links - told if not IN_BRIEF.search(each)] == []
    assert told == read.links or name in ON_THE_SITE
    assert read.headings[0] == "h1"
    assert read.headings.count("h1") == 1
    assert all(len(line) <= 72 for line in text.split("\n") if "://" not in line)
    assert "!" not in letter.subject


@pytest.mark.parametrize("name", [*STRANGERS, "alert", "alert-of-one"])
def test_a_short_letter_says_the_same_in_both_parts(
    name: str, sample: Digest, busy: Digest, slots: dict[str, str]
) -> None:
    letter, _ = made(name, sample, busy)
    text, page = (part(letter.fragments, kind, personal=True, slots=slots) for kind in ("text", "html"))

    def words(body: str) -> list[str]:
        return re.findall(r"[^\W_]+", re.sub(r"https?://\S+", "", body))

    shown = Page(page).words
    if letter.kind is LetterKind.ALERT:  # its first words stand once more where mailboxes show a preview
        shown = shown[shown.index("\u034f\u200c\xa0" * 24) :]
    assert words(text) == words(shown)


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, two: str) -> float:
    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@every_letter
def test_every_colour_and_size_can_be_read(name: str, sample: Digest, busy: Digest, slots: dict[str, str]) -> None:
    page = part(made(name, sample, busy)[0].fragments, "html", personal=True, slots=slots)
    style = page[page.index("<style>") : page.index("</style>")]
    body = page[page.index("</style>") :]
    for colour in set(re.findall(r"(?<![-\w])color:(#\w{6})", body)):
        assert contrast(colour, "#fbfaf6") >= 4.5, colour
    for colour in set(re.findall(r"(?<![-\w])color:(#\w{6})", style)) - {"#fbf3cf"}:
        assert contrast(colour, "#14181c") >= 4.5, colour
    assert contrast("#fdf0b5", "#16212b") >= 4.5
    assert contrast("#5b4d12", "#fbf3cf") >= 4.5
    assert min(int(size) for size in re.findall(r"(\d+)px(?:/|;line-height|\")", page)) >= 14


@pytest.mark.parametrize("name", STRANGERS)
def test_what_may_reach_a_stranger_is_the_same_for_everyone(
    name: str, sample: Digest, busy: Digest, slots: dict[str, str]
) -> None:
    """So nothing that anyone typed can stand in it: no form can be used to write to other people (mail.md item 24)."""
    letter, identity = made(name, sample, busy)
    assert freeze(letter, identity).key == freeze(made(name, sample, busy)[0], identity).key
    bodies = b"".join(fragment.body for fragment in letter.fragments)
    assert slots["to"].encode() not in bodies
    assert set(re.findall(rb"\0q:([a-z]+)\0", bodies)) <= {b"confirm", b"preferences"}


def test_a_quiet_note_tells_since_when_of_what_and_how_to_hear_more_or_leave(
    sample: Digest, slots: dict[str, str]
) -> None:
    bodies = {
        (linked, shared): " ".join(
            part(
                (ON_A_SITE if linked else ALONE).quiet(note(sample), shared=shared).fragments,
                "text",
                personal=True,
                slots=slots,
            ).split()
        )
        for linked, shared in ((True, False), (True, True), (False, False))
    }
    for body in bodies.values():
        assert "30 new papers have come since 17 November; none of them matched your topics, so no letter came." in body
        assert 'We watch for: neural sensitivity; abnn OR "attention fault"; <b>mud</b> & river q:unsubscribe' in body
        assert "Hugging Face Daily Papers, 20 Nov: 31 listed, 30 new." in body
        assert "arXiv cs.LG could not be read today (layout changed)." in body
        assert "None matched." in body
        assert "words joined by OR" in body
        assert "press" not in body
    assert slots["unsubscribe"] in bodies[True, False]
    assert "You confirmed this digest on 3 October 2026." in bodies[True, False]
    assert "https://" not in bodies[False, False]
    assert re.findall(r"https?://\S+", bodies[True, True]) == ["https://digests.example.org/privacy"]
    assert "Ask whoever operates this" in bodies[True, True]
    assert "`paperround subscribers unsubscribe EMAIL` ends the letters" in bodies[False, False]


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (0, "No new paper has come since 17 November, so no letter came."),
        (1, "One new paper has come since 17 November and does not match your topics, so no letter came."),
        (1_404, "1,404 new papers have come since 17 November; none of them matched your topics, so no letter came."),
    ],
)
def test_a_quiet_note_counts_what_came(new: int, said: str, sample: Digest, slots: dict[str, str]) -> None:
    quiet = replace(note(sample), receipt=replace(sample.receipt, new=new))
    letter = ALONE.quiet(quiet, shared=False)
    assert said in " ".join(part(letter.fragments, "text", personal=True, slots=slots).split())


def test_a_quiet_note_of_many_long_topics_and_many_sources_stays_short(sample: Digest) -> None:
    checks = tuple(replace(sample.receipt.checks[0], label="Ü" * 300) for _ in range(500))
    topics = tuple(f"{'ö' * 300} {number}" for number in range(500))
    quiet = replace(note(sample), topics=topics, receipt=replace(sample.receipt, checks=checks))
    letter = ON_A_SITE.quiet(quiet, shared=False)
    assert sum(len(fragment.body) for fragment in letter.fragments) < 80_000
    assert "and 480 more" in part(letter.fragments, "text", personal=False, slots={})


def test_an_alert_says_what_is_broken_since_when_and_what_to_do(slots: dict[str, str]) -> None:
    letter = ON_A_SITE.alert(TROUBLES, NOW)
    body = " ".join(part(letter.fragments, "text", personal=True, slots=slots).split())
    assert letter.subject == "Paperround: 3 things stay broken · 20 November"
    assert "3 things have not worked for a while and need somebody to look." in body
    order = [body.index(title) for title in ("The source cs.LG", "Delivery of letters", "Planning of letters")]
    assert order == sorted(order)
    assert "Broken since 17 November 2026, 05:00 UTC, 3 days and 1 hour ago; last tried 20 November 2026, 06:00" in body
    assert "<table> not found at row 3 & column 9 Bcc: x" in body
    assert "`paperround sources check cs.LG`" in body
    one = ALONE.alert(TROUBLES[1:2], NOW)
    assert one.subject == "Paperround: the source cs.LG stays broken · 20 November"


def test_an_alert_of_hundreds_of_troubles_stays_short_and_one_of_none_is_refused() -> None:
    many = [Trouble(f"source:{number} {'x' * 200}", NOW, NOW, "y" * 9_000) for number in range(300)]
    letter = ON_A_SITE.alert(many, NOW)
    assert sum(len(fragment.body) for fragment in letter.fragments) < 60_000
    assert "And 280 more things are broken." in part(letter.fragments, "text", personal=True, slots={})
    with pytest.raises(ValueError, match="trouble"):
        ON_A_SITE.alert([], NOW)


@pytest.mark.parametrize("what", ["", "\0\u202e", "a\ud800b"])
def test_an_alert_bears_whatever_a_trouble_says(what: str, slots: dict[str, str], read_back: ReadBack) -> None:
    trouble = Trouble(f"source:{what}; rm -rf /", NOW, NOW - timedelta(days=9), what)
    letter = ON_A_SITE.alert([trouble], NOW - timedelta(days=1))
    message = read_back(join(freeze(letter, IDENTITY).fragments, slots))
    text = " ".join(message.get_body(("plain",)).get_content().split())
    assert "less than an hour ago" in text
    assert re.search(r"`paperround sources check '[^']*; rm -rf /'`", text)
