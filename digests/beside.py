"""The words of what stands in a letter beside its topics; no markup, no I/O."""

from collections.abc import Mapping, Sequence

from digests.wording import counted
from domain.issues import Aside, AsideKind

_HEADINGS: Mapping[AsideKind, tuple[str, str]] = {
    AsideKind.LIKE_SAVED: (
        "Like papers you saved",
        "New papers with the words of those that you saved, whatever your topics.",
    ),
    AsideKind.LATE_RISERS: (
        "Late risers",
        "Papers of your topics that were in none of your letters and have gathered votes since.",
    ),
    AsideKind.TRENDING: ("Trending", "The most upvotes for their age, whatever your topics."),
    AsideKind.SENT_NEWS: ("News of papers you were sent", "What became of them since; each is told once."),
}


#: Over the titles of a topic.
ALSO = "Also, by title:"
UNWANTED = "By title alone, for they are like what you want less of:"


def heading(kind: AsideKind) -> tuple[str, str]:
    """Return an aside's heading, and the sentence that says what it is."""
    return _HEADINGS[kind]


def apart(*, related: int, asides: Sequence[Aside]) -> str:
    """Return "Counted apart: 2 related, 1 late riser.", what a letter holds beside the matches; "" for nothing."""
    counts = [f"{related:,} related"] if related else []
    counts += [_counted(each.kind, len(each.entries)) for each in asides]
    return f"Counted apart: {', '.join(counts)}." if counts else ""


def untold(papers: int) -> str:
    """Return the sentence on news that had no room; each paper's own page tells it."""
    return f"And of {counted(papers, 'more paper')}, on their own pages."


def set_aside(papers: int) -> str:
    """Return the sentence on matches that are like what the reader wants less of; "" for none."""
    if not papers:
        return ""
    verb = "is" if papers == 1 else "are"
    return f"{counted(papers, 'match', 'matches')} {verb} named by title alone: like what you want less of."


def _counted(kind: AsideKind, number: int) -> str:
    match kind:
        case AsideKind.LIKE_SAVED:
            return f"{number:,} like what you saved"
        case AsideKind.LATE_RISERS:
            return counted(number, "late riser")
        case AsideKind.TRENDING:
            return f"{number:,} trending"
        case AsideKind.SENT_NEWS:
            return f"news of {counted(number, 'paper')} you were sent"
