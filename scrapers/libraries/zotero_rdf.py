"""Zotero's RDF export: an element an item, read by the house's XML reader (scrapers/xml.py), which opens nothing."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date

from domain.errors import LayoutChanged
from domain.papers import ListedPaper
from scrapers.libraries.entry import RefusedError, Rejected, paper_of
from scrapers.xml import Element, read_xml

#: What stands at the top of an export beside papers, and is passed over.
_NO_PAPERS = frozenset({"z:Attachment", "z:Collection", "bib:Memo", "bib:Journal", "bib:Series", "z:UserItem"})
_PARTS = frozenset({"bib:Journal", "bib:Series"})


def items(text: str, visited: date) -> Iterator[ListedPaper | Rejected]:
    """Yield what stands in an export, in its order; what is no well-formed XML gives one reject and nothing else."""
    found: list[Element] = []
    try:
        read_xml(text, records=None, take=found.append)
    except LayoutChanged as error:
        yield Rejected(1, f"begins a file that cannot be read: {error}")
        return
    # A journal stands by itself where several items name it; its DOI is an article's where one alone does.
    named = Counter(each for element in found for each in _journals_of(element))
    journals = {_about(each): each for each in found if each.name in _PARTS and named[_about(each)] == 1}
    for number, element in enumerate(found, start=1):
        if element.name in _NO_PAPERS or element.said("z:itemType") in {"attachment", "note"}:
            continue
        try:
            yield _paper(element, [journals[each] for each in _journals_of(element) if each in journals], visited)
        except RefusedError as reason:
            yield Rejected(number, f"(counted in items) {reason}")


def _about(element: Element) -> str:
    """Return the name of an element in the document."""
    return next((value for name, value in element.attributes.items() if name.endswith("about")), "")


def _journals_of(item: Element) -> list[str]:
    """Return the names of what an item is part of."""
    parts = (part.attributes.items() for part in item.all("dcterms:isPartOf"))
    return [value for each in parts for name, value in each if name.endswith("resource") and value]


def _paper(item: Element, journals: Sequence[Element], visited: date) -> ListedPaper:
    identifiers = [*_identifiers(item)]
    for journal in journals:
        identifiers += _identifiers(journal)
    for part in item.all("dcterms:isPartOf"):
        for journal in part.children:
            identifiers += _identifiers(journal)
    urls = [each for each in (*identifiers, _about(item)) if "://" in each]
    named = (each.removeprefix("DOI").strip() for each in identifiers if each.startswith("DOI"))
    return paper_of(
        title=item.said("dc:title"),
        abstract=item.said("dcterms:abstract"),
        authors=[*_authors(item)],
        said={"doi": next(named, ""), "url": next(iter(urls), ""), "extra": item.said("dc:description")},
        when=item.said("dc:date"),
        visited=visited,
    )


def _identifiers(item: Element) -> Iterator[str]:
    for each in item.all("dc:identifier"):
        yield " ".join(each.text.split())
        for uri in each.all("dcterms:URI"):
            yield uri.said("rdf:value").strip()


def _authors(item: Element) -> Iterator[str]:
    for people in item.all("bib:authors"):
        for sequence in people.all("rdf:Seq"):
            for entry in sequence.all("rdf:li"):
                for person in entry.all("foaf:Person"):
                    name = f"{person.said('foaf:givenName', 'foaf:givenname')} {person.said('foaf:surname')}"
                    yield " ".join(name.split())
