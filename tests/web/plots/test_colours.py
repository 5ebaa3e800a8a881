"""Both schemes, measured: text against its paper, and bars against each other as people of all kinds of sight see them.

The matrices are those of Machado, Oliveira and Fernandes (2009) for full protanopia, deuteranopia and tritanopia, in
linear sRGB; distances are in OKLab, where two colours side by side are told apart from about 0.02 on.
"""

import itertools
import math
import re

import pytest

from web.plots.colours import DARK, LIGHT, STYLE

SIGHT = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}


def linear(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]


def contrast(one, other):
    light, dark = sorted(
        (
            sum(w * part for w, part in zip((0.2126, 0.7152, 0.0722), linear(each), strict=True))
            for each in (one, other)
        ),
        reverse=True,
    )
    return (light + 0.05) / (dark + 0.05)


def oklab(colour, sight):
    red, green, blue = (
        max(sum(w * part for w, part in zip(row, linear(colour), strict=True)), 0) for row in SIGHT[sight]
    )
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.793617785 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.428592205 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.808675766 * short,
    )


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_can_be_read_on_its_paper(scheme):
    assert min(contrast(each, scheme.paper) for each in (scheme.title, scheme.text, scheme.small)) >= 4.5
    assert min(contrast(each, scheme.paper) for each in scheme.bars) >= 3


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("sight", SIGHT)
def test_any_two_bars_are_told_apart_whatever_the_sight(scheme, sight):
    pairs = itertools.combinations([oklab(each, sight) for each in scheme.bars], 2)
    assert min(math.dist(one, other) for one, other in pairs) >= 0.08


def test_the_style_has_both_schemes_and_asks_the_reader_which():
    light, dark = STYLE.split("@media(prefers-color-scheme:dark)", 1)
    for scheme, style in ((LIGHT, light), (DARK, dark)):
        for colour in (scheme.title, scheme.text, scheme.small, scheme.rule, scheme.ground, *scheme.bars):
            assert colour in style
    assert not re.search(r"url|@import|<", STYLE)
