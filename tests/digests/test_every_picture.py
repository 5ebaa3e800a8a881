"""Every kind of letter as a browser shows it: narrow and wide, dark and light, without images and without styles.

The letters are the golden ones, so a new kind is looked at as soon as it has its file.
"""

import email
import email.policy
import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from digests.plain_page import page_of_text

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
LETTERS = sorted((Path(__file__).parent / "golden").glob("*.eml"))
GOLDEN = [file for file in LETTERS if not file.stem.startswith("text-only")]  # a letter that has no page is below
WIDTHS = (320, 360, 720)
LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=20000",
    "--dump-dom",
)
# Of each frame: its letter, width and kind, how wide it lays out, its headings, its words and the worst contrast.
SCRIPT = """<script>
const numbers = colour => colour.match(/[\\d.]+/g).map(Number)
const part = value => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
const light = ([red, green, blue]) => 0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue)
function behind(window, element) {
  for (let each = element; each; each = each.parentElement) {
    const colour = numbers(window.getComputedStyle(each).backgroundColor)
    if (colour.length < 4 || colour[3] === 1) return colour
  }
  return window.matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255]
}
function worst(window) {
  const found = [21, ""]
  const walk = window.document.createTreeWalker(window.document.body, NodeFilter.SHOW_TEXT)
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement
    if (!walk.currentNode.data.trim() || !element.getClientRects().length) continue
    const text = light(numbers(window.getComputedStyle(element).color)), ground = light(behind(window, element))
    const contrast = (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05)
    if (contrast < found[0]) found.splice(0, 2, contrast, walk.currentNode.data.trim().slice(0, 60))
  }
  return found
}
onload = () => {
  document.title = JSON.stringify([...document.querySelectorAll("iframe")].map(frame => {
    const page = frame.contentDocument
    return {
      letter: frame.dataset.letter,
      kind: frame.dataset.kind,
      width: Number(frame.width),
      scroll: page.documentElement.scrollWidth,
      h1: page.querySelectorAll("h1").length,
      shown: page.querySelector("h1")?.getClientRects().length ?? 0,
      links: page.querySelectorAll("a[href]").length,
      dark: frame.contentWindow.matchMedia("(prefers-color-scheme: dark)").matches,
      ground: String(behind(frame.contentWindow, page.body)),
      worst: worst(frame.contentWindow),
    }
  }))
}
</script>"""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not here")


def page_of(file: Path) -> str:
    letter = email.message_from_bytes(file.read_bytes().replace(b"\n", b"\r\n"), policy=email.policy.default)
    return letter.get_body(("html",)).get_content()


def page_of_text_alone(file: Path) -> str:
    letter = email.message_from_bytes(file.read_bytes().replace(b"\n", b"\r\n"), policy=email.policy.default)
    return page_of_text(letter["Subject"], letter.get_content().replace("\r\n", "\n"))


def bare(page: str) -> str:
    """Return a page as a mailbox shows it that strips all styles."""
    return re.sub(
        r"<style.*?</style>|\s(?:style|bgcolor|class|width|height|align)=\"[^\"]*\"", "", page, flags=re.DOTALL
    )


def looked_at(folder: Path, scheme: str, pages: dict[tuple[str, str], str]) -> list[dict]:
    """Lay pages out at every width, as somebody sees them who prefers that scheme; they are named (letter, kind)."""
    frames = "".join(
        f'<iframe data-letter="{letter}" data-kind="{kind}" width="{width}" height="600" style="border:0" '
        f'srcdoc="{html.escape(page)}"></iframe>'
        for (letter, kind), page in pages.items()
        for width in WIDTHS
    )
    file = folder / f"{scheme}.html"
    file.write_text(
        f'<!doctype html><meta name="color-scheme" content="light dark"><title></title>{frames}{SCRIPT}', "utf-8"
    )
    preferred = {"dark": 0, "light": 1}[scheme]
    command = [
        CHROMIUM,
        *FLAGS,
        f"--blink-settings=preferredColorScheme={preferred},imagesEnabled=false",
        f"--user-data-dir={folder / scheme}",
        file.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return json.loads(html.unescape(re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL)[1]))


@pytest.fixture(scope="module", params=["light", "dark"])
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    whole = {(file.stem, "whole"): page_of(file) for file in GOLDEN}
    pages = whole | {(name, "bare"): bare(page) for (name, _), page in whole.items()}
    # What was sent as text is a page of the site alone, which no mailbox strips.
    texts = {(file.stem, "whole"): page_of_text_alone(file) for file in LETTERS if file not in GOLDEN}
    found = looked_at(tmp_path_factory.mktemp("pictures"), request.param, pages | texts)
    assert len(found) == (len(GOLDEN) * 2 + len(texts)) * len(WIDTHS) > len(texts) * len(WIDTHS) > 0
    assert {each["dark"] for each in found} == {request.param == "dark"}
    return found


def test_a_letter_that_is_too_wide_or_cannot_be_read_is_found_out(tmp_path):
    pages = {
        ("wide", "whole"): '<h1 style="width:400px">wide</h1>',
        ("faint", "whole"): '<body style="background:#fff"><h1>black</h1><p style="color:#999">faint</p>',
    }
    found = {(each["letter"], each["width"]): each for each in looked_at(tmp_path, "light", pages)}
    assert found["wide", 320]["scroll"] >= 400
    assert found["wide", 720]["scroll"] == 720
    contrast, words = found["faint", 360]["worst"]
    assert (round(contrast, 2), words) == (2.85, "faint")


def test_no_letter_scrolls_sideways_at_any_width_with_its_styles_or_without(seen):
    assert [each for each in seen if each["scroll"] > each["width"]] == []


def test_every_letter_has_one_heading_that_is_seen_and_links_that_can_be_followed(seen):
    assert [each for each in seen if (each["h1"], each["shown"]) != (1, 1)] == []
    # A letter to a personal installation may have no link; styles are no reason to lose one.
    links = {(each["letter"], each["kind"]): each["links"] for each in seen}
    bare_links = {name: count for (name, kind), count in links.items() if kind == "bare"}
    assert {name: links[name, "whole"] for name in bare_links} == bare_links
    assert set(bare_links) == {file.stem for file in GOLDEN}


def test_every_word_can_be_read_before_what_stands_behind_it(seen):
    whole = [each for each in seen if each["kind"] == "whole"]
    assert [each for each in whole if each["worst"][0] < LEAST_CONTRAST] == []
    assert all(each["worst"][0] < 21 for each in whole)  # something was looked at, and no pair is pure


def test_a_letter_is_dark_where_its_reader_prefers_that(seen):
    is_dark = seen[0]["dark"]
    grounds = {tuple(map(float, each["ground"].split(",")))[:3] for each in seen if each["kind"] == "whole"}
    assert {sum(ground) < 3 * 128 for ground in grounds} == {is_dark}


def test_no_letter_needs_an_image():
    pages = {file.stem: page_of(file) for file in GOLDEN}
    assert [name for name, page in pages.items() if re.search(r"<img|background=|url\(", page)] == []


def test_a_letter_without_styles_says_the_same_in_the_same_order():
    def words(page: str) -> list[str]:
        body = re.sub(r"<style.*?</style>|<title>.*?</title>|<[^>]*>", " ", page, flags=re.DOTALL)
        return html.unescape(body).split()

    for file in GOLDEN:
        assert words(page_of(file)) == words(bare(page_of(file))) != []
