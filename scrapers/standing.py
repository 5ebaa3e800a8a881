"""How near the words of each kind of source stand to the authors' own (sources.md 0 and 1.3, relevance.md "Identity").

Hugging Face strips the dollars and backslashes of TeX, text captures glue words and lose letters; where the authors put
their paper themselves it reads as they wrote it.
"""

from domain.papers import Standing

_BY_KIND = {
    "huggingface-capture": Standing.CAPTURE,
    "keyword-capture": Standing.CAPTURE,
    "records": Standing.RECORDS,
    "biorxiv": Standing.REPOSITORY,
    "medrxiv": Standing.REPOSITORY,
}
_BY_SITE = {"huggingface": Standing.AGGREGATOR, "arxiv": Standing.REPOSITORY}


def standing_of(kind: str) -> Standing:
    """Return how much the words of a kind of source weigh beside another's; a feed is its publisher's."""
    of_site = _BY_SITE.get(kind.partition("-")[0], Standing.PUBLISHER)
    return _BY_KIND.get(kind, of_site)
