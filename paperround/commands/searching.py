"""papers search: find papers by words, filters, or both, a page at a time."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from digests.wording import counted
from domain.errors import UsageError
from paperround.commands.context import QUERY_COMMAND, Json, day_from, opened, report
from paperround.console import marked, plain
from storage.paging import Order, cursor_from

if TYPE_CHECKING:
    from domain.papers import Paper
    from topics.passages import Marked
    from topics.snippets import Snippet

_EVERYTHING = 2**31 - 1
_A_PAGE = 20


def attach(papers: typer.Typer) -> None:
    """Add this command to those of papers."""
    papers.command("search", context_settings=QUERY_COMMAND)(search)


def search(
    context: typer.Context,
    query: Annotated[
        str | None, typer.Argument(help="A query in the topic language; may be left out where a filter is given.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Only papers sighted on this source.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="DAY", help="Only papers sighted, on that source, from this listing day on.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="DAY", help="And up to this one.")] = None,
    category: Annotated[
        str | None, typer.Option(help="Only papers of this category, such as cs.LG, or cs for all of it.")
    ] = None,
    votes: Annotated[
        int | None, typer.Option(min=0, max=_EVERYTHING, help="Only papers with at least so many upvotes.")
    ] = None,
    sort: Annotated[
        Order | None, typer.Option(help="Default relevance; without a query first-seen.", show_choices=True)
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, max=_EVERYTHING, help="Show at most so many; default 20, in JSON all.")
    ] = None,
    after: Annotated[
        str | None, typer.Option(metavar="CURSOR", help="Go on where a page ended: its `next`, with the same order.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Find papers by the words of their title, abstract, authors and categories, best first."""
    from storage.filters import Filters
    from storage.search import order_of
    from topics.explain import Explainer
    from topics.query import parse
    from topics.snippets import snippet

    told = report(context, as_json)
    first = None if since is None else day_from(since, "--since")
    last = None if until is None else day_from(until, "--until")
    if first and last and first > last:
        raise UsageError(f"--since {first} comes after --until {last}")
    filters = Filters(source=source, since=first, until=last, category=category, votes=votes)
    parsed = None if query is None else parse(query)
    if parsed is None and filters == Filters() and sort is None:
        raise UsageError("papers search wants a query, a filter such as --since 2026-11-20, or a --sort to browse by")
    if parsed is None and sort is Order.RELEVANCE:
        raise UsageError("--sort relevance wants a query: without one nothing is more relevant than anything else")
    order = order_of(parsed, sort)
    place = None if after is None else cursor_from(after, order)
    with opened(context) as house:
        wanted = limit or (_EVERYTHING if told.is_json else _A_PAGE)
        found = house.search.search(parsed, wanted, filters=filters, order=order, after=place)
        unknown = () if found.total else house.search.unknown(filters)
    for name in unknown:
        told.note(f"no paper in the archive is of the {name} {getattr(filters, name)!r}")
    with Explainer() as explainer:
        papers = [(paper, snippet(explainer, parsed, paper)) for paper in found.papers]
    result = {
        "total": found.total,
        "order": order.value,
        "next": None if found.next is None else str(found.next),
        "papers": [_with(paper, cut) for paper, cut in papers],
    }

    def lines() -> Iterable[str | Text]:
        what = f" matching {plain(parsed.normal_form)}" if parsed else ""
        yield f"{counted(found.total, 'paper')}{what}, by {order.value.replace('-', ' ')}"
        for paper, cut in papers:
            yield Text.assemble((paper.key, "dim"), f"  {paper.listed}  ", _drawn(cut.title))
            if cut.abstract.text:
                yield Text("    ").append_text(_drawn(cut.abstract))
        if found.next is not None:
            yield f"go on with --after {found.next}"

    told.show(result, lines)


def _drawn(text: "Marked") -> Text:
    return marked(text.text, text.marks)


def _with(paper: "Paper", cut: "Snippet") -> dict[str, Any]:
    """Return a paper's JSON object with what was found in it; places count characters, the end is beyond the last."""
    from digests.citations.records import shown

    return shown(paper) | {
        "snippet": {"text": cut.abstract.text, "marks": [list(span) for span in cut.abstract.marks]},
        "title_marks": [list(span) for span in cut.title.marks],
    }
