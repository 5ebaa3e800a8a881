"""A paper's page, and the same paper as a citation.

    /papers/{key} → the paper, by its key or any id or link that names it → 301 to its one address, or the page
    /papers/{key}.bib .ris .json → the same as text for a bibliography

Keys may have slashes and dots in them, so an ending is taken off first, and what is left is looked for; then the whole.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fastapi import FastAPI
from starlette.responses import RedirectResponse, Response

from digests import views
from digests.citations.bibtex import bibtex
from digests.citations.keys import citation_key
from digests.citations.people import Person, people
from digests.citations.records import shown as recorded
from digests.citations.ris import ris
from digests.readable import clean, readable
from digests.wording import web_address
from domain.clock import Clock
from domain.errors import UnknownError
from domain.papers import Paper
from storage.archive import Archive
from topics.nearness import NEAR
from web.addresses import paper_path, search_path
from web.papers import telling
from web.papers.asking import Form
from web.papers.showing import shown
from web.papers.similar import Alike, Similar
from web.rendering import Rendering

_LONGEST = 1_000  # characters of a key, or of a link that names a paper
_KEPT = {"Cache-Control": "public, max-age=3600"}


def _json(paper: Paper, journal: str) -> str:
    return json.dumps({**recorded(paper), "journal": journal or None}, indent=1) + "\n"


#: Ending → how a paper is written, and the type of that.
_CITED: Mapping[str, tuple[Callable[[Paper, str], str], str]] = {
    ".bib": (bibtex, "application/x-bibtex; charset=utf-8"),
    ".ris": (ris, "application/x-research-info-systems; charset=utf-8"),
    ".json": (_json, "application/json"),
}


@dataclass(frozen=True, slots=True)
class Linked:
    """A word, and where it leads."""

    label: str
    path: str


class PaperPages:
    """Serves the papers; `labels` is configured source name → what readers call it."""

    def __init__(
        self, *, archive: Archive, similar: Similar, labels: Mapping[str, str], clock: Clock, rendering: Rendering
    ) -> None:
        self._archive = archive
        self._similar = similar
        self._labels = labels
        self._clock = clock
        self._rendering = rendering

    def mount(self, app: FastAPI, root: str) -> None:
        """Add the route to an application."""
        app.add_api_route(f"{root}/papers/{{key:path}}", self.show, methods=["GET", "HEAD"])

    def show(self, key: str) -> Response:
        """Show a paper, or write it down as a citation."""
        paper, ending = self._named(key)
        if paper is None:
            return self._unknown(key)
        if key != paper.key + ending:
            return RedirectResponse(f"{self._rendering.prefix}{paper_path(paper.key)}{ending}", 301, _KEPT)
        journal = self._archive.journals([paper.id]).get(paper.id, "")
        if ending:
            return self._cited(paper, journal, ending)
        return self._page(paper, journal)

    def _named(self, key: str) -> tuple[Paper | None, str]:
        """Return the paper that is meant, and the ending of what is wanted of it."""
        if len(key) > _LONGEST:
            return None, ""
        ending = next((each for each in _CITED if key.endswith(each)), "")
        for ended in dict.fromkeys((ending, "")):
            try:
                return self._archive.paper(key.removesuffix(ended)), ended
            except UnknownError:
                continue
        return None, ""

    def _unknown(self, key: str) -> Response:
        said = clean(key)
        form = Form(q=said if len(said) <= 200 else "")
        return self._rendering.page("archive/unknown.html", 404, form=form, sources=[], orders=[], wrong="")

    def _cited(self, paper: Paper, journal: str, ending: str) -> Response:
        write, media_type = _CITED[ending]
        name = f"{citation_key(paper)}{ending}"
        headers = {
            "Content-Disposition": f'inline; filename="{name}"',
            "X-Robots-Tag": "noindex",
            "Link": f'<{self._address(paper)}>; rel="canonical"',
        }
        return self._rendering.fixed(write(paper, journal), media_type, headers=headers)

    def _address(self, paper: Paper) -> str:
        """Return the paper's one address, absolute where the site has one."""
        site = self._rendering.site
        return f"{site.base_url or site.prefix}{paper_path(paper.key)}"

    def _page(self, paper: Paper, journal: str) -> Response:
        labels = self._labels
        sightings = self._archive.sightings(paper.id)
        kin = self._archive.kin(paper.id)
        similar = self._similar.to(paper, [each.id for each in kin])
        year = self._clock.now().year
        named, more, rest = telling.authors(paper)
        seen, older = telling.places(sightings, labels)
        said = telling.abstract(paper)
        return self._rendering.public(
            "archive/paper.html",
            paper_path(paper.key),
            title=views.title(paper),
            paper=paper,
            here=paper_path(paper.key),
            address=self._address(paper),
            authors=[_author(each) for each in named],
            more_authors=[_author(each) for each in more],
            unnamed=rest,
            categories=[Linked(clean(each), search_path({"category": each})) for each in paper.categories],
            facts=telling.facts(paper),
            abstract=said,
            summaries=telling.summaries(paper, sightings),
            links=_links(paper),
            remarks=telling.remarks(sightings),
            places=seen,
            older=older,
            history=telling.history(self._archive.events(paper.id), labels),
            wordings=telling.wordings(self._archive.wordings(paper.id), labels),
            kin=[shown(each, "", year=year, labels=labels) for each in kin],
            similar=[shown(each.paper, _why(each), year=year, labels=labels) for each in similar],
            bibtex=bibtex(paper, journal).strip(),
            tags=_tags(paper, journal, self._address(paper)),
            description=telling.described(said.text),
        )


def _why(alike: Alike) -> str:
    return f"shares {_quoted(alike.words)}" if alike.words else NEAR.line


def _author(name: str) -> Linked:
    """Return an author, with the search for their papers where the name can stand in one."""
    can_be_asked = '"' not in name and any(map(str.isalpha, name))
    return Linked(name, search_path({"q": f'author:"{name}"'}) if can_be_asked else "")


def _links(paper: Paper) -> list[Linked]:
    named = (
        ("Abstract page", paper.url),
        ("PDF", paper.pdf_url),
        ("Code", paper.code_url),
        ("Project", paper.project_url),
    )
    return [Linked(label, url) for label, raw in named if (url := web_address(raw))]


def _quoted(words: tuple[str, ...]) -> str:
    return ", ".join(f"“{word}”" for word in words)


def _tags(paper: Paper, journal: str, address: str) -> list[tuple[str, str]]:
    """Return the tags from which Zotero's button and Google Scholar read a paper (Highwire's names)."""
    tags = [("citation_title", readable(paper.title))]
    tags += [("citation_author", name) for each in people(paper.authors) if (name := _person(each))]
    if paper.published:
        tags += [("citation_publication_date", telling.slashed(paper.published))]
        tags += [("citation_date", telling.slashed(paper.published))]
    named = (
        ("citation_journal_title", readable(journal)),
        ("citation_doi", paper.ids.doi or ""),
        ("citation_arxiv_id", paper.ids.arxiv or ""),
        ("citation_pdf_url", web_address(paper.pdf_url)),
        ("citation_abstract_html_url", web_address(paper.url) or address),
    )
    return tags + [(name, value) for name, value in named if value]


def _person(person: Person) -> str:
    return readable(", ".join(part for part in (person.last, person.first, person.suffix) if part))
