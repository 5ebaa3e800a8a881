import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrapers.text import collapse, day_of, lines_of, plausible_day, repair_mojibake, shows_mojibake


def read_as_thai(text: str, *, lossy: bool = False) -> str:
    """What a reader makes of UTF-8 that it takes for cp874; undefined bytes become controls, or are lost."""
    return "".join(
        bytes([byte]).decode("cp874", errors="ignore") or ("" if lossy else chr(byte)) for byte in text.encode()
    )


@pytest.mark.parametrize(
    ("raw", "stored"),
    [
        ("  a\n\t b\u00a0 c\u2028d ", "a b c d"),
        ("a\x00b\x07c\x1bd\x7fe\x9ff", "abcdef"),
        ("a\ud800b\udfffc\uffff", "abc"),
        ("abc \u202edef\u202c \u200fgh", "abc \u202edef\u202c \u200fgh"),
        ("Loss < 1: a & b <script>", "Loss < 1: a & b <script>"),
        ("\x85 \x1c", ""),
    ],
)
def test_white_space_is_collapsed_and_only_what_cannot_be_stored_is_removed(raw: str, stored: str) -> None:
    assert collapse(raw) == stored


@given(st.text())
def test_collapsed_text_can_be_stored_and_stays_as_it_is(text: str) -> None:
    collapsed = collapse(text)
    assert collapse(collapsed) == collapsed
    collapsed.encode()
    assert "\0" not in collapsed


@pytest.mark.parametrize(
    ("damaged", "repaired"),
    [
        ("Leguรฉry", "Leguéry"),
        ("Google ยท Oct 23, 2025 1", "Google · Oct 23, 2025 1"),
        ("ยท", "·"),
        ("  โ€ข 5 authors", "  • 5 authors"),
        ("isnโ€\x99t โ€\x9cnewโ€\x9d โ€“ or โ€” is it โ€ฆ", "isn’t “new” – or — is it …"),
        ("isnโ€t", "isn’t"),
        ("Josรฉ Garcรญa", "José García"),
        ("รฉtoile", "étoile"),
        ("isnโ€\ufffdt", "isn’t"),
        ("a โ€wordโ€ more", 'a "word" more'),
        ("Mus{รฉ}e d'Archรฉologie", "Mus{é}e d'Archéologie"),
        ("0.5 ยฑ 0.1 with ฮฑ-mixing", "0.5 ± 0.1 with α-mixing"),
        ("Nguyแป…n", "Nguyễn"),
    ],
)
def test_utf8_that_was_read_as_thai_is_repaired(damaged: str, repaired: str) -> None:
    assert repair_mojibake(damaged) == repaired


@pytest.mark.parametrize(
    "word", ["Gómez–Rodríguez", "Škoda", "Müller’s naïve café", "Łukasz Øst", "François Lefèvre", "x² ≥ 0 — “so”"]
)
def test_what_was_damaged_whole_comes_back_whole(word: str) -> None:
    assert repair_mojibake(read_as_thai(word)) == word


@pytest.mark.parametrize(
    "text",
    [
        "ภาษาไทยเป็นภาษาราชการของประเทศไทย",
        "การประมวลผลภาษาไทยด้วย GPT-4 และแบบจำลอง BERTรถ",
        "the Thai word รถ means car, “แก” means you",
        "ใช้AIแบบใหม่",
        "AIรถ",
        "a look at AIรถ, and at MLรถ",
        "ไทย ยก มือ",
        "naïve café · plain",
    ],
)
def test_real_thai_and_healthy_text_are_left_alone(text: str) -> None:
    assert repair_mojibake(text) == text


@given(st.text(alphabet=st.characters(max_codepoint=0x24F), max_size=200))
def test_text_without_thai_is_never_changed(text: str) -> None:
    assert repair_mojibake(text) == text


@given(st.text(alphabet="aé ยทรฉโ€\x99ไทย…\ufffd", max_size=60))
def test_any_damage_is_survived(text: str) -> None:
    assert isinstance(repair_mojibake(text), str)


def test_one_letter_at_a_words_end_is_repaired_only_in_a_damaged_file() -> None:
    assert repair_mojibake("Chris Rรฉ") == "Chris Rรฉ"
    assert repair_mojibake("Chris Rรฉ", damaged=shows_mojibake("Leguรฉry")) == "Chris Ré"
    assert lines_of("Leguรฉry\nChris Rรฉ") == ["Leguéry", "Chris Ré"]
    assert not shows_mojibake("ภาษาไทยเป็น AIรถ")


def test_repair_and_collapse_take_linear_time() -> None:
    began = time.process_time()
    for piece in ("รฉ", "โ€", "ไทย", "ยท ", "a\x00 "):
        collapse(repair_mojibake(piece * 200_000))
    assert time.process_time() - began < 8


def test_lines_end_only_where_a_file_ends_them() -> None:
    assert lines_of("a\r\nb\rc\n\u2028d\x0be") == ["a", "b", "c", "d e"]


VISITED = date(2026, 3, 20)
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Mar 14", date(2026, 3, 14)),
        ("Mar 20", date(2026, 3, 20)),
        ("Mar 21", date(2025, 3, 21)),
        ("Dec 2", date(2025, 12, 2)),
        ("Jun 2, 2021", date(2021, 6, 2)),
        ("September 5, 2024", date(2024, 9, 5)),
        ("Sept. 5, 2024", date(2024, 9, 5)),
        (" may  1 ,2030 ", date(2030, 5, 1)),
        ("Feb 29", date(2024, 2, 29)),
        ("Feb 29, 2023", None),
        ("Feb 31", None),
        ("Feb 31, 2024", None),
        ("Mar 0", None),
        ("Mar 14, 0000", None),
        ("Mayhem 4", None),
        ("March", None),
        ("14 Mar", None),
        ("", None),
    ],
)
def test_a_day_without_a_year_is_the_latest_on_or_before_the_visit(text: str, day: date | None) -> None:
    assert day_of(text, VISITED) == day


@given(st.dates())
def test_a_written_day_is_read_back_from_any_visit(day: date) -> None:
    written = f"{MONTHS[day.month - 1]} {day.day}"
    assert day_of(f"{written}, {day.year:04}", VISITED) == day
    assert day_of(written, day) == day


@given(st.text(), st.dates())
def test_any_text_is_a_day_or_none(text: str, visited: date) -> None:
    assert day_of(text, visited) is None or isinstance(day_of(text, visited), date)


@given(st.dates() | st.none(), st.dates())
def test_a_listing_is_of_1991_to_the_day_after_the_visit(day: date | None, visited: date) -> None:
    known = day is not None and date(1991, 1, 1) <= day and day.toordinal() <= visited.toordinal() + 1
    assert plausible_day(day, visited) == (day if known else None)
