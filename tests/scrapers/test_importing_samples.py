"""Every shared sample and seed as a saved file: what it is, how much stands in it, or why it is refused."""

from datetime import date
from pathlib import Path

import pytest

from domain.errors import CollectError
from domain.papers import FetchStatus, Listing
from scrapers.importing import read_file

SHARED = Path(__file__).resolve().parents[2].parent / "shared"


def read(data: bytes, day: date) -> list[Listing]:
    return list(read_file("saved.file", data, day=day, kind=None, backlog=None))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared samples are not here")
def test_the_shared_corpus_is_a_file_of_records() -> None:
    data = (SHARED / "corpus" / "papers-20k.jsonl.gz").read_bytes()
    parts = read(data, VISITED)
    assert sum(len(part.papers) for part in parts) == 20_000
    assert {part.status for part in parts} == {FetchStatus.OK}
    assert max(len(part.papers) for part in parts) <= 500
    assert all(paper.ids.arxiv and paper.abstract and paper.url for part in parts for paper in part.papers)


OK, EMPTY, PARTIAL = FetchStatus.OK, FetchStatus.OK_EMPTY, FetchStatus.PARTIAL
VISITED = date(2026, 10, 20)
#: What stands in each shared sample: the kind, the number of papers, the day (None for that of the visit), the status.
READ: dict[str, tuple[str, int, date | None, FetchStatus]] = {
    "samples/arxiv/api/kdense_arxiv_empty.xml": ("arxiv-api", 0, None, EMPTY),
    "samples/arxiv/api/kdense_arxiv_feed.xml": ("arxiv-api", 1, None, OK),
    "samples/arxiv/api/kdense_arxiv_rewritten_query.xml": ("arxiv-api", 0, None, EMPTY),
    "samples/arxiv/api/unikeen_arxiv_atom.xml": ("arxiv-api", 2, None, OK),
    "samples/arxiv/list/polaris_arxiv_listing_sample.html": ("arxiv-listing", 6, date(2026, 8, 12), OK),
    "samples/arxiv/list/rendered_db__list__cs__new.html": ("arxiv-listing", 2, date(2011, 2, 3), OK),
    "samples/arxiv/list/rendered_db__list__math__new.html": ("arxiv-listing", 6, date(2011, 2, 3), OK),
    "samples/arxiv/list/rendered_db__list__math__recent.html": ("arxiv-listing", 5, date(2011, 2, 3), OK),
    "samples/arxiv/list/rendered_fs__abs__0704.0001.html": ("arxiv-abstract", 1, None, OK),
    "samples/arxiv/list/rendered_fs__list__astro-ph.HE__new.html": ("arxiv-listing", 27, date(2023, 3, 3), OK),
    "samples/arxiv/list/rendered_fs__list__astro-ph__recent.html": ("arxiv-listing", 50, date(2023, 3, 3), OK),
    "samples/arxiv/list/rendered_fs__list__math.AG__new.html": ("arxiv-listing", 2, date(2023, 6, 9), OK),
    "samples/arxiv/rss/serialized_atom_cs.CL_2025-05-12.xml": ("arxiv-feed", 38, date(2025, 5, 12), OK),
    "samples/arxiv/rss/serialized_atom_cs.CL_2025-05-13.xml": ("arxiv-feed", 85, date(2025, 5, 13), OK),
    "samples/arxiv/rss/serialized_rss_cs.CL_2025-05-12.xml": ("arxiv-feed", 38, date(2025, 5, 12), OK),
    "samples/arxiv/rss/serialized_rss_cs.CL_2025-05-13.xml": ("arxiv-feed", 85, date(2025, 5, 13), OK),
    "samples/arxiv/rss/serialized_rss_cs.CL_2025-05-14.xml": ("arxiv-feed", 82, date(2025, 5, 14), OK),
    "samples/arxiv/rss/serialized_rss_cs.CL_2025-05-15.xml": ("arxiv-feed", 31, date(2025, 5, 15), OK),
    "samples/arxiv/rss/serialized_rss_cs.CL_2025-05-16.xml": ("arxiv-feed", 61, date(2025, 5, 16), OK),
    "samples/arxiv/rss/serialized_rss_cs.CL_2025-05-17_weekend_empty.xml": ("arxiv-feed", 0, date(2025, 5, 17), EMPTY),
    "samples/arxiv/rss/zotero_arxiv_daily_atom_cs.AI_2025-08-20.xml": ("arxiv-feed", 7, date(2025, 8, 20), OK),
    "samples/biorxiv/paper-to-post_biorxiv_response.json": ("biorxiv", 2, None, OK),
    "samples/biorxiv/paperclaw_biorxiv.json": ("biorxiv", 2, None, OK),
    "samples/huggingface/api/daily_papers_2023-06.json": ("huggingface-daily", 256, None, OK),
    "samples/huggingface/api/daily_papers_2025-09.json": ("huggingface-daily", 535, None, OK),
    "samples/huggingface/api/daily_papers_2026-06-12.json": ("huggingface-daily", 30, date(2026, 6, 12), OK),
    "samples/huggingface/daily_2023-06-13.html": ("huggingface-daily", 10, date(2023, 6, 13), OK),
    "samples/huggingface/daily_2025-09-16.html": ("huggingface-daily", 20, date(2025, 9, 16), OK),
    "samples/huggingface/daily_2025-09-17.html": ("huggingface-daily", 21, date(2025, 9, 17), OK),
    "samples/huggingface/daily_2025-09-18.html": ("huggingface-daily", 19, date(2025, 9, 18), OK),
    "samples/huggingface/drift_empty_day.html": ("huggingface-daily", 0, date(2025, 9, 20), EMPTY),
    "samples/huggingface/drift_mojibake_cp874_search_protein.html": ("huggingface-search", 24, None, OK),
    "samples/huggingface/drift_no_hydrater_2025-09-16.html": ("huggingface-daily", 20, date(2025, 9, 16), PARTIAL),
    "samples/huggingface/drift_old_gradient_class_2025-09-16.html": ("huggingface-daily", 20, date(2025, 9, 16), OK),
    "samples/huggingface/drift_partial_one_paper.html": ("huggingface-daily", 1, date(2025, 9, 16), OK),
    "samples/huggingface/search_protein_language_model.html": ("huggingface-search", 24, None, OK),
    "samples/huggingface/trending.html": ("huggingface-trending", 50, None, OK),
    "seeds/000_38fdb167bf202a2b.txt": ("keyword-capture", 5, None, OK),
    "seeds/001_cfe5f8aa227b0d48.txt": ("huggingface-capture", 28, date(2025, 12, 2), OK),
    "seeds/002_904e488d7bae34bb.txt": ("huggingface-capture", 61, date(2026, 3, 14), OK),
}
OAI = "it is an OAI-PMH answer, which this version does not read"
#: What is said of each shared sample that holds no papers, or that is damaged.
REFUSED = {
    "samples/arxiv/api/arxivpy_id_astro-ph_0601001_s0_m100_3150dca9dc76.json": "it is JSON, but no answer",
    "samples/arxiv/api/arxivpy_q_testing_s0_m10_bc5a6c384fe9.json": "it is JSON, but no answer of a known API",
    "samples/arxiv/api/kdense_arxiv_error.xml": "start must be an integer",
    "samples/arxiv/api/kdense_arxiv_rate_limited.txt": "the rate was exceeded",
    "samples/arxiv/oai/sickle_ListRecordsBroken.xml": "it is none of: arXiv's page of one paper",
    "samples/arxiv/rss/serialized_rss_error_cs.ZZ.xml": "Bad subject class 'ZZ'",
    "samples/biorxiv/biorecap_example_preprints.csv": "it is a table (CSV), which this version does not read",
    "samples/huggingface/drift_truncated_mid_json_2025-09-16.html": "the page is cut",
    "samples/huggingface/literal_fragments.html": "the page's own data is broken JSON",
    "samples/pubmed/sotawhat_pubmed_efetch_2026-06.xml": "it is PubMed XML, which this version does not read",
    "samples/pubmed/sotawhat_pubmed_esearch_2026-06.json": "it is a list of PubMed numbers, without papers",
    "samples/pubmed/titipata_pubmed-29768149.xml": "it is PubMed XML, which this version does not read",
}


def samples() -> list[str]:
    files = [*(SHARED / "samples").rglob("*"), *(SHARED / "seeds").glob("*")]
    return sorted(str(file.relative_to(SHARED)) for file in files if file.is_file() and file.suffix != ".md")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared samples are not here")
def test_every_shared_sample_is_expected_to_be_something() -> None:
    others = {name for name in samples() if name not in READ and name not in REFUSED}
    assert all(name.startswith("samples/arxiv/oai/") for name in others)
    assert {*READ, *REFUSED} <= set(samples())


@pytest.mark.parametrize("name", samples() if SHARED.is_dir() else [])
def test_each_shared_sample_is_what_it_is(name: str) -> None:
    data = (SHARED / name).read_bytes()
    if name not in READ:
        with pytest.raises(CollectError) as refusal:
            read(data, VISITED)
        assert REFUSED.get(name, OAI) in str(refusal.value)
        return
    source, count, day, status = READ[name]
    (listing,) = read(data, VISITED)
    assert (listing.source, len(listing.papers), listing.day) == (source, count, day or VISITED)
    assert (listing.status, listing.backlog) == (status, False)
    assert all(paper.title for paper in listing.papers)
