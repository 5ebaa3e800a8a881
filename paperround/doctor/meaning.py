"""The sentence model: whether it can be used, and how much of the archive it has read."""

from collections.abc import Iterator
from pathlib import Path

from domain.errors import ModelUnusable
from paperround.doctor.finding import Finding, ok, shown, wrong
from paperround.doctor.visit import Visit
from storage.database import Database
from storage.embeddings import Embeddings
from topics.meaning.hub import fetched
from topics.meaning.onnx_model import load


def check(visit: Visit) -> Iterator[Finding]:
    """Load the model that is named; where none is, words decide alone, and that is well."""
    chosen = visit.settings.topics
    if not chosen.model_dir and not chosen.model:
        yield ok("no sentence model is named: papers are ordered by their words alone")
        return
    try:
        folder = Path(chosen.model_dir) if chosen.model_dir else fetched(chosen.model, chosen.model_revision)
        identity = load(folder, name=chosen.model, sha256=chosen.model_sha256).identity()
    except ModelUnusable as error:
        yield wrong(
            shown(str(error)),
            "copy or fetch the model again, or take it out of [topics]; until then words decide alone",
        )
        return
    read = "whose papers it has not read"
    if isinstance(visit.database, Database):
        embeddings = Embeddings(visit.database)
        last = embeddings.last()
        if last is not None and last.sha256 != identity.sha256 and not chosen.model_sha256:
            yield wrong(
                f"the model {identity.name} is another than the archive was read with",
                "`paperround topics embed --anew` reads the archive again; until then words decide alone",
            )
            return
        if last is not None and last.sha256 == identity.sha256:
            done, papers = embeddings.counts(last.id)
            read = f"of whose {papers:,} papers it has read {done:,}"
    yield ok(f"the model {identity.name} ({identity.dimensions} dimensions) can be used over the archive, {read}")
