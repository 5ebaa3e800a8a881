"""The colours of looks.md, and six for bars, in two schemes.

The bars' colours stand at least 3:1 against the paper (WCAG 2.2, 1.4.11) and were chosen so that any two are told apart
with normal sight, protanopia, deuteranopia and tritanopia: a test measures both. The sixth is the grey of "others".
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scheme:
    """One set of colours."""

    paper: str
    title: str
    text: str
    small: str
    rule: str
    ground: str  #: the line that bars stand on
    bars: tuple[str, ...]


LIGHT = Scheme(
    paper="#fbfaf6",
    title="#16212b",
    text="#26323b",
    small="#5f6870",
    rule="#e6e2d8",
    ground="#9aa1a6",
    bars=("#1f4e79", "#ad8719", "#5e8362", "#81463a", "#648ed5", "#8b9198"),
)
DARK = Scheme(
    paper="#14181c",
    title="#f1efe9",
    text="#d7d9da",
    small="#9aa4ac",
    rule="#2b3238",
    ground="#6b747c",
    bars=("#8fbfe8", "#d29940", "#a2ae92", "#ac6733", "#3b70b4", "#737c84"),
)

_FONTS = (
    ".pl text{font:14px -apple-system,'Segoe UI',Roboto,Arial,sans-serif}"
    ".pl .pl-title{font:700 18px Georgia,'Times New Roman',serif}"
    ".pl .pl-head{font:700 22px Georgia,'Times New Roman',serif}"
    ".pl .pl-number{font-variant-numeric:tabular-nums}"
)


def _rules(scheme: Scheme) -> str:
    fills: Mapping[str, str] = {
        "paper": scheme.paper,
        "head": scheme.title,
        "title": scheme.title,
        "text": scheme.text,
        "small": scheme.small,
        **{f"bar{number}": colour for number, colour in enumerate(scheme.bars)},
    }
    strokes = {"rule": scheme.rule, "ground": scheme.ground, "cut": scheme.paper}
    return "".join(
        [f".pl .pl-{name}{{fill:{colour}}}" for name, colour in fills.items()]
        + [f".pl .pl-{name}{{fill:none;stroke:{colour}}}" for name, colour in strokes.items()]
    )


#: The style of every plot. It is always the same text, so that a page's policy may name its hash.
STYLE = (
    f"{_FONTS}{_rules(LIGHT)}.pl-hit{{fill:none;pointer-events:all}}"
    f"@media(prefers-color-scheme:dark){{{_rules(DARK)}}}"
    f".pl:root{{display:block;margin:0 auto;color-scheme:light dark;background:{LIGHT.paper}}}"
    f"@media(prefers-color-scheme:dark){{.pl:root{{background:{DARK.paper}}}}}"
)
