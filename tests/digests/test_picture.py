"""The letter as a browser lays it out: no sideways scroll on any phone, whatever a title holds."""

import html
import json
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from digests.compose import Limits, compose
from digests.mail.joining import part
from digests.render import Frame, Renderer
from domain.issues import Candidate, QuietNote, Reason, Slot, SourceCheck, TopicWish
from domain.papers import FetchStatus
from domain.topics import Why
from domain.troubles import Trouble

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
    "--virtual-time-budget=5000",
    "--dump-dom",
)
WIDTHS = (320, 360, 720)
LINKS = {
    name: f"https://digests.example.org/{name}/{'k' * 40}"
    for name in ("unsubscribe", "preferences", "feedback", "issue")
}

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not here")


def measured(page: str, folder: Path) -> dict[int, list[int]]:
    """Lay a page out in frames of each width; return [scroll width, heading sizes…] by width."""
    source = html.escape(page)
    frames = "".join(
        f'<iframe width="{width}" height="600" style="border:0" srcdoc="{source}"></iframe>' for width in WIDTHS
    )
    script = """<script>onload = () => { document.title = JSON.stringify([...document.querySelectorAll("iframe")].map(
        f => [f.width, f.contentDocument.documentElement.scrollWidth, f.contentDocument.querySelectorAll("h1").length]
        )) }
    </script>"""
    file = folder / "frames.html"
    file.write_text(f"<!doctype html><title></title>{frames}{script}", encoding="utf-8")
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={folder / 'profile'}", file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
    found = json.loads(html.unescape(re.search(r"<title>(.*?)</title>", done.stdout)[1]))
    return {int(width): rest for width, *rest in found}


def letter(make_paper, *, linked: bool) -> str:
    papers = [
        make_paper(1, title="W" * 200),
        make_paper(
            2,
            title="Loss < 1: a & b <script>alert(1)</script> \u202egnp.exe",
            abstract="https://x.example/" + "y" * 900,
        ),
        make_paper(3, authors=tuple(f"{'Långtnamn' * 9} {n}" for n in range(9)), author_count=3_300, upvotes=10**9),
        make_paper(4, abstract="", title=r"$\sum_{i=1}^{n}\frac{\partial^2 f}{\partial x_i^2}$ " * 5),
    ]
    digest = compose(
        slot=Slot("2026-11-20", "UTC", date(2026, 11, 20)),
        first=False,
        wishes=[TopicWish(1, "topic" * 40)],
        candidates=[Candidate(1, paper, 1.0) for paper in papers],
        sent=(),
        limits=Limits(papers=3, per_topic=3),
        checks=[SourceCheck("s" * 90, "Label" * 30, date(2026, 11, 20), FetchStatus.BLOCKED, 0, 0, "x" * 300)],
        new=4,
        confirmed_at=None,
        welcome_days=7,
        explain=lambda *_: Why(
            "word “gradients”, in title and abstract", title=("Gradients",), abstract=("gradients",)
        ),
    )
    made = Renderer(Frame(linked=linked, postal_address="A" * 200)).digest(digest, shared=False)
    return part(made.fragments, "html", personal=True, slots=LINKS)


def test_a_letter_with_everything_does_not_scroll_sideways_and_has_one_outline(busy, tmp_path):
    name = "Robustness" * 40
    entry = busy.sections[0].entries[0]
    entry = replace(entry, also=(Reason(name, Why("phrase “" + "y" * 400 + "”, in title")),) * 8)
    busy = replace(busy, sections=(replace(busy.sections[0], entries=(entry,)), *busy.sections[1:]))
    page = part(Renderer(Frame()).digest(busy, shared=False).fragments, "html", personal=True, slots={})
    for width, (scroll, headings) in measured(page, tmp_path).items():
        assert scroll <= width
        assert headings == 1
    assert (page.count("<h2"), page.count("<h3")) == (6, 10)


@pytest.mark.parametrize("linked", [False, True])
def test_no_letter_scrolls_sideways(make_paper, tmp_path, linked):
    for width, (scroll, headings) in measured(letter(make_paper, linked=linked), tmp_path).items():
        assert scroll <= width
        assert headings == 1


@pytest.mark.parametrize("kind", ["quiet", "alert", "goodbye"])
def test_no_short_letter_scrolls_sideways(sample, tmp_path, kind):
    now = datetime(2026, 11, 20, 6, tzinfo=UTC)
    renderer = Renderer(Frame(title="Papers" * 20, postal_address="A" * 200))
    made = {
        "quiet": lambda: renderer.quiet(
            QuietNote(sample.slot, sample.slot.day, ("topic" * 40, "W" * 300), sample.receipt, None), shared=False
        ),
        "alert": lambda: renderer.alert([Trouble("source:" + "s" * 300, now, now, "w" * 900)], now),
        "goodbye": lambda: renderer.goodbye(fresh=True),
    }[kind]()
    page = part(made.fragments, "html", personal=True, slots=LINKS)
    for width, (scroll, headings) in measured(page, tmp_path).items():
        assert scroll <= width
        assert headings == 1


def test_a_letter_without_its_styles_is_still_a_letter(make_paper, tmp_path):
    bare = re.sub(r'\sstyle="[^"]*"|<style>.*?</style>', "", letter(make_paper, linked=True), flags=re.DOTALL)
    assert measured(bare, tmp_path)[720][1] == 1
    assert bare.count("<h3") == 3


def test_a_page_that_is_too_wide_is_found_out(tmp_path):
    found = measured('<h1 style="width:400px">wide</h1>', tmp_path)
    assert found[320][0] >= 400
    assert found[720][0] == 720
