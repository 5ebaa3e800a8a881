"""Every page we have, damaged at random, comes out as a listing or as an error of ours; whatever is listed can be kept.

Each file has a reader: the source that would have asked for it, built from its settings, or `import`. A mutant is made
of its file's name, a number and SEED, which a failure names, so that it is the same mutant the next time. From each
file come as many as EACH says; our own pages alone make more than 2,000, so that a plain clone runs them too.
"""

import random
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from domain.errors import CollectError
from domain.papers import ListedPaper, Listing
from scrapers.importing import read_file
from scrapers.registry import SourceConfig, build
from scrapers.source import Page, Visit
from storage.archive import Archive
from storage.database import Database

SEED = 20261123
#: How many mutants a file has, by its size in bytes: most of the small ones, which are quickly read.
EACH = ((16_384, 120), (1_048_576, 48), (2**40, 12))
LARGEST = 2**31 - 1  # what every database takes as a whole number

HERE = Path(__file__).parent
SHARED = HERE.parents[1].parent / "shared"
OWN = sorted(file for folder in ("pages", "captures", "mails") for file in (HERE / folder).rglob("*.*"))
SAMPLES = sorted(
    file
    for folder in ("samples/huggingface", "samples/arxiv", "samples/biorxiv", "samples/pubmed", "seeds")
    for file in (SHARED / folder).rglob("*.*")
)
needs_samples = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared samples are not here")

DAY = date(2026, 8, 12)
NOW = datetime(2026, 8, 12, 9, 0, tzinfo=UTC)
VISIT = Visit(day=DAY, newest=DAY, since=DAY)

#: Which source reads a file, and from what address it came: the first row whose pattern is in the file's path.
READERS = (
    (r"huggingface/.*answer_paper", SourceConfig("s", "huggingface-daily"), "/api/papers/2603.01234"),
    (r"huggingface/.*search.*json", SourceConfig("s", "huggingface-search", query="x"), "/api/papers/search?q=x"),
    (r"huggingface/.*month.*json", SourceConfig("s", "huggingface-month"), "/api/daily_papers?month=2026-08"),
    (r"huggingface/.*json", SourceConfig("s", "huggingface-daily"), "/api/daily_papers?date=2026-08-12"),
    (r"huggingface/.*search", SourceConfig("s", "huggingface-search", query="x"), "/papers?q=x"),
    (r"huggingface/.*trending", SourceConfig("s", "huggingface-trending"), "/papers/trending"),
    (r"huggingface/.*week", SourceConfig("s", "huggingface-week"), "/papers/week/2026-W33"),
    (r"huggingface/paper", SourceConfig("s", "huggingface-daily"), "/papers/2603.01234"),
    (r"huggingface/", SourceConfig("s", "huggingface-daily"), "/papers/date/2026-08-12"),
    (r"arxiv/list/.*catchup", SourceConfig("s", "arxiv-listing", categories=("cs.CL",)), "/catchup/cs.CL/2026-08-05"),
    (r"arxiv/list/.*recent", SourceConfig("s", "arxiv-listing", categories=("cs.CL",)), "/list/cs.CL/recent?skip=2"),
    (r"arxiv/list/", SourceConfig("s", "arxiv-listing", categories=("cs.CL",)), "/list/cs.CL/new"),
    (r"arxiv/rss/", SourceConfig("s", "arxiv-feed", categories=("cs.CL",)), "/rss/cs.CL"),
    (r"arxiv/api/", SourceConfig("s", "arxiv-api", query="abs:x"), "/api/query?search_query=abs:x&start=0"),
    (r"biorxiv/", SourceConfig("s", "biorxiv"), "/details/biorxiv/2026-08-12/2026-08-12/0/json"),
    (r"feeds/", SourceConfig("s", "feed", url="https://journal.example/feed"), ""),
)

Read = Callable[[bytes, random.Random], list[Listing]]
Fresh = Callable[[], AbstractContextManager[Database]]


@dataclass(frozen=True)
class Reader:
    """What reads a file."""

    read: Read
    knows_ids: bool  #: each of its papers has a strong id


def reader_of(name: str) -> Reader:
    for pattern, config, path in READERS:
        if re.search(pattern, name):
            return Reader(asked(config, path), knows_ids=config.kind != "feed")
    return Reader(saved, knows_ids=False)


def saved(body: bytes, _: random.Random) -> list[Listing]:
    return list(read_file("saved.file", body, day=DAY, kind=None, backlog=None))


def asked(config: SourceConfig, path: str) -> Read:
    source = build(config)
    (request, *_) = source.requests(VISIT)
    root = re.match(r"https://[^/]+", request.url)
    assert root is not None
    url = root[0] + path if path else request.url

    def read(body: bytes, chance: random.Random) -> list[Listing]:
        said = chance.choice(["", "", "text/html; charset=utf-8", "text/xml; charset=tis-620", "application/json"])
        status = chance.choice([200, 200, 200, *request.reads])
        return [source.parse(Page(url, status, {"content-type": said}, body, NOW), VISIT)]

    return read


# -- mutants -----------------------------------------------------------------------------------------------------------

#: What stands in the place of a number or a text, within a text, or between two bytes.
HOSTILE = (
    *b"-1 0 0.5 1e999 NaN -Infinity 2147483648 v999999999 null true [] {}".split(),
    *b"\\ud800 10.1101/a\\ud800b https://x.example/\\udfff\\u0000 \\ud83d\\ude00 a\\u0085b \\n \\u0000 \\".split(),
    *b"&#0; &#xD800; &#99999999999; &nosuch; & &quot;&quot; &quot;\\ud800&quot;".split(),
    *b'< > { } ] \' " "" <!-- --> <![CDATA[ ]]> </ <svg> </dl> <script> <br/>'.split(),
    *b"0001-01-01 9999-12-31 2026-02-30T25:61:00Z 2026-08-12T00:00:00-99:99".split(),
    *b"http://[ javascript:x https://arxiv.org/abs/ arXiv:0000.00000v0 10.1/".split(),
    *(b"Wed, 31 Feb 2026 00:00:00", b"<?xml version='1.0' encoding='utf-7'?>", b"<!DOCTYPE x [<!ENTITY e 'e'>]>"),
    *(b"", b" ", b"\0", b"9" * 30, b"9" * 5000, b"\xff", b"\xed\xa0\x80", b"\xef\xbf\xbe", b"\xd9\xa3", b"\xc2\xb2"),
    "\u0e23\u0e09".encode(),  # a letter of two bytes, read as Thai
)
NUMBER = re.compile(rb"[0-9]+")
TEXT = re.compile(rb"(?<=[\">;])[^\"<>&]{1,80}(?=[\"<&])")


def spot(body: bytearray, chance: random.Random, longest: int = 400) -> slice:
    start = chance.randint(0, len(body))
    return slice(start, start + chance.randint(0, longest))


def flip(body: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 6)):
        body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)


def cut(body: bytearray, chance: random.Random) -> None:
    del body[spot(body, chance)]


def end(body: bytearray, chance: random.Random) -> None:
    del body[chance.randint(0, len(body)) :]


def repeat(body: bytearray, chance: random.Random) -> None:
    piece = body[spot(body, chance, 4_000)]
    at = chance.randint(0, len(body))
    body[at:at] = piece


def swap(body: bytearray, chance: random.Random) -> None:
    one, other = spot(body, chance), spot(body, chance)
    body[one], body[other] = body[other], body[one]


def insert(body: bytearray, chance: random.Random) -> None:
    at = chance.randint(0, len(body))
    body[at:at] = chance.choice(HOSTILE)


def replace(pattern: re.Pattern[bytes]) -> Callable[[bytearray, random.Random], None]:
    def put(body: bytearray, chance: random.Random) -> None:
        found = pattern.search(body, chance.randint(0, len(body)))
        if found:
            body[slice(*found.span())] = chance.choice(HOSTILE)

    return put


def within(body: bytearray, chance: random.Random) -> None:
    """Put what is hostile into the midst of a text, such as half of a character into an id."""
    found = TEXT.search(body, chance.randint(0, len(body)))
    if found:
        at = chance.randint(*found.span())
        body[at:at] = chance.choice(HOSTILE)


DAMAGE = (flip, cut, end, repeat, swap, insert, *(replace(NUMBER), replace(TEXT), within) * 3)


def count(size: int) -> int:
    return next(number for limit, number in EACH if size < limit)


def mutants(body: bytes, name: str) -> Iterator[tuple[int, bytes, random.Random]]:
    """Yield the number and the bytes of each mutant of a file, and the chance that its reader may go on with."""
    for number in range(count(len(body))):
        chance = random.Random(f"{SEED} {name} {number}")  # noqa: S311 - the same mutants on every run, no secret
        mutant = bytearray(body)
        for _ in range(chance.choice([1, 1, 1, 2, 3])):
            if mutant:
                chance.choice(DAMAGE)(mutant, chance)
        yield number, bytes(mutant), chance


# -- what must hold ----------------------------------------------------------------------------------------------------


def texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from texts(each)


def is_count(value: int | None) -> bool:
    return value is None or (type(value) is int and 0 <= value <= LARGEST)


def is_storable(text: str) -> bool:
    return "\0" not in text and not re.search("[\ud800-\udfff]", text)


def wrong_with(paper: ListedPaper) -> Iterator[str]:
    if not paper.title.strip():
        yield "no title"
    if not 1 <= paper.rank <= LARGEST:
        yield f"rank {paper.rank}"
    for name in ("author_count", "version", "upvotes", "comments", "stars"):
        if not is_count(getattr(paper, name)):
            yield f"{name} {getattr(paper, name)!r}"
    for field in fields(paper):
        if not all(map(is_storable, texts(getattr(paper, field.name)))):
            yield f"{field.name} cannot be stored"
    if not all(map(is_storable, texts((paper.ids.arxiv, paper.ids.doi, paper.ids.openreview)))):
        yield "an id cannot be stored"
    for name in ("url", "pdf_url", "code_url", "project_url"):
        if not re.match(r"(?i:https?)://|$", getattr(paper, name)):
            yield f"{name} {getattr(paper, name)!r}"


def is_day(day: date | None) -> bool:
    return day is None or date(1991, 1, 1) <= day <= DAY + timedelta(days=1)


def wrong_in(listing: Listing, *, knows_ids: bool) -> Iterator[str]:
    if not is_count(listing.declared) or not is_count(listing.rejected):
        yield f"{listing.rejected} rejected of {listing.declared}"
    if not is_storable(listing.note) or "\n" in listing.note:
        yield f"note {listing.note!r}"
    for paper in listing.papers:
        yield from wrong_with(paper)
        if knows_ids and paper.ids.strongest is None:
            yield "no strong id"
    for day in {listing.day, *(paper.day for paper in listing.papers)}:
        if not is_day(day):
            yield f"day {day}"


def outcome(reader: Reader, mutant: bytes, chance: random.Random) -> list[Listing]:
    """Return the listings; none where the answer was refused in our own words."""
    said = "read"
    try:
        return reader.read(mutant, chance)
    except CollectError as error:
        said = str(error)
        return []
    finally:
        assert said.strip(), "an error without a sentence"
        assert is_storable(said), "an error that cannot be stored"


def put_to_the_test(fresh: Fresh, file: Path, name: str) -> None:
    reader = reader_of(name)
    with fresh() as database:
        archive = Archive(database)
        for number, mutant, chance in mutants(file.read_bytes(), name):
            try:
                listings = outcome(reader, mutant, chance)
                faults = {fault for each in listings for fault in wrong_in(each, knows_ids=reader.knows_ids)}
                assert faults == set()
                for listing in listings if number % 8 == 0 else []:
                    archive.add(listing, NOW)
            except Exception as error:
                error.add_note(f"mutant {number} of {name}, seed {SEED}")
                raise


@pytest.mark.parametrize("file", OWN, ids=lambda file: file.relative_to(HERE).as_posix())
def test_a_mutant_of_our_own_pages_is_a_listing_or_our_own_error(fresh: Fresh, file: Path) -> None:
    put_to_the_test(fresh, file, file.relative_to(HERE).as_posix())


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.relative_to(SHARED).as_posix())
def test_a_mutant_of_a_sample_is_a_listing_or_our_own_error(fresh: Fresh, file: Path) -> None:
    put_to_the_test(fresh, file, file.relative_to(SHARED).as_posix())


@pytest.mark.parametrize("files", [OWN, pytest.param(SAMPLES, marks=needs_samples)], ids=["own", "samples"])
def test_there_are_at_least_two_thousand_mutants_of_either(files: list[Path]) -> None:
    assert sum(count(file.stat().st_size) for file in files) >= 2_000


def test_a_mutant_is_the_same_the_next_time() -> None:
    first, again = ([mutant for _, mutant, _ in mutants(b"{'a': [1, 2]}" * 40, "x")] for _ in range(2))

    assert first == again
    assert len(set(first)) > len(first) // 2
