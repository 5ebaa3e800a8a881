"""Values in, SVG out: read back as XML, its bars measured, its texts boxed."""

import itertools
import re
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from web.plots.drawing import MARGIN, WIDE, figure, plot
from web.plots.lettering import HEAD, SMALL, TITLE, width
from web.plots.scales import heights
from web.plots.values import COLOURS, GREY, Panel, Series, ranked

SVG = "{http://www.w3.org/2000/svg}"
FIRST = date(2026, 10, 22)
TALL = 120
SIZES = {"pl-head": HEAD, "pl-title": TITLE}


def panel(*series: tuple[int, ...], names: tuple[str, ...] = (), title: str = "Papers listed") -> Panel:
    named = [*names, *(f"source-{number}" for number in range(len(names), len(series)))]
    return Panel(title, "by source and its own listing day", FIRST, ranked(list(zip(named, series, strict=False))))


def parsed(drawn: str) -> etree._Element:
    return etree.fromstring(drawn.encode())


# -- reading a picture back --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Box:
    words: str
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "Box") -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


def boxes(element: etree._Element, x: float = 0, y: float = 0, clip: float = float("inf")) -> list[Box]:
    """Return the room of every text, as wide as it is in the widest font."""
    found = []
    for each in element:
        left, top = x + float(each.get("x", 0)), y + float(each.get("y", 0))
        if each.tag == f"{SVG}g":
            dx, dy = map(int, re.fullmatch(r"translate\((\d+),(\d+)\)", each.get("transform")).groups())
            found += boxes(each, x + dx, y + dy, clip)
        elif each.tag == f"{SVG}svg":
            found += boxes(each, left, top, left + float(each.get("width")))
        elif each.tag == f"{SVG}text":
            size = SIZES.get(each.get("class"), SMALL)
            words = each.text or ""
            room = width(words, size)
            left -= {"middle": room / 2, "end": room}.get(each.get("text-anchor"), 0)
            found.append(Box(words, left, top - size * 0.8, min(left + room, clip), top + size * 0.2))
    return found


def bars(drawn: etree._Element) -> dict[int, list[tuple[float, float, float]]]:
    """Return (left, top, height) of every bar, by its colour."""
    found: dict[int, list[tuple[float, float, float]]] = {}
    for path in drawn.iter(f"{SVG}path"):
        colour = re.fullmatch(r"pl-bar(\d)", path.get("class"))
        if colour:
            parts = re.findall(r"M([\d.]+) ([\d.]+)h[\d.]+v([\d.]+)h-[\d.]+z", path.get("d"))
            found[int(colour[1])] = [(float(left), float(top), float(rise)) for left, top, rise in parts]
    return found


PANELS = {
    "no source": panel(),
    "only zeros": panel((0,) * 30),
    "one day": panel((41,), (80,)),
    "one source": panel((3, 0, 7, 9, 2, 0, 1)),
    "fifteen sources": panel(*(tuple((n * m) % 17 for n in range(30)) for m in range(1, 16))),
    "four hundred days": panel(tuple(n % 41 for n in range(400)), tuple(n % 7 for n in range(400))),
    "five years": panel(tuple(n * 100 for n in range(1826))),
    "a flood": panel(tuple(100_000 if n == 17 else 3 for n in range(30))),
    "floods side by side": panel(tuple(100_000 + n if n in (0, 4, 5, 6, 29) else n % 9 for n in range(30))),
    "two far apart": panel((1, 1_000_000)),
    "long names": panel((9, 9), (8, 8), names=("x" * 200, "W" * 200), title="T" * 200),
    "right to left": panel((9, 9), (123_456_789, 8), names=("ארכיון המאמרים", "المقالات " * 20)),
    "stacked accents": panel((1, 2), names=("Z" + "\u0351\u036b" * 90,)),
    "ligature": panel((1, 2), names=("\ufdfd" * 90,)),
}


@pytest.fixture(params=PANELS, ids=str)
def each(request) -> Panel:
    return PANELS[request.param]


# -- bars --------------------------------------------------------------------------------------------------------------


def test_bars_add_up_to_the_values():
    values = ((3, 0, 7, 12), (5, 2, 0, 20), (1, 1, 1, 1))
    top = heights(map(sum, zip(*values, strict=True))).top
    drawn = bars(parsed(plot(panel(*values))))
    for ink, series in enumerate(values):
        assert [round(rise * top / TALL, 2) for _, _, rise in drawn[ink]] == [value for value in series if value]


def test_parts_of_a_day_stand_on_each_other_and_the_lowest_on_the_ground():
    drawn = parsed(plot(panel((3, 4), (5, 6), (7, 8))))
    (ground,) = re.findall(r"M[\d.]+ (\d+)\.5H", drawn.xpath("//*[@class='pl-ground']/@d")[0])
    for day in range(2):
        foot = float(ground)
        for ink in range(3):
            _, top, rise = bars(drawn)[ink][day]
            assert top + rise == pytest.approx(foot, abs=0.01)
            foot = top


def test_the_days_stand_side_by_side_in_their_order(each):
    for stack in bars(parsed(plot(each))).values():
        lefts = [x for x, _, _ in stack]
        assert lefts == sorted(lefts)
        assert all(0 <= x <= WIDE for x in lefts)


def test_no_bar_leaves_its_room_and_none_that_is_not_zero_is_unseen(each):
    stacks = bars(parsed(plot(each))).values()
    ground = max((top + rise for stack in stacks for _, top, rise in stack), default=0)
    assert all(top >= ground - TALL - 0.01 for stack in stacks for _, top, _ in stack)
    whole: dict[float, float] = {}
    for left, _, rise in itertools.chain(*stacks):
        whole[left] = whole.get(left, 0) + rise
    assert all(rise >= 1.49 for rise in whole.values())


def test_a_day_without_anything_has_no_bar():
    assert len(bars(parsed(plot(panel((3, 0, 7)))))[0]) == 2


def test_a_flood_is_cut_and_says_its_figure_while_the_rest_keeps_its_shape():
    drawn = parsed(plot(panel(tuple(100_000 if n == 17 else 3 for n in range(30)))))
    rises = [rise for _, _, rise in bars(drawn)[0]]
    assert rises[17] == TALL
    assert min(rises) > TALL / 4
    assert [text.text for text in drawn.iter(f"{SVG}text")].count("100,000") == 1
    assert len(drawn.xpath("//*[@class='pl-cut']")) == 1


def test_many_days_share_bars_by_week_and_by_month():
    by_week = parsed(plot(panel((1,) * 400)))
    by_month = parsed(plot(panel((1,) * 1826)))
    assert len(bars(by_week)[0]) == 58
    assert len(bars(by_month)[0]) == 61
    hovers = [title.text for title in by_week.xpath("//*[local-name()='rect']/*[local-name()='title']")]
    assert hovers[:2] == ["the week of 22 October 2026: source-0 4", "the week of 26 October 2026: source-0 7"]


def test_the_smallest_of_many_sources_become_others_in_grey():
    many = ranked([(f"s{n}", (20 - n, 1)) for n in range(15)])
    assert [(each.name, each.ink) for each in many[-2:]] == [("s4", 4), ("10 others", GREY)]
    assert many[-1].values == (sum(20 - n for n in range(5, 15)), 10)
    assert sum(each.total for each in many) == sum(20 - n + 1 for n in range(15))
    six = ranked([(f"s{n}", (1,)) for n in range(COLOURS + 1)])
    assert [each.name for each in six] == [f"s{n}" for n in range(6)], "one alone is not others"


# -- words -------------------------------------------------------------------------------------------------------------


def test_no_text_runs_into_another_or_out_of_the_panel(each):
    found = boxes(parsed(plot(each)))
    assert [(a.words, b.words) for a, b in itertools.combinations(found, 2) if a.meets(b)] == []
    assert [box.words for box in found if box.left < -0.1 or box.right > WIDE + 0.1] == []


def test_no_text_of_a_figure_runs_into_another():
    drawn = parsed(
        figure("The archive over time", "a note that is longer than one line can be " * 2, list(PANELS.values()))
    )
    found = boxes(drawn)
    assert [(a.words, b.words) for a, b in itertools.combinations(found, 2) if a.meets(b)] == []
    assert max(box.bottom for box in found) <= int(drawn.get("height")) - MARGIN / 2


def test_in_one_column_panels_follow_each_other():
    drawn = figure("The archive", "a note", [panel((1, 2), (3, 4)), panel((1, 2)), panel()])
    narrow = re.search(r"@media\(max-width:639px\)\{\.pl:root\{width:320px;height:(\d+)px\}(.*?)\}</style>", drawn)
    corners = [int(y) for x, y in re.findall(r"translate\((\d+)px,(\d+)px\)", narrow[2]) if int(x) == MARGIN]
    groups = parsed(drawn).xpath("//*[starts-with(@class,'pl-at')]")
    assert len(corners) == len(groups) == 3
    for group, corner, following in zip(groups, corners, [*corners[1:], int(narrow[1])], strict=True):
        assert corner + max(box.bottom for box in boxes(group)) < following


def test_every_source_is_named_with_its_sum():
    words = [text.text for text in parsed(plot(panel((1_000, 204), (3, 0), names=("hf", "arxiv")))).iter(f"{SVG}text")]
    assert [each.strip("\u2068\u2069") for each in words[-4:]] == ["hf", "1,204", "arxiv", "3"]


def test_a_source_without_papers_in_these_days_is_not_named():
    assert "quiet" not in plot(panel((1, 2), (0, 0), names=("hf", "quiet")))


def test_an_empty_panel_says_so():
    for nothing in (panel(), panel((0, 0))):
        words = [text.text for text in parsed(plot(nothing)).iter(f"{SVG}text")]
        assert words[-1] == "nothing in these days"
    assert parsed(figure("The archive", "a note", [])).tag == f"{SVG}svg"


def test_days_are_told_below_the_bars_with_the_year_where_it_is_another():
    assert "18 Nov" in plot(panel((1,) * 28))
    turn = Panel("Papers", "", date(2025, 12, 25), (Series("hf", (1,) * 14),))
    assert "31 Dec 2025" in plot(turn)
    assert "7 Jan" in plot(turn)


HOSTILE = "</svg><script>alert(1)</script> \"'& ]]> \x00\x1b[31m \ud800 \ufffe \u202egnp.exe"


def test_texts_from_outside_stay_texts():
    mean = Panel(HOSTILE, HOSTILE, FIRST, (Series(HOSTILE, (1, 2)),), HOSTILE)
    for drawn in (plot(mean), figure(HOSTILE, HOSTILE, [mean, Panel(HOSTILE, HOSTILE, FIRST, (), HOSTILE)])):
        root = parsed(drawn)
        allowed = {"svg", "title", "desc", "style", "rect", "g", "path", "text"}
        assert {etree.QName(each).localname for each in root.iter()} == allowed - (
            {"g"} if "<g" not in drawn else set()
        )
        assert not {name for each in root.iter() for name in each.attrib if name.startswith("on") or "href" in name}
        assert not re.search("[\x00-\x09\x0b-\x1f\u202a-\u202e\ud800-\udfff\ufffe\uffff]", drawn)
        assert "url(" not in drawn


@given(
    st.lists(st.tuples(st.text(max_size=220), st.lists(st.integers(0, 10**9), min_size=9, max_size=9)), max_size=9),
    st.text(max_size=220),
)
def test_whatever_is_given_is_drawn_as_xml_without_overlap(series, words):
    drawn = panel(*(tuple(values) for _, values in series), names=tuple(name for name, _ in series), title=words)
    found = boxes(parsed(plot(drawn)))
    assert not any(a.meets(b) for a, b in itertools.combinations(found, 2))


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=200), st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_whatever_days_are_given_their_labels_keep_apart(values, first):
    found = boxes(parsed(plot(Panel("Papers", "", first, (Series("hf", tuple(values)),)))))
    assert not any(a.meets(b) for a, b in itertools.combinations(found, 2))


def test_who_does_not_see_it_is_told_what_it_shows():
    root = parsed(plot(panel((41, 7), (80, 3), names=("hf", "arxiv"))))
    assert root.get("role") == "img"
    assert root[0].tag == f"{SVG}title"
    assert root[0].text == "Papers listed"
    assert root[1].tag == f"{SVG}desc"
    assert root[1].text == (
        "Papers listed, 22 October 2026 to 23 October 2026: 131 in all, most on 22 October 2026 (121). "
        "Of them: hf 48, arxiv 83."
    )
    assert FIRST + timedelta(days=1) == date(2026, 10, 23)
