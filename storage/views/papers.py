"""The views of papers: what they are, who said so, where they stood."""

# ruff: noqa: S608 every word in these statements is ours

from storage.views.view import INTEGER, Column, Speech, View, yes

_PAPER = Column("paper_id", "p.id", "the paper, as in `papers`", INTEGER)


def of_papers(say: Speech) -> tuple[View, ...]:
    """Return the views, in the order in which they are read."""
    return (_papers(say), *_parts(say), _sightings(say), _wordings(), _events(say), _duplicates())


def _id(scheme: str) -> str:
    """Return SQL for the id of a scheme that is shown."""
    # As a sum of cases: with the scheme as a condition SQLite walks through all ids of that scheme for each paper.
    shown = f"max(CASE WHEN i.scheme = '{scheme}' AND i.place = 0 THEN i.value END)"
    return f"(SELECT {shown} FROM paper_identifier i WHERE i.paper_id = p.id)"


def _papers(say: Speech) -> View:
    return View(
        "papers",
        "Every paper, once.",
        (
            Column("id", "p.id", "a number, rising in the order of storing", INTEGER),
            Column("title", "p.title", "as the best source gives it, with its TeX"),
            Column("authors", say.joined("p.authors"), "joined by “; ”; may be empty although the count is known"),
            Column("listed", "p.listed", "the latest listing day, in its source's zone"),
            Column("source", f"coalesce({say.part('p.sources', 0)}, '')", "the source that had it first"),
            Column("category", f"coalesce({say.part('p.categories', 0)}, '')", "the first of its categories"),
            Column("upvotes", "p.upvotes", "the newest figure; empty where no source counts votes", INTEGER),
            Column("abstract", "p.abstract", "empty where no source gives one"),
            Column("abstract_kind", "p.abstract_kind", "abstract, summary (not the authors' words) or none"),
            Column("author_count", "p.author_count", "0 where no source says", INTEGER),
            Column("categories", say.joined("p.categories"), "joined by “; ”"),
            Column("sources", say.joined("p.sources"), "joined by “; ”, in the order of the first sighting"),
            Column("comments", "p.comments", "how many; the newest figure", INTEGER),
            Column("published", "p.published", "the day of the first version, where known"),
            Column("first_listed", "p.first_listed", "the first listing day"),
            Column("first_seen", say.moment("p.first_seen"), "when it was stored, UTC"),
            Column("version", "p.version", "the newest that a listing named", INTEGER),
            Column("withdrawn", yes("p.withdrawn"), "yes or no"),
            Column("backlog", yes("p.backlog"), "yes: it came with a source's past and was news to nobody"),
            Column("key", "p.key", "its name here: arxiv:…, doi:…, openreview:… or title:…"),
            Column("arxiv_id", _id("arxiv"), "without version"),
            Column("doi", _id("doi"), "in lower case"),
            Column("openreview_id", _id("openreview"), "the forum's id"),
            Column("organization", "p.organization", "as a source names it"),
            Column("words_of", _words_of(say), "the source whose title is shown; empty for the first one's"),
            Column("url", "p.url", "its page"),
            Column("pdf_url", "p.pdf_url", "its PDF"),
            Column("code_url", "p.code_url", "its code"),
            Column("project_url", "p.project_url", "its own site"),
        ),
        "FROM paper p",
        key=("id",),
        facets=("source", "category", "listed"),
        order="id",
    )


def _words_of(say: Speech) -> str:
    return f"coalesce({say.part('p.said_by', 'title', 0)}, {say.part('p.said_by', 'all', 0)}, '')"


def _parts(say: Speech) -> tuple[View, ...]:
    return (
        View(
            "paper_authors",
            "The authors, one a row.",
            (
                _PAPER,
                Column("place", say.place, "from 1", INTEGER),
                Column("author", "each.value", "first name first, as the source writes it"),
            ),
            f"FROM paper p CROSS JOIN {say.each('p.authors')}",
            key=("paper_id", "place"),
            facets=("author",),
        ),
        View(
            "paper_categories",
            "The categories, one a row.",
            (
                _PAPER,
                Column("place", say.place, "from 1", INTEGER),
                Column("category", "each.value", "such as cs.LG"),
            ),
            f"FROM paper p CROSS JOIN {say.each('p.categories')}",
            key=("paper_id", "place"),
            facets=("category",),
        ),
        View(
            "paper_ids",
            "The ids by which a paper is found, former ones too.",
            (
                Column("paper_id", "i.paper_id", "the paper, as in `papers`", INTEGER),
                Column("scheme", "i.scheme", "arxiv, doi, openreview; title for a key that the paper had before"),
                Column("value", "i.value", "without version"),
                Column("shown", yes("i.place = 0 AND i.scheme <> 'title'"), "yes: the one that `papers` shows"),
            ),
            "FROM paper_identifier i",
            key=("scheme", "value"),
            facets=("scheme",),
        ),
    )


def _sightings(say: Speech) -> View:
    return View(
        "paper_sightings",
        "Where a paper stood: one row for each paper, source and listing day.",
        (
            Column("id", "s.id", "a number", INTEGER),
            Column("paper_id", "s.paper_id", "the paper, as in `papers`", INTEGER),
            Column("source", "s.source", "the source's name in the settings; the kind for an imported file"),
            Column("day", "s.day", "the listing day, in the source's zone"),
            Column("rank", "s.rank", "the place on the listing, from 1", INTEGER),
            Column("upvotes", "s.upvotes", "as they were then", INTEGER),
            Column("comments", "s.comments", "as they were then", INTEGER),
            Column("seen_at", say.moment("s.seen_at"), "when it was read, UTC"),
            Column("announced", say.part("s.details", "announcement"), "arXiv: new, cross, replace or replace-cross"),
            Column("version", f"CAST({say.part('s.details', 'version')} AS integer)", "as listed", INTEGER),
            Column("stars", f"CAST({say.part('s.details', 'stars')} AS integer)", "of the code's repository", INTEGER),
            Column("comment", say.part("s.details", "comment"), "the authors', such as “12 pages”"),
            Column("journal", say.part("s.details", "journal"), "where it appeared"),
        ),
        "FROM sighting s",
        key=("id",),
        facets=("source", "day", "announced"),
        order="id",
    )


def _wordings() -> View:
    return View(
        "paper_wordings",
        "What other sources said, where it differs from what the paper shows.",
        (
            Column("paper_id", "w.paper_id", "the paper, as in `papers`", INTEGER),
            Column("field", "w.field", "title, abstract or authors"),
            Column("source", "w.source", "who said it"),
            Column("text", "w.text", "what; authors joined by “; ”"),
            Column("standing", "w.standing", "how near to the authors' own words; the highest is shown", INTEGER),
            Column("version", "w.version", "of the paper, where the source said it", INTEGER),
            Column("day", "w.day", "the listing day"),
        ),
        "FROM wording w",
        key=("paper_id", "field", "source"),
        facets=("field", "source"),
    )


def _events(say: Speech) -> View:
    return View(
        "paper_events",
        "What happened to papers after they were first seen.",
        (
            Column("id", "e.id", "a number", INTEGER),
            Column("paper_id", "e.paper_id", "the paper, as in `papers`", INTEGER),
            Column("kind", "e.kind", "version, withdrawn, returned, joined (with another record) or named (a new id)"),
            Column("note", "e.note", "the version, the other record's key, the new id"),
            Column("source", "e.source", "who told"),
            Column("day", "e.day", "the listing day"),
            Column("at", say.moment("e.at"), "when it was read, UTC"),
        ),
        "FROM paper_event e",
        key=("id",),
        facets=("kind", "source", "day"),
        order="id",
    )


def _duplicates() -> View:
    return View(
        "possible_duplicates",
        "Pairs of papers that may be one work; they are never in one digest.",
        (
            Column("paper_id", "k.paper_id", "the younger, as in `papers`", INTEGER),
            Column("title", "p.title", "its title"),
            Column("other_id", "k.other_id", "the older, as in `papers`", INTEGER),
            Column("other_title", "o.title", "its title"),
        ),
        "FROM paper_kin k JOIN paper p ON p.id = k.paper_id JOIN paper o ON o.id = k.other_id",
        key=("paper_id", "other_id"),
    )
