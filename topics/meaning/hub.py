"""A model by its name at its hub, fetched once by the hub's own library; afterwards only what was fetched is used."""

from contextlib import suppress
from pathlib import Path

from domain.errors import ModelUnusable
from topics.meaning.directory import GRAPHS, LENGTH, POOLING, TOKENIZER

_WORDS = (TOKENIZER, POOLING, LENGTH)
#: Says of a directory that all of it came: files come one by one, and a download may end anywhere.
_WHOLE = ".paperround-whole"
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

    def taken(wanted: tuple[str, ...], *, is_here: bool) -> Path | None:
        """Return the directory, if it then holds a model; whatever the library raises goes on."""
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
        has_graph = any(found.is_file() for each in GRAPHS for found in folder.glob(each))
        return folder if has_graph and (folder / TOKENIZER).is_file() else None

    here: Path | None = None
    with suppress(Exception):  # nothing of it is here
        here = taken(_WANTED[-1], is_here=True)
    if here is not None and (here / _WHOLE).is_file():
        return here
    try:
        for wanted in _WANTED:
            if (folder := taken(wanted, is_here=False)) is not None:
                with suppress(OSError):  # a cache that is only to be read is asked about again
                    (folder / _WHOLE).touch()
                return folder
    except Exception as error:  # the library wraps what its own libraries raise, or does not
        if here is not None:
            return here  # somebody put it there, and the hub does not answer
        lines = str(error).strip().splitlines()
        said = lines[0][:200] if lines else type(error).__name__
        raise ModelUnusable(f"the model {name!r} could not be fetched: {said}") from error
    raise ModelUnusable(f"the model {name!r} has no ONNX file and tokenizer.json at its hub")
