"""The curve and the hours as one SVG, in the site's colours and its two schemes; nothing but text is needed for it."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from web.plots.colours import STYLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_WIDE, _TALL, _LEFT, _RIGHT, _TOP, _STEP = 640, 150, 56, 72, 66, 236  # px: picture, bars' room, its sides, a panel
_LINES = 4  # of a scale


def drawn(
    curve: Sequence[tuple[int, float, float]], hours: Sequence[float], backlog: Sequence[int], readers: int
) -> str:
    """Return the picture: `curve` holds number of readers, µs a reader and day, µs a letter; the rest is by hour."""
    tall = _TOP + 3 * _STEP
    parts = [
        *_curve(curve, _TOP),
        *_bars("Letters an hour", f"{readers:,} readers, by hour of the day in UTC", hours, _TOP + _STEP, 0),
        *_bars("Most that waited at once", "letters due and not sent", backlog, _TOP + 2 * _STEP, 3),
    ]
    title = "What a simulated day costs"
    described = "; ".join(f"{n:,} readers: {each:,.0f} µs a reader, {one:,.0f} µs a letter" for n, each, one in curve)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="pl" role="img" width="{_WIDE}" height="{tall}"'
        f' viewBox="0 0 {_WIDE} {tall}"><title>{title}</title><desc>{escape(described)}</desc>'
        f"<style>{STYLE}.pl-line0,.pl-line3{{fill:none;stroke-width:2.5}}.pl-line0{{stroke:#648ed5}}"
        f".pl-line3{{stroke:#ad8719}}</style>"
        f'<rect class="pl-paper" width="{_WIDE}" height="{tall}"/>{_text("head", 16, 34, title)}'
        f"{''.join(parts)}</svg>\n"
    )


def _curve(curve: Sequence[tuple[int, float, float]], top: int) -> Iterator[str]:
    yield from _named("CPU by number of readers", "µs; readers on a scale of powers of ten", top)
    most = _round(max(value for _, *values in curve for value in values))
    yield from _scale(most, top)
    low, high = math.log10(curve[0][0]), math.log10(curve[-1][0])
    room = _WIDE - _LEFT - _RIGHT

    def place(number: int) -> float:
        return _LEFT + (room / 2 if high == low else 20 + (room - 40) * (math.log10(number) - low) / (high - low))

    for number, *_ in curve:
        yield _text("small", place(number), top + 50 + _TALL + 18, f"{number:,}", "middle")
    for kind, index, name in ((0, 1, "a reader"), (3, 2, "a letter")):
        points = [(place(each[0]), top + 50 + _TALL * (1 - each[index] / most)) for each in curve]
        yield f'<polyline class="pl-line{kind}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>'
        yield from (f'<circle class="pl-line{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in points)
        yield _text("small", points[-1][0] + 8, points[-1][1] + 5, name)


def _bars(title: str, note: str, values: Sequence[float], top: int, ink: int) -> Iterator[str]:
    yield from _named(title, note, top)
    most = _round(max(values, default=0))
    yield from _scale(most, top)
    slot = (_WIDE - _LEFT - _RIGHT) / len(values)
    ground = top + 50 + _TALL
    for hour, value in enumerate(values):
        high = _TALL * value / most
        x = _LEFT + hour * slot
        yield f'<rect class="pl-bar{ink}" x="{x + 2:.1f}" y="{ground - high:.1f}" width="{slot - 4:.1f}"'
        yield f' height="{high:.1f}"><title>{hour:02} UTC: {value:,.0f}</title></rect>'
        if hour % 3 == 0:
            yield _text("small", x + slot / 2, ground + 18, f"{hour:02}", "middle")


def _named(title: str, note: str, top: int) -> Iterator[str]:
    yield _text("title", 16, top + 14, title)
    yield _text("small", 16, top + 33, note)


def _scale(most: float, top: int) -> Iterator[str]:
    kind = ",.0f" if most >= _LINES else ".3g"
    for step in range(_LINES + 1):
        y = round(top + 50 + _TALL * (1 - step / _LINES))
        yield f'<path class="pl-{"rule" if step else "ground"}" d="M{_LEFT} {y}.5H{_WIDE - _RIGHT}"/>'
        yield _text("small pl-number", _LEFT - 8, y + 5, f"{most * step / _LINES:{kind}}", "end")


def _round(most: float) -> float:
    """Return the least of 1, 2, 4 and 8 times a power of ten that is not below; so that quarters are short numbers."""
    if most <= 0:
        return float(_LINES)
    power: float = 10.0 ** math.floor(math.log10(most))
    return next(each * power for each in (1, 2, 4, 8, 10) if each * power >= most)


def _text(kind: str, x: float, y: float, words: str, anchor: str = "start") -> str:
    side = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text class="pl-{kind}" x="{x:.1f}" y="{y:.1f}"{side}>{escape(words)}</text>'
