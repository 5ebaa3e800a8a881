"""The sentence model: whether it can be used, and how much of the archive it has read."""

from collections.abc import Iterator

from domain.errors import ModelUnusable
from paperround.doctor.finding import Finding, ok, shown, wrong
from paperround.doctor.visit import Visit
from paperround.sentence_model import is_named, loaded, standing
from storage.database import Database
from storage.embeddings import Embeddings


def check(visit: Visit) -> Iterator[Finding]:
    """Load the model that is named; where none is, words decide alone, and that is well."""
    chosen = visit.settings.topics
    if not is_named(chosen):
        yield ok("no sentence model is named: papers are ordered by their words alone")
        return
    embeddings = Embeddings(visit.database) if isinstance(visit.database, Database) else None
    try:
        identity = loaded(chosen).identity()
        known = standing(chosen, identity, embeddings.last() if embeddings else None)
    except ModelUnusable as error:
        yield wrong(
            shown(str(error)),
            "do as it says, or take the model out of [topics]; until then words decide alone",
        )
        return
    read = "whose papers it has not read"
    if embeddings and known:
        done, papers = embeddings.counts(known.id)
        read = f"of whose {papers:,} papers it has read {done:,}"
    yield ok(f"the model {identity.name} ({identity.dimensions} dimensions) can be used over the archive, {read}")
