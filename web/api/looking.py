"""Topics for programs: those that are shared, and what any query would have brought."""

from digests.citations.records import shown
from domain.errors import UnknownError
from topics.hints import hints
from topics.query import parse
from web.api.answers import Exclusion, PreviewAnswer, PreviewPaper, Term, TopicAnswer, TopicList, TopicName, TopicPaper
from web.looked_back import LookBack
from web.shared.lookback import newest
from web.shared.pages import Shared, operators, shared_topic


def listed(shared: Shared) -> TopicList:
    """Return what the operator shares."""
    return TopicList(
        topics=[TopicName(id=each.public_id, name=each.name, query=each.query) for each in operators(shared)]
    )


def topic(shared: Shared, look_back: LookBack, public_id: str, days: int, limit: int) -> TopicAnswer:
    """Return a shared topic with its last days; raises UnknownError."""
    found = shared_topic(shared, public_id)
    if found is None:
        raise UnknownError("There is no such topic here; its owner may have stopped sharing it")
    told, query = found
    looked = newest(look_back, query, days, limit)
    counted = {} if looked is None else looked.by_day
    return TopicAnswer(
        id=told.public_id,
        name=told.name,
        query=told.query,
        days=days,
        newest=None if looked is None else looked.last.isoformat(),
        total=0 if looked is None else looked.total,
        per_day={day.isoformat(): papers for day, papers in counted.items()},
        papers=[]
        if looked is None
        else [TopicPaper(**shown(each.paper), why=[each.why.line]) for each in looked.papers],
    )


def preview(look_back: LookBack, text: str, days: int, limit: int) -> PreviewAnswer:
    """Return what a query would have brought, as `topics preview --json` does; raises QueryError."""
    query = parse(text)
    found = look_back(query, days, limit)
    return PreviewAnswer(
        query=text,
        days=days,
        newest=found.newest.isoformat() if found.newest else None,
        total=found.total,
        exact=found.exact,
        related=found.related,
        notes=list(hints(text)),
        per_day={day.isoformat(): papers for day, papers in found.per_day.items()},
        excluded=[Exclusion(term=each.term, fewer=each.fewer) for each in found.excluded],
        terms=[Term(term=each.word, papers=each.papers) for each in found.terms],
        papers=[
            PreviewPaper(
                key=each.paper.key,
                title=each.paper.title,
                listed=each.paper.listed.isoformat(),
                score=round(each.score, 4),
                tier=int(each.tier),
                why=[each.why.line],
            )
            for each in found.papers
        ],
    )
