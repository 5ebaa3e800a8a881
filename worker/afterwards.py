"""News of papers that a reader was sent, in the reader's words; pure.

what became of each → one sentence a paper, the gravest first → (digests/compose.py) a small section of the letter
"""

from collections.abc import Mapping, Sequence

from digests.compose import Happening
from digests.readable import clean, readable
from digests.wording import cut, long_date
from domain.papers import Paper
from storage.afterwards import Became

_LONGEST = 120  # characters of a journal's name

#: Kind of event → how it is told, the gravest first; "{}" is the note.
_TOLD: Mapping[str, str] = {
    "withdrawn": "withdrawn",
    "returned": "no longer withdrawn",
    "journal": "published: {}",
    "code": "its code is out",
    "version": "a new version ({})",
}
_GRAVITY = {kind: place for place, kind in enumerate(_TOLD)}


def happenings(became: Sequence[Became], papers: Mapping[int, Paper], *, year: int) -> list[Happening]:
    """Return the news of each paper, the gravest first, of equals the newest; `year` is the one that dates leave out.

    Of several of a kind, such as two versions since the last letter, the newest is told. A paper that is none of
    `papers` was joined with another since.
    """
    newest: dict[int, dict[str, Became]] = {}
    for each in became:  # in order, so that the newest stays
        kinds = newest.setdefault(each.paper_id, {})
        kinds.pop(each.kind, None)  # the newest stands last
        kinds[each.kind] = each
    for kinds in newest.values():
        _settle(kinds)
    ranked = sorted(
        (
            (paper_id, sorted(kinds.values(), key=lambda each: _GRAVITY[each.kind]))
            for paper_id, kinds in newest.items()
        ),
        key=lambda each: (_GRAVITY[each[1][0].kind], -max(one.day.toordinal() for one in each[1]), each[0]),
    )
    return [
        Happening(papers[paper_id], "; ".join(_sentence(each, year) for each in told))
        for paper_id, told in ranked
        if paper_id in papers
    ]


def _settle(kinds: dict[str, Became]) -> None:
    """Of a withdrawal and its taking back the later is true, and alone told."""
    if "withdrawn" in kinds and "returned" in kinds:
        order = list(kinds)
        del kinds[min(("withdrawn", "returned"), key=order.index)]


def _sentence(became: Became, year: int) -> str:
    words = _TOLD[became.kind].format(cut(readable(clean(became.note)), _LONGEST))
    return f"{words}, {long_date(became.day, year=year)}"
