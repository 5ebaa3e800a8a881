"""One entry of a library → a paper, by the same reading as a record (scrapers/record.py), or why it is none."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from domain.identifiers import arxiv_id, doi
from domain.papers import ListedPaper
from scrapers.record import RefusedError, read_record

_YEAR = re.compile(r"\b(1[5-9]\d\d|20\d\d)\b")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_ARXIV_SAID = re.compile(r"arxiv\s{0,5}:?\s{0,5}(\S{1,40})", re.IGNORECASE)
_LONGEST = 20_000  # characters of an abstract
_LONGEST_NAME = 200
_MOST_AUTHORS = 200


@dataclass(frozen=True, slots=True)
class Rejected:
    """An entry that is no paper."""

    line: int  #: where it begins
    reason: str  #: ends a sentence that begins with the line's number


def paper_of(
    *, title: str, abstract: str, authors: Sequence[str], said: Mapping[str, str], when: str, visited: date
) -> ListedPaper:
    """Return the paper of an entry; raises RefusedError.

    `said` holds what may tell an id: doi, url, eprint (arXiv's), extra (free words). `when` is any text with a date or
    a year. An id that is none is passed over: in libraries a field often holds something else.
    """
    people = [each[:_LONGEST_NAME] for each in authors[:_MOST_AUTHORS]]
    record: dict[str, object] = {"title": title, "abstract": abstract[:_LONGEST], "authors": people}
    url, stated = said.get("url", ""), said.get("doi", "")
    record["url"] = url
    if doi(stated) or arxiv_id(stated):
        record["doi"] = stated
    hint = _ARXIV_SAID.search(said.get("extra", ""))
    for each in (said.get("eprint", ""), hint[1] if hint else ""):
        if each and (found := arxiv_id(each)):
            record["arxiv_id"] = found
            break
    if day := _DAY.search(when):
        record["published"] = day[0]
    elif year := _YEAR.search(when):
        record["published"] = f"{year[1]}-01-01"
    _, paper = read_record(json.dumps(record).encode(), visited)
    return paper


__all__ = ["RefusedError", "Rejected", "paper_of"]
