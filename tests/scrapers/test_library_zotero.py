"""What Zotero exports is read: its CSV with ninety columns, its RDF with its attachments and collections."""

import csv
import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import UsageError
from domain.papers import Identifiers, ListedPaper
from scrapers.libraries.entry import Rejected
from scrapers.libraries.reading import read_library

TODAY = date(2026, 11, 27)
COLUMNS = [
    *("Key", "Item Type", "Publication Year", "Author", "Title", "Publication Title", "ISBN", "ISSN", "DOI", "Url"),
    *("Abstract Note", "Date", "Date Added", "Pages", "Volume", "Extra", "Notes", "File Attachments", "Manual Tags"),
]
RDF = """<rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:z="http://www.zotero.org/namespaces/export#"
 xmlns:dcterms="http://purl.org/dc/terms/"
 xmlns:bib="http://purl.org/net/biblio#"
 xmlns:foaf="http://xmlns.com/foaf/0.1/"
 xmlns:link="http://purl.org/rss/1.0/modules/link/"
 xmlns:dc="http://purl.org/dc/elements/1.1/">
    <bib:Article rdf:about="https://mud.example/1">
        <z:itemType>journalArticle</z:itemType>
        <dcterms:isPartOf>
           <bib:Journal><dc:title>Journal of Mud</dc:title><dc:identifier>DOI 10.5555/mud.1</dc:identifier>
           <dc:identifier>ISSN 1234-5678</dc:identifier></bib:Journal>
        </dcterms:isPartOf>
        <bib:authors><rdf:Seq>
            <rdf:li><foaf:Person><foaf:surname>Okafor</foaf:surname><foaf:givenName>Mira</foaf:givenName></foaf:Person></rdf:li>
            <rdf:li><foaf:Person><foaf:surname>Tide Group</foaf:surname></foaf:Person></rdf:li>
        </rdf:Seq></bib:authors>
        <link:link rdf:resource="#item_9"/>
        <dc:title>Tides &amp; Mud</dc:title>
        <dcterms:abstract>All about tides.</dcterms:abstract>
        <dc:date>2024-03-02</dc:date>
        <dc:identifier><dcterms:URI><rdf:value>https://mud.example/1</rdf:value></dcterms:URI></dc:identifier>
    </bib:Article>
    <z:Attachment rdf:about="#item_9"><z:itemType>attachment</z:itemType><dc:title>PDF</dc:title></z:Attachment>
    <rdf:Description rdf:about="#item_3"><z:itemType>preprint</z:itemType><dc:title>Second</dc:title>
      <dc:description>arXiv:2401.01234 [cs]</dc:description><dc:date>2024</dc:date></rdf:Description>
    <bib:Memo rdf:about="#item_4"><rdf:value>a note</rdf:value></bib:Memo>
    <bib:Book rdf:about="#item_5"><z:itemType>book</z:itemType></bib:Book>
    <z:Collection rdf:about="#collection_1"><dc:title>Mine</dc:title>
      <dcterms:hasPart rdf:resource="#item_3"/></z:Collection>
</rdf:RDF>
"""


def read(text):
    library = read_library(io.BytesIO(text.encode("utf-8", "surrogatepass")), TODAY)
    return library.kind, list(library.entries)


def table(*rows):
    out = io.StringIO("\ufeff")
    out.seek(0, io.SEEK_END)
    writer = csv.DictWriter(out, COLUMNS, quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def test_a_csv_export_is_read_by_its_columns():
    kind, (first, second, third) = read(
        table(
            {
                "Item Type": "journalArticle",
                "Title": 'Tides, "Mud" and\nmore',
                "Author": "Okafor, Mira; Sato, Jun; Tide Group",
                "DOI": "10.5555/MUD.1",
                "Abstract Note": "All about tides.",
                "Date": "2024-03-02",
            },
            {"Item Type": "attachment", "Title": "PDF"},
            {"Item Type": "preprint", "Title": "Second", "Extra": "arXiv:2401.01234 [cs]", "Publication Year": "2024"},
            {"Item Type": "book", "Title": ""},
        )
    )
    assert kind == "zotero-csv"
    assert (first.title, first.authors) == ('Tides, "Mud" and more', ("Mira Okafor", "Jun Sato", "Tide Group"))
    assert (first.ids, first.published) == (Identifiers(doi="10.5555/mud.1"), date(2024, 3, 2))
    assert (second.ids.arxiv, second.published) == ("2401.01234", date(2024, 1, 1))
    assert (third.line, third.reason) == (6, "ends a row that has no title")


def test_an_rdf_export_is_read_and_what_is_no_paper_passed_over():
    kind, (first, second, third) = read(RDF)

    assert kind == "zotero-rdf"
    assert (first.title, first.authors) == ("Tides & Mud", ("Mira Okafor", "Tide Group"))
    assert (first.ids, first.url) == (Identifiers(doi="10.5555/mud.1"), "https://mud.example/1")
    assert (first.abstract, first.published) == ("All about tides.", date(2024, 3, 2))
    assert (second.title, second.ids) == ("Second", Identifiers(arxiv="2401.01234"))
    assert isinstance(third, Rejected)


def test_a_journal_apart_gives_its_doi_to_the_one_article_that_names_it():
    journal = '<bib:Journal rdf:about="urn:issn:1"><dc:identifier>DOI 10.5555/apart</dc:identifier></bib:Journal>'
    item = '<bib:Data rdf:about="#{}"><dcterms:isPartOf rdf:resource="urn:issn:1"/><dc:title>{}</dc:title></bib:Data>'
    head = RDF.partition("<bib:Article")[0]
    _, (only,) = read(f"{head}{item.format(1, 'One')}{journal}</rdf:RDF>")
    assert only.ids.doi == "10.5555/apart"
    _, found = read(f"{head}{item.format(1, 'One')}{item.format(2, 'Two')}{journal}</rdf:RDF>")
    assert [each.ids.doi for each in found] == [None, None]


def test_a_library_of_many_kinds_is_read_whole():
    head = RDF.partition("<bib:Article")[0]
    items = "".join(f'<bib:Kind{n} rdf:about="#{n}"><dc:title>Item {n}</dc:title></bib:Kind{n}>' for n in range(1_500))
    _, found = read(f"{head}{items}</rdf:RDF>")
    assert len(found) == 1_500


def test_blanks_without_end_take_no_time():
    (paper,) = read(table({"Item Type": "book", "Title": "One", "Extra": f"arxiv{' ' * 100_000}"}))[1]
    assert paper.title == "One"


def test_a_document_type_is_never_read():
    bomb = '<!DOCTYPE rdf:RDF [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + RDF.replace("Tides &amp; Mud", "&b;")
    _, (only,) = read(bomb)
    assert "document type" in only.reason


def test_a_file_that_is_cut_gives_nothing():
    _, (only,) = read(RDF[: len(RDF) // 2])
    assert "broken or cut" in only.reason


@pytest.mark.parametrize("header", ["Title,Author", "Item Type;Title", "email,topic"])
def test_another_csv_is_refused(header):
    with pytest.raises(UsageError, match="no CSV or RDF as Zotero"):
        read(f"{header}\na,b\n")


@given(st.text(max_size=400))
def test_any_text_in_an_export_is_read_or_told(text):
    for whole in (f'"Item Type","Title"\n"book","One"\n{text}', f"<rdf:RDF>{text}"):
        try:
            _, found = read(whole)
        except UsageError:
            continue
        assert all(isinstance(each, ListedPaper | Rejected) for each in found)
