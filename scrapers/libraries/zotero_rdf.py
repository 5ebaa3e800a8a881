"""Zotero's RDF export: an element an item, read by the house's XML reader (scrapers/xml.py), which opens nothing."""

from collections.abc import Iterator
from datetime import date

from domain.errors import LayoutChanged
from domain.papers import ListedPaper
from scrapers.libraries.entry import RefusedError, Rejected, paper_of
from scrapers.xml import Element, read_xml

#: What stands at the top of an export beside papers, and is passed over.
_NO_PAPERS = frozenset({"z:Attachment", "z:Collection", "bib:Memo", "bib:Journal", "bib:Series", "z:UserItem"})
_KINDS = (
    *("Article", "Book", "BookSection", "ConferenceProceedings", "Document", "Manuscript", "Patent", "Report"),
    "Thesis",
)
_PAPERS = frozenset({"rdf:Description", *(f"bib:{kind}" for kind in _KINDS)})


def items(text: str, visited: date) -> Iterator[ListedPaper | Rejected]:
    """Yield what stands in an export, in its order; what is no well-formed XML gives one reject and nothing else."""
    found: list[Element] = []
    try:
        read_xml(text, records=_PAPERS | _NO_PAPERS, take=found.append)
    except LayoutChanged as error:
        yield Rejected(1, f"begins a file that cannot be read: {error}")
        return
    for number, element in enumerate(found, start=1):
        if element.name in _NO_PAPERS or element.said("z:itemType") in {"attachment", "note"}:
            continue
        try:
            yield _paper(element, visited)
        except RefusedError as reason:
            yield Rejected(number, f"(counted in items) {reason}")


def _paper(item: Element, visited: date) -> ListedPaper:
    identifiers = [*_identifiers(item)]
    for part in item.all("dcterms:isPartOf"):
        for journal in part.children:
            identifiers += _identifiers(journal)
    about = next((value for name, value in item.attributes.items() if name.endswith("about")), "")
    urls = [each for each in (*identifiers, about) if "://" in each]
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
