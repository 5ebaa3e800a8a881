"""What the API answers, as pydantic describes it: the objects of the command line's --json, typed.

A field that is not here cannot be answered (`extra="forbid"`), so that the description is never less than the truth.
Days and instants are texts already, as everywhere in our JSON.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from storage.paging import Order

Day = Annotated[str, Field(json_schema_extra={"format": "date"})]
Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Count = Annotated[int, Field(ge=0)]
Span = Annotated[list[int], Field(min_length=2, max_length=2)]


class Answer(BaseModel):
    """A JSON object that has these keys and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def json_text(self) -> str:
        """Return the object as text, without the keys that nothing was said of."""
        return self.model_dump_json(exclude_unset=True)


class PaperRecord(Answer):
    """A paper as the archive keeps it; texts are as they are stored, TeX and all."""

    key: str = Field(description="Permanent, without a version: arxiv:2611.00001, doi:…, openreview:…, title:….")
    title: str
    abstract: str
    abstract_kind: str = Field(description="Whose words the abstract is: abstract (the authors'), summary, or none.")
    authors: list[str]
    author_count: Count = Field(description="Known even where the names are not.")
    published: Day | None = Field(description="The day of the first version.")
    listed: Day = Field(description="The latest day on a listing.")
    first_listed: Day
    first_seen: Instant = Field(description="When this archive stored it.")
    url: str
    pdf_url: str
    code_url: str
    project_url: str
    organization: str
    sources: list[str] = Field(description="Where it was listed, in order of first sighting.")
    upvotes: int | None
    comments: int | None
    version: int | None
    withdrawn: bool
    categories: list[str]
    arxiv_id: str | None
    doi: str | None
    openreview_id: str | None


class Passage(Answer):
    """The piece of an abstract that answers best."""

    text: str
    marks: list[Span] = Field(description="Where words were found: begin and end, in characters.")


class FoundPaper(PaperRecord):
    """A paper that a search found."""

    snippet: Passage
    title_marks: list[Span]


class PaperPage(Answer):
    """A page of papers."""

    total: Count = Field(description="All that match, whatever the page.")
    order: Order
    next: str | None = Field(description="Opaque: `after` of the next page, with the same order. Null on the last one.")
    papers: list[FoundPaper]


class SightingRecord(Answer):
    """That a paper stood on a listing; what the listing did not say is left out."""

    source: str
    day: Day
    rank: int
    upvotes: int | None
    comments: int | None
    seen_at: Instant
    version: int = 0
    announcement: str = ""
    organization: str = ""
    code_url: str = ""
    stars: int = 0
    keywords: list[str] = []
    summary: str = ""
    comment: str = ""
    journal: str = ""


class WordingRecord(Answer):
    """What a source says in other words than the paper shows."""

    source: str
    field: str
    text: str
    day: Day


class EventRecord(Answer):
    """What happened to a paper: version, withdrawn, returned, joined or named."""

    kind: str
    note: str
    source: str
    day: Day
    at: Instant


class WholePaper(PaperRecord):
    """A paper, where it was listed, and what happened to it."""

    sightings: list[SightingRecord]
    wordings: list[WordingRecord]
    events: list[EventRecord]
    possible_duplicates: list[str] = Field(description="Keys of papers that may be the same work.")


class TopicName(Answer):
    """A shared topic."""

    id: str
    name: str
    query: str


class TopicList(Answer):
    """The topics that whoever runs the site shares."""

    topics: list[TopicName]


class TopicPaper(PaperRecord):
    """A paper that answers a topic."""

    why: list[str]


class TopicAnswer(TopicName):
    """A shared topic and its last days."""

    days: int
    newest: Day | None = Field(description="The last of these days, the archive's newest; null for an empty archive.")
    total: Count
    per_day: dict[str, Count] = Field(description="Papers by listing day; a day that has none is left out.")
    papers: list[TopicPaper] = Field(description="The newest day first, of a day the best first.")


class Exclusion(Answer):
    """What an exclusion keeps out."""

    term: str
    fewer: Count


class Term(Answer):
    """A word to consider."""

    term: str
    papers: Count


class PreviewPaper(Answer):
    """A paper that a query would have brought."""

    key: str
    title: str
    listed: Day
    score: float
    tier: int = Field(description="1: it answers; 2: it has part of the words.")
    why: list[str]


class PreviewAnswer(Answer):
    """What a query would have brought."""

    query: str
    days: int
    newest: Day | None
    total: Count
    exact: Count
    related: Count
    notes: list[str] = Field(description="What may not have been meant.")
    per_day: dict[str, Count]
    excluded: list[Exclusion]
    terms: list[Term]
    papers: list[PreviewPaper] = Field(description="Exact before related, each best first.")
