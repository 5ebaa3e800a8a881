"""A model by its name at its hub, fetched once by the hub's own library; afterwards only what was fetched is used."""

from pathlib import Path

from domain.errors import ModelUnusable
from topics.meaning.directory import GRAPHS, LENGTH, POOLING, TOKENIZER

_WORDS = (TOKENIZER, POOLING, LENGTH)
_PLAIN = frozenset({"model.onnx", "onnx/model.onnx"})
# The int8 graphs; for a model that has none the plain one, which may keep its weights beside itself.
_WANTED = (
    (*_WORDS, *(name for name in GRAPHS if name not in _PLAIN)),
    (*_WORDS, *(each for name in sorted(_PLAIN) for each in (name, f"{name}_data", f"{name}.data"))),
)


def fetched(name: str, revision: str, *, cache: Path | None = None, endpoint: str | None = None) -> Path:
    """Return the directory of a model, fetched if it is not here yet; raises ModelUnusable.

    `revision` is a commit, a tag or "" for the newest; only a commit is the same for ever. What is here is used without
    asking anybody. `cache` and `endpoint` are the library's own where nothing is said.
    """
    try:
        from huggingface_hub import snapshot_download  # noqa: PLC0415 it may not be installed
    except ImportError as error:
        raise ModelUnusable("the model needs what is not installed here: pip install 'paperround[semantic]'") from error
    last: Exception | None = None
    for is_here, wanted in [(is_here, wanted) for is_here in (True, False) for wanted in _WANTED]:
        try:
            folder = Path(
                snapshot_download(
                    name,
                    revision=revision or None,
                    allow_patterns=list(wanted),
                    local_files_only=is_here,
                    cache_dir=cache,
                    endpoint=endpoint,
                )
            )
        except Exception as error:  # noqa: BLE001 the library wraps what its own libraries raise, or does not
            last = error
        else:
            if any(found.is_file() for each in GRAPHS for found in folder.glob(each)):
                return folder
            last = None
    if last is None:
        raise ModelUnusable(f"the model {name!r} has no ONNX file at its hub")
    lines = str(last).strip().splitlines()
    raise ModelUnusable(f"the model {name!r} could not be fetched: {lines[0][:200] if lines else type(last).__name__}")
