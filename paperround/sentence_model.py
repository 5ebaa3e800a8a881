"""The sentence model that the settings name: loaded, and whether it is the one that the archive was read with."""

from pathlib import Path

from domain.errors import ModelUnusable
from paperround.settings_model import TopicsSettings
from storage.embeddings import KnownModel
from topics.meaning.embedder import Embedder, ModelIdentity
from topics.meaning.hub import fetched
from topics.meaning.onnx_model import load


def is_named(chosen: TopicsSettings) -> bool:
    """Whether the settings name a model."""
    return bool(chosen.model_dir or chosen.model)


def loaded(chosen: TopicsSettings) -> Embedder:
    """Return the model that the settings name; raises ModelUnusable."""
    folder = Path(chosen.model_dir) if chosen.model_dir else fetched(chosen.model, chosen.model_revision)
    return load(folder, name=chosen.model, sha256=chosen.model_sha256)


def standing(
    chosen: TopicsSettings, identity: ModelIdentity, last: KnownModel | None, *, anew: bool = False
) -> KnownModel | None:
    """Return the model as the archive knows it; None for one that is new to it and may be taken.

    Another one than papers were read with last may be taken where the settings say its hash, or with `anew`; else
    raises ModelUnusable.
    """
    if last is not None and last.sha256 == identity.sha256:
        return last
    if last is not None and not anew and not chosen.model_sha256:
        raise ModelUnusable(
            f"the model {identity.name} is another than the archive was read with: its files are {identity.sha256},"
            f" and were {last.sha256}; `paperround topics embed --anew` reads the archive again with it"
        )
    return None
