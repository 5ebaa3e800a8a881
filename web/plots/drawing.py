"""Panels as SVG: `plot` draws one for a page, `figure` several as one picture that flows into one or two columns.

A panel is as wide as the site's text on a phone of 320 px, and two of them as its column: nothing is ever scaled, so
that letters keep their size. From its top: title, note, bars above their days, then each series with its sum.

    plot      bars are exact: a unit of the scale is the same height everywhere, and they start at 0
    cut bar   one of another order than the rest ends at the edge with a slit, and its figure stands above it
    thin bar  a figure that is not 0 is drawn 1.5 px high at least

Colours and the reader's scheme are in the style (colours.py), the words for those who cannot see it in title and desc.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from digests.readable import clean
from web.plots.colours import STYLE
from web.plots.lettering import HEAD, SMALL, TITLE, fitted, width, wrapped
from web.plots.scales import Heights, apart, dates, heights, label, short_number, spans
from web.plots.values import Panel
from web.plots.words import bar_in_words, in_words

#: In px: a panel; the space around a figure, and between its columns and rows.
WIDE, MARGIN, GUTTER, FURROW = 288, 16, 32, 36
_TALL = 120  # the bars' room
_LINE = 20
_HEADED, _TITLED = 32, 26
_LEAST_AXIS = 44  # for the figures beside the bars: those of panels near each other then begin at one line
_ABOVE = 28  # above the bars: half a label of the axis, or the figure of a cut bar
_FOOT = 28  # below them: the days
_THIN = 1.5
_WIDEST_BAR = 28.0
_SLIT = 12  # below the upper edge
_LEAST_SEAM = 4  # a part of a bar that is lower is not set apart from the next


def plot(panel: Panel) -> str:
    """Return one panel as an SVG that stands by itself."""
    drawn = _Drawn(panel, _notes([panel]))
    title, told = escape(clean(panel.title)), escape(in_words(panel))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="pl" role="img" width="{WIDE}" height="{drawn.tall}"'
        f' viewBox="0 0 {WIDE} {drawn.tall}"><title>{title}</title><desc>{told}</desc><style>{STYLE}</style>'
        f'<rect class="pl-paper" width="{WIDE}" height="{drawn.tall}"/>{drawn.svg}</svg>\n'
    )


def figure(heading: str, note: str, panels: Sequence[Panel]) -> str:
    """Return panels under a heading as one SVG: two columns from 640 px on, else one."""
    lines = _notes(panels)
    drawn = [_Drawn(panel, lines) for panel in panels]
    wide, narrow = 2 * WIDE + GUTTER + 2 * MARGIN, WIDE + 2 * MARGIN
    words = wrapped(clean(note), WIDE, SMALL)
    under = MARGIN + _HEADED + len(words) * _LINE + FURROW // 2
    pairs, pairs_end = _places([drawn[n : n + 2] for n in range(0, len(drawn), 2)], under)
    single, single_end = _places([[each] for each in drawn], under)
    flow = "".join(f".pl-at{n}{{transform:translate({x}px,{y}px)}}" for n, (x, y) in enumerate(single))
    told = " ".join([f"{clean(note)}.", *map(in_words, panels)])
    head = _text("head", 0, HEAD, fitted(clean(heading), WIDE, HEAD))
    head += "".join(_text("small", 0, _HEADED + (n + 1) * _LINE - 5, line) for n, line in enumerate(words))
    body = "".join(
        f'<g class="pl-at{n}" transform="translate({x},{y})">{each.svg}</g>'
        for n, (each, (x, y)) in enumerate(zip(drawn, pairs, strict=True))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="pl" role="img" width="{wide}" height="{pairs_end}">'
        f"<title>{escape(clean(heading))}</title><desc>{escape(told)}</desc><style>{STYLE}"
        f"@media(max-width:{wide - 1}px){{.pl:root{{width:{narrow}px;height:{single_end}px}}{flow}}}</style>"
        f'<rect class="pl-paper" width="100%" height="100%"/>'
        f'<g transform="translate({MARGIN},{MARGIN})">{head}</g>{body}</svg>\n'
    )


def _places(rows: Sequence[Sequence["_Drawn"]], top: int) -> tuple[list[tuple[int, int]], int]:
    """Return where each panel's corner stands when they are set in these rows, and where the picture ends."""
    places: list[tuple[int, int]] = []
    for row in rows:
        places += [(MARGIN + n * (WIDE + GUTTER), top) for n in range(len(row))]
        top += max(each.tall for each in row) + FURROW
    return places, top - FURROW + MARGIN


def _notes(panels: Iterable[Panel]) -> int:
    """Return how many lines the longest note takes: bars that stand side by side begin at one height."""
    return max((len(wrapped(clean(panel.note), WIDE, SMALL)) for panel in panels), default=0)


@dataclass(frozen=True, slots=True)
class _Bar:
    """Where the bars of one panel stand: the middle of each, and how broad they are."""

    middles: tuple[float, ...]
    broad: float
    slot: float


class _Drawn:
    """One panel, drawn with its corner at 0, 0: `svg` and how `tall` it is."""

    def __init__(self, panel: Panel, lines: int) -> None:
        self._panel = panel
        self._spans = spans(panel.first, panel.days)
        self._parts = [[span.sum(each.values) for each in panel.series] for span in self._spans]
        self._sums = [sum(parts) for parts in self._parts]
        self._heights = heights(self._sums)
        self._top = _TITLED + lines * _LINE + _ABOVE
        shown = [each for each in panel.series if each.total]
        legend = self._top + _TALL + _FOOT
        self.tall = legend + len(shown) * _LINE
        self.svg = "".join(
            [
                *self._heading(),
                *(self._bars() if shown else self._empty()),
                *(self._named(each.name, each.ink, each.total, legend + n * _LINE) for n, each in enumerate(shown)),
            ]
        )

    def _heading(self) -> Iterator[str]:
        yield _text("title", 0, TITLE, fitted(clean(self._panel.title), WIDE, TITLE))
        for number, line in enumerate(wrapped(clean(self._panel.note), WIDE, SMALL)):
            yield _text("small", 0, _TITLED + (number + 1) * _LINE - 5, line)

    def _empty(self) -> Iterator[str]:
        ground = self._top + _TALL
        yield f'<path class="pl-ground" d="M0 {ground}.5H{WIDE}"/>'
        words = fitted(clean(self._panel.nothing), WIDE, SMALL)
        yield _text("small", WIDE / 2, ground - _TALL / 2 + 5, words, anchor="middle")

    def _bars(self) -> Iterator[str]:
        scale = self._heights
        names = [short_number(tick) for tick in scale.ticks]
        left = max(_LEAST_AXIS, *(width(name, SMALL) + 8 for name in names))
        bars = _placed(len(self._spans), left)
        ground = self._top + _TALL
        for tick, name in zip(scale.ticks, names, strict=True):
            y = round(ground - tick * _TALL / scale.top)
            yield f'<path class="pl-{"rule" if tick else "ground"}" d="M{left:.1f} {y}.5H{WIDE}"/>'
            yield _text("small pl-number", left - 8, y + 5, name, anchor="end")
        yield from self._stacks(bars, scale)
        yield from self._cuts(bars, left)
        for each in dates(self._spans, bars.middles, 0, WIDE):
            yield f'<path class="pl-ground" d="M{each.at:.1f} {ground}.5v4"/>'
            yield _text("small", each.middle, ground + _LINE, each.text, anchor="middle")
        for span, middle, parts in zip(self._spans, bars.middles, self._parts, strict=True):
            words = escape(bar_in_words(self._panel, span, parts))
            yield (
                f'<rect class="pl-hit" x="{middle - bars.slot / 2:.2f}" y="{self._top}" width="{bars.slot:.2f}"'
                f' height="{_TALL}"><title>{words}</title></rect>'
            )

    def _stacks(self, bars: _Bar, scale: Heights) -> Iterator[str]:
        """Give a path for each series, then the seams between them."""
        paths: dict[int, list[str]] = {}
        seams = []
        for middle, parts, whole in zip(bars.middles, self._parts, self._sums, strict=True):
            if not whole:
                continue
            unit = max(min(whole, scale.top) * _TALL / scale.top, _THIN) / whole
            at: float = self._top + _TALL
            below = 0.0
            for number, value in enumerate(parts):
                if not value:
                    continue
                rise = value * unit
                if min(below, rise) >= _LEAST_SEAM:
                    seams.append(f"M{middle - bars.broad / 2:.2f} {at:.2f}h{bars.broad:.2f}")
                at, below = at - rise, rise
                paths.setdefault(number, []).append(
                    f"M{middle - bars.broad / 2:.2f} {at:.3f}h{bars.broad:.2f}v{rise:.3f}h-{bars.broad:.2f}z"
                )
        for number, path in paths.items():
            yield f'<path class="pl-bar{self._panel.series[number].ink}" d="{"".join(path)}"/>'
        if seams:
            yield f'<path class="pl-cut" d="{"".join(seams)}"/>'

    def _cuts(self, bars: _Bar, left: float) -> Iterator[str]:
        """Give a slit through each bar that is cut at the edge, and its figure above where there is room."""
        cut = [n for n, whole in enumerate(self._sums) if self._heights.is_over(whole)]
        half = bars.broad / 2 + 1
        for number in cut:
            middle = bars.middles[number]
            slit = f"M{middle - half:.2f} {self._top + _SLIT + 3}L{middle + half:.2f} {self._top + _SLIT - 3}"
            yield f'<path class="pl-cut" stroke-width="3" d="{slit}"/>'
        # An axis' label reaches a few px above the edge; the figures keep clear of it.
        named = apart(label(f"{self._sums[n]:,}", bars.middles[n], left, WIDE) for n in cut)
        for each in named:
            yield _text("text pl-number", each.middle, self._top - 6, each.text, anchor="middle")

    def _named(self, name: str, ink: int, total: int, top: int) -> str:
        """Return one line of the legend; the name is clipped, whatever its glyphs."""
        number = f"{total:,}"
        room = WIDE - 18 - width(number, SMALL) - 12
        # Isolated, so that a name that is read from the right keeps to its place.
        shown = f"\u2068{fitted(clean(name), room, SMALL)}\u2069"
        return (
            f'<rect class="pl-bar{ink}" y="{top + 5}" width="10" height="10"/>'
            f'<svg x="18" y="{top}" width="{room:.1f}" height="{_LINE}">{_text("text", 0, 15, shown)}</svg>'
            f"{_text('small pl-number', WIDE, top + 15, number, anchor='end')}"
        )


def _placed(count: int, left: float) -> _Bar:
    slot = (WIDE - left) / count
    return _Bar(
        middles=tuple(left + (number + 0.5) * slot for number in range(count)),
        broad=min(slot * 0.78, _WIDEST_BAR),
        slot=slot,
    )


def _text(kind: str, x: float, y: float, words: str, *, anchor: str = "start") -> str:
    side = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text class="pl-{kind}" x="{x:.1f}" y="{y:.1f}"{side}>{escape(words)}</text>'
