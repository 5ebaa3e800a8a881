import re
import textwrap
import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import LayoutChanged
from domain.papers import AbstractKind, FetchStatus, ListedPaper, Listing
from scrapers.captures import looks_like_capture, read_capture
from scrapers.keyword_capture import first_last, looks_like_keyword_capture, read_keyword_capture
from scrapers.text import collapse, repair_mojibake

CAPTURES = Path(__file__).parent / "captures"
SEEDS = Path(__file__).resolve().parents[2].parent / "shared" / "seeds"
VISITED = date(2026, 3, 20)
HEAD = "new\n\nGet trending papers in your email inbox!\n\nSubscribe\n\nbyAK and the research community\n\nMar 14\n\n"
PROSE = (
    "We measure how long it takes a paper to reach the people who need it, follow 300 of them through lists, letters"
    " and corridors, and find that most of the time is spent waiting for somebody to open a page. A letter helps."
)

TITLES = [
    "Lantern: Training Small Language Models on a Single Winter Night",
    "Do Sparse Autoencoders Remember? A Study of Forgetting in Dictionary Features",
    "Tidewater Attention",
    "pebble: a small library for counting animals in aerial photographs",
    "Are Two Sensors Better than One? Fusion under Disagreement",
]


def capture(name: str, day: date = VISITED) -> Listing:
    return read_capture((CAPTURES / f"{name}.txt").read_text(encoding="utf-8"), day=day)


def pairs(listing: Listing) -> list[tuple[str, str]]:
    return [(paper.title, paper.abstract) for paper in listing.papers]


def read(body: str) -> tuple[ListedPaper, ...]:
    return read_capture(HEAD + body, day=VISITED).papers


@pytest.mark.parametrize("name", ["footers", "no-footers", "glued", "records-between-blanks", "wrapped"])
def test_every_rendering_gives_the_same_titles_and_whole_abstracts(name: str) -> None:
    listing = capture(name)
    assert [paper.title for paper in listing.papers] == TITLES
    assert pairs(listing) == pairs(capture("footers"))
    assert [paper.rank for paper in listing.papers] == [1, 2, 3, 4, 5]
    assert listing.status is FetchStatus.OK
    assert listing.source == "huggingface-capture"
    first = listing.papers[0].abstract
    assert first.startswith("Large language models are trained")
    assert first.endswith("https://lantern.example/nights.")


def test_footers_tell_authors_organization_day_and_comments() -> None:
    told = [(p.author_count, p.organization, p.published, p.comments) for p in capture("footers").papers]
    assert told == [
        (5, "", date(2023, 5, 15), 0),
        (12, "", date(2021, 6, 2), 1),
        (0, "", None, None),  # the footer is lost
        (1, "", date(2026, 1, 24), 2),
        (0, "Northern Institute", date(2025, 5, 24), 0),  # 24 May 2026 would be after the visit
    ]


@pytest.mark.parametrize(
    ("name", "visited", "day"),
    [
        ("footers", date(2026, 3, 20), date(2026, 2, 9)),
        ("footers", date(2026, 2, 8), date(2025, 2, 9)),
        ("no-footers", date(2025, 12, 2), date(2025, 3, 14)),
        ("glued", date(2026, 3, 20), date(2026, 3, 20)),
        ("empty", date(2026, 3, 20), date(2025, 12, 25)),
    ],
)
def test_the_listing_day_is_the_heads_latest_on_or_before_the_visit(name: str, visited: date, day: date) -> None:
    assert capture(name, visited).day == day


def test_a_head_without_papers_is_an_empty_day() -> None:
    listing = capture("empty")
    assert listing.status is FetchStatus.OK_EMPTY
    assert listing.papers == ()


def test_text_that_was_read_as_thai_is_repaired_before_it_is_understood() -> None:
    one, two = capture("mojibake").papers
    assert one.title == "Café Corpus: Conversations Overheard in Nine Languages"
    assert (one.organization, one.published, one.comments) == ("Northern Institute", date(2025, 10, 23), 1)
    assert two.title == "Rényi Bounds for the Naïve Learner"
    assert "it isn’t known" in two.abstract
    assert (two.author_count, two.published, two.comments) == (7, date(2026, 3, 1), 4)


def test_an_abstract_may_hold_several_paragraphs() -> None:
    first, second = read(f"One\n\n{PROSE}\n\nOur code is at https://one.example\n\nTwo\n\n{PROSE}\n\n{PROSE}")
    assert first.abstract == f"{PROSE} Our code is at https://one.example"
    assert second.abstract == f"{PROSE} {PROSE}"


def test_an_abstract_may_be_short_or_missing() -> None:
    papers = read(f"One\n\nIt holds.\n\nTwo\n\n  • 3 authors\n·\nMay 1, 2020\n\nThree\n\n{PROSE}")
    assert [(p.title, p.abstract, p.author_count) for p in papers] == [
        ("One", "It holds.", 0),
        ("Two", "", 3),
        ("Three", PROSE, 0),
    ]
    assert [p.abstract_kind for p in papers] == [AbstractKind.AUTHORS, AbstractKind.NONE, AbstractKind.AUTHORS]


def test_a_missing_abstract_without_any_footer_does_not_shift_the_rest() -> None:
    lines = [f"{title}\n{PROSE}" for title in TITLES]
    lines.insert(2, "A Title Whose Abstract Was Lost on the Way")
    assert [p.title for p in read("\n".join(lines))][2:4] == ["A Title Whose Abstract Was Lost on the Way", TITLES[2]]


@pytest.mark.parametrize(
    "title",
    [
        "Maximal " * 25 + "Title",
        "Attention Is Enough.",
        "Agents vs. Papers: Dr. Watson Reads",
        "Subscribe: a Study",
        "Is It?",
        "Daily Papers for Busy People",
        "Loss < 1: a & b <script>",
        "שלום \u202eworld",
        "ไทย แบบ ภาษา",
    ],
)
def test_unusual_titles_are_titles(title: str) -> None:
    assert [(p.title, p.abstract) for p in read(f"{title}\n{PROSE}\nTwo\n{PROSE}")] == [
        (title.strip(), PROSE),
        ("Two", PROSE),
    ]


def test_votes_between_papers_belong_to_neither() -> None:
    assert [(p.title, p.abstract) for p in read(f"12\nOne\n{PROSE}\n-\nTwo\n{PROSE}")] == [
        ("One", PROSE),
        ("Two", PROSE),
    ]


def test_what_cannot_be_stored_is_gone() -> None:
    (paper,) = read(f"O\0ne\ud800\n\n{PROSE}\x07")
    assert (paper.title, paper.abstract) == ("One", PROSE)


def test_a_date_that_is_no_day_is_no_date() -> None:
    (paper,) = read(f"One\n\n{PROSE}\n\n  • 2 authors\n·\nFeb 31, 2024 3")
    assert (paper.published, paper.comments) == (None, 3)


@pytest.mark.parametrize(
    "head",
    [
        "Get trending papers in your email inbox once a day!Get trending papers in your email inbox!Subscribe",
        "Models\n\nDatasets\n\nGet trending papers in your email inbox!\n\nSubscribe ",
        "newGet trending papers in your email inbox!\r\nSubscribe\r\nDaily PapersbyAK and the research community\r\n",
        "byAK and the research community\n\n",
    ],
)
def test_the_head_may_be_glued_or_lost_in_part(head: str) -> None:
    text = f"{head}One\n{PROSE}"
    assert looks_like_capture(text)
    assert pairs(read_capture(text, day=VISITED)) == [("One", PROSE)]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("·\nMay 15, 2023\n\nOne\n\n" + PROSE, "line 11 ends a paper"),
        (
            f"One\n\n{PROSE}\n\n  • 3 authors\n·\nMay 1, 2020\n\n  • 4 authors",
            "line 19 ends a paper for the second time",
        ),
        (PROSE * 3 + "\n\nOne", "line 11 should be a title"),
        ("\n".join(TITLES * 4), "cannot be told apart"),
        (f"One\n{(PROSE + ' ') * 60}", "under line 11 is too long"),
        ("\n".join(textwrap.wrap(f"One {PROSE} " * 9, 60)), "cannot be told apart"),
    ],
)
def test_a_layout_that_cannot_be_trusted_is_refused_with_its_line(body: str, sentence: str) -> None:
    with pytest.raises(LayoutChanged, match=re.escape(sentence)):
        read(body)


def test_a_paragraph_above_the_head_is_refused() -> None:
    with pytest.raises(LayoutChanged, match="line 1 is a paragraph above"):
        read_capture(f"{PROSE}\n{HEAD}", day=VISITED)
    with pytest.raises(LayoutChanged, match="no line of the page's head"):
        read_capture(PROSE, day=VISITED)


LINES = st.sampled_from(
    [
        "",
        "One",
        "A Longer Title",
        PROSE,
        PROSE * 2,
        "It holds.",
        "  • 3 authors",
        "·",
        "ยท",
        "May 24 2",
        "Google · May 1, 2020",
    ]
)


@given(st.lists(LINES | st.text(max_size=30), max_size=30))
def test_any_lines_are_read_or_refused_and_nothing_is_lost(lines: list[str]) -> None:
    try:
        papers = read("\n".join(lines))
    except LayoutChanged:
        return
    kept = " ".join(f"{p.title} {p.abstract} {p.organization}" for p in papers)
    long = [collapse(repair_mojibake(part)) for line in lines for part in re.split(r"\r\n|\n|\r", line)]
    assert all(line in kept for line in long if len(line) > 100)
    assert all(paper.title for paper in papers)


def test_reading_takes_linear_time() -> None:
    began = time.process_time()
    assert len(read(f"A Title\n{PROSE}\n\n" * 10_000)) == 10_000
    with pytest.raises(LayoutChanged):
        read("A Title\n" * 50_000)
    with pytest.raises(LayoutChanged):
        read("a · b. C " * 200_000)
    assert time.process_time() - began < 10


# -- the keyword listing -----------------------------------------------------------------------------------------------


def keyword(body: str) -> Listing:
    return read_keyword_capture(body, day=VISITED)


def test_a_keyword_listing_pairs_last_and_first_names() -> None:
    text = (CAPTURES / "keyword.txt").read_text(encoding="utf-8")
    assert looks_like_keyword_capture(text)
    listing = keyword(text)
    assert pairs(listing) == pairs(capture("footers"))
    assert (listing.day, listing.source, listing.status) == (VISITED, "keyword-capture", FetchStatus.OK)
    assert [paper.authors for paper in listing.papers] == [
        ("Anna Lise Holm", "Chidi Okafor", "Maxence Leguéry"),
        ("Jan van der Berg", "John Smith Jr."),
        ("Aurora Collaboration, Holm, Anna Lise",),  # an odd count cannot be paired
        ("Yuki Sato",),
        ("Augustine N Mavor-Parker", "Siân O'Neil"),
    ]


def test_a_flat_list_of_an_odd_count_stays_raw() -> None:
    assert first_last("Holm, Anna, Okafor") == ("Holm, Anna, Okafor",)


def test_a_keyword_listing_may_have_blanks_paragraphs_and_titles_like_names() -> None:
    text = f"abnn\n\nFaster, Smaller\n\nHolm, Anna\n\n{PROSE}\n\n{PROSE}\n\nTwo\n\nSato, Yuki, Holm, Anna\n\n{PROSE}\n"
    assert pairs(keyword(text)) == [("Faster, Smaller", f"{PROSE} {PROSE}"), ("Two", PROSE)]
    assert keyword("abnn\n").status is FetchStatus.OK_EMPTY


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "first line is not a keyword"),
        ("A Title\nHolm, Anna\n" + PROSE, "first line is not a keyword"),
        (f"abnn\nA Title\n{PROSE}", "line 2 is not a title with authors"),
        (f"abnn\nA Title\nHolm, Anna\n{PROSE}\nAnother Title\n{PROSE}", "line 5 is neither"),
    ],
)
def test_a_keyword_listing_that_cannot_be_trusted_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(LayoutChanged, match=sentence):
        keyword(text)


@given(st.lists(st.sampled_from(["abnn", "One", "Holm, Anna", PROSE, ""]) | st.text(max_size=20), max_size=20))
def test_any_keyword_lines_are_read_or_refused(lines: list[str]) -> None:
    text = "\n".join(lines)
    looks_like_keyword_capture(text)
    try:
        keyword(text)
    except LayoutChanged:
        return


# -- the shared seeds --------------------------------------------------------------------------------------------------

HEAD_LINES = re.compile(r"new|Get trending papers.*|Subscribe|Daily Papers|byAK and the research community|abnn")


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the shared samples are not here")
@pytest.mark.parametrize(("seed", "count", "day"), [("000", 5, None), ("001", 28, "12-02"), ("002", 61, "03-14")])
def test_every_line_of_a_seed_is_accounted_for(seed: str, count: int, day: str | None) -> None:
    (path,) = SEEDS.glob(f"{seed}_*.txt")
    text = path.read_text(encoding="utf-8")
    visited = date(2025, 12, 2)
    listing = read_keyword_capture(text, day=visited) if seed == "000" else read_capture(text, day=visited)
    assert len(listing.papers) == count
    assert listing.day == (date.fromisoformat(f"2025-{day}") if day else visited)
    lines = [line for line in map(collapse, text.splitlines()) if line and not HEAD_LINES.fullmatch(line)]
    short = [line for line in lines if re.fullmatch(r"• \d+ authors|·|[A-Z][a-z]{2} \d+(, \d{4})?( \d+)?", line)]
    rest = [line for line in lines if line not in short]
    if seed == "000":
        authors = rest.pop(1), rest.pop(3), rest.pop(5), rest.pop(7), rest.pop(9)
        assert [a.count(",") + 1 for a in authors] == [2 * len(paper.authors) for paper in listing.papers]
        assert listing.papers[2].authors[2] == "Maxence Leguéry"
    assert rest == [part for pair in pairs(listing) for part in pair]
    footers = sum(paper.published is not None for paper in listing.papers)
    assert len(short) == (footers * 3 + 1 if seed == "001" else 1 if seed == "002" else 0)
    assert min(len(paper.abstract) for paper in listing.papers) > 900
