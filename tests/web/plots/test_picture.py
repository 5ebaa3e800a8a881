"""The figure as a browser lays it out: in one column or two, no text on another, nothing cut off, in either scheme."""

import html
import json
import re
import shutil
import subprocess
from datetime import date

import pytest

from web.plots.colours import DARK, LIGHT
from web.plots.drawing import figure
from web.plots.values import Panel, Series, ranked

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--allow-file-access-from-files",  # so that the page around may measure the picture inside
    "--virtual-time-budget=5000",
    "--dump-dom",
)
FIRST = date(2026, 10, 22)
MEASURE = """<script>
    const measured = frame => {
        const root = frame.contentDocument.documentElement;
        const texts = [...root.querySelectorAll("text")].map(text => {
            const box = text.getBoundingClientRect(), inner = text.ownerSVGElement;
            const edge = inner === root ? box.right : inner.getBoundingClientRect().right;
            return [text.textContent, box.left, box.top, Math.min(box.right, edge), box.bottom];
        });
        return {
            frame: Number(frame.width), scroll: root.scrollWidth, texts,
            width: root.getBoundingClientRect().width, height: root.getBoundingClientRect().height,
            paper: getComputedStyle(root).backgroundColor, ink: getComputedStyle(root.querySelector(".pl-title")).fill,
        };
    };
    onload = () => {
        document.title = JSON.stringify([...document.querySelectorAll("iframe")].map(measured));
    };
</script>"""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not here")


def drawn() -> str:
    def many(*series: tuple[int, ...]) -> tuple[Series, ...]:
        return ranked([(f"source-{number}", values) for number, values in enumerate(series)])

    names = ("</svg><script>", "W" * 200, "ארכיון המאמרים", "論文の新着リスト" * 9, "\ufdfd" * 90, "Z" + "\u0351" * 90)
    kinds = {
        "Papers listed": many(*(tuple(n * m % 17 for n in range(30)) for m in range(1, 16))),
        "A flood": many(tuple(100_000 + n if n in (0, 4, 5, 29) else n % 9 for n in range(30))),
        "Many days": many((1,) * 1826),
        "Nothing": (),
        "Names " * 20: ranked([(name, (1_234_567, 9)) for name in names]),
    }
    panels = [Panel(title, "by source and its own listing day", FIRST, series) for title, series in kinds.items()]
    return figure("The archive over time", "22 October to 20 November 2026; the figures at the right are sums", panels)


def seen(folder, *, light: bool) -> list[dict]:
    (folder / "figure.svg").write_text(drawn(), encoding="utf-8")
    frames = "".join(f'<iframe width="{width}" height="700" src="figure.svg"></iframe>' for width in (320, 360, 720))
    page = folder / "frames.html"
    scheme = '<meta name="color-scheme" content="light dark">'
    page.write_text(f"<!doctype html>{scheme}<title></title>{frames}{MEASURE}", encoding="utf-8")
    wish = f"--blink-settings=preferredColorScheme={int(light)}"
    command = [CHROMIUM, *FLAGS, wish, f"--user-data-dir={folder / 'profile'}", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
    return json.loads(html.unescape(re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL)[1]))


def rgb(colour: str) -> str:
    return f"rgb({', '.join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))})"


@pytest.mark.parametrize(("light", "scheme"), [(True, LIGHT), (False, DARK)], ids=["light", "dark"])
def test_a_figure_fits_phones_and_screens_in_both_schemes(tmp_path, light, scheme):
    found = seen(tmp_path, light=light)
    assert [(each["frame"], each["width"]) for each in found] == [(320, 320), (360, 320), (720, 640)]
    for each in found:
        assert each["scroll"] <= each["frame"]
        assert (each["paper"], each["ink"]) == (rgb(scheme.paper), rgb(scheme.title))
        texts = each["texts"]
        assert max(bottom for *_, bottom in texts) <= each["height"]
        assert overlaps(texts) == []


def overlaps(texts: list[list]) -> list[tuple[str, str]]:
    """Return the pairs of texts of which one covers more of the other than the slack of a line."""
    return [
        (one[0], other[0])
        for number, one in enumerate(texts)
        for other in texts[:number]
        if min(one[3], other[3]) - max(one[1], other[1]) > 0.5 and min(one[4], other[4]) - max(one[2], other[2]) > 3
    ]


def test_texts_that_cover_each_other_are_found_out():
    assert overlaps([["a", 0, 0, 10, 16], ["b", 5, 4, 15, 20]]) == [("b", "a")]
    assert overlaps([["a", 0, 0, 10, 16], ["b", 11, 0, 15, 16], ["c", 0, 16, 10, 32]]) == []
