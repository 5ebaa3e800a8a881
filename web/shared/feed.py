"""A shared topic as an Atom feed (RFC 4287): the same bytes as long as the same papers answer it.

An entry's id is the address of the paper's page, which is permanent; where there is no site, a tag URI (RFC 4151).
Its `updated` is the instant when the paper was stored; the feed's is that of the newest entry, or of the sharing.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from markupsafe import Markup

from digests.readable import clean, readable, shorten
from digests.views import title
from digests.wording import cut, web_address
from domain.papers import AbstractKind, Paper
from web.addresses import paper_path
from web.looked_back import Chosen

_AUTHORS = 30  # named of a paper
_LONGEST = 300  # characters of a name
_SUMMARY = 2000  # characters
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what no XML document may hold

_IN_ADDRESSES = "-._~:/?#[]@!$&'()*+,;=%"  # what an address holds as it is; letters that are not ASCII are encoded

_HEAD = Markup(
    '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">\n'
    "<id>{id}</id>\n<title>{title}</title>\n<subtitle>{subtitle}</subtitle>\n<updated>{updated}</updated>\n"
    '<author><name>{maker}</name></author>\n<link rel="self" type="application/atom+xml" href="{own}"/>\n'
    '<link rel="alternate" type="text/html" href="{page}"/>\n'
)
_ENTRY = Markup(
    "<entry>\n<id>{id}</id>\n<title>{title}</title>\n<updated>{updated}</updated>\n{authors}"
    '<link rel="alternate" type="text/html" href="{page}"/>\n{rest}</entry>\n'
)


@dataclass(frozen=True, slots=True)
class Feed:
    """What a feed says of itself."""

    path: str  #: of the topic's page, below the site's root
    name: str
    query: str
    since: datetime  #: when it was shared
    root: str  #: the site's address, or where nobody named one the prefix of its paths
    maker: str


def feed(about: Feed, papers: Sequence[Chosen]) -> str:
    """Return the feed's text; the papers are in its order."""
    head = _filled(
        _HEAD,
        id=_permanent(about, about.path),
        title=about.name,
        subtitle=f"New research papers that answer: {about.query}",
        updated=_instant(max([about.since, *(each.paper.first_seen for each in papers)])),
        maker=about.maker,
        own=f"{about.root}{about.path}.atom",
        page=f"{about.root}{about.path}",
    )
    return _joined([head, *(_entry(about, each) for each in papers), Markup("</feed>\n")])


def _entry(about: Feed, chosen: Chosen) -> Markup:
    paper = chosen.paper
    path = paper_path(paper.key)
    return _filled(
        _ENTRY,
        id=_permanent(about, path),
        title=title(paper),
        updated=_instant(paper.first_seen),
        authors=_joined(_authors(paper)),
        page=f"{about.root}{path}",
        rest=_joined(_rest(chosen)),
    )


def _authors(paper: Paper) -> Iterator[Markup]:
    names = [name for each in paper.authors[:_AUTHORS] if (name := cut(readable(each), _LONGEST))]
    for name in names or [cut(clean(paper.organization), _LONGEST) or "Authors not known"]:
        yield _filled(Markup("<author><name>{name}</name></author>\n"), name=name)


def _rest(chosen: Chosen) -> Iterator[Markup]:
    """Yield what not every paper has: where it was published, its subjects, its abstract, and why it is here."""
    paper = chosen.paper
    if address := web_address(paper.url):
        yield _filled(Markup('<link rel="related" href="{address}"/>\n'), address=quote(address, safe=_IN_ADDRESSES))
    for name in dict.fromkeys(term for each in paper.categories if (term := clean(each))):
        yield _filled(Markup('<category term="{name}"/>\n'), name=cut(name, _LONGEST))
    abstract = "" if paper.abstract_kind is AbstractKind.NONE else shorten(readable(paper.abstract), _SUMMARY)
    why = f"Why: {clean(chosen.why.line)}" if chosen.why.line else ""
    if told := "\n\n".join(filter(None, [abstract, why])):
        yield _filled(Markup("<summary>{told}</summary>\n"), told=told)


def _permanent(about: Feed, path: str) -> str:
    return f"{about.root}{path}" if "://" in about.root else f"tag:localhost,2026:{path}"


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _filled(form: Markup, **values: str) -> Markup:
    """Return a form with its values escaped, without what no XML document may hold; Markup is taken as it is."""
    fit = {name: each if isinstance(each, Markup) else _NO_XML.sub("", each) for name, each in values.items()}
    return form.format(**fit)


def _joined(pieces: Iterable[Markup]) -> Markup:
    return Markup().join(pieces)
