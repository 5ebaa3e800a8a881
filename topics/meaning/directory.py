"""A model's directory: which files there are to it, and what they are as a whole.

    the ONNX file, int8 before others · tokenizer.json · how words are pooled, how many are read (sentence-transformers'
    own files, where they are there) → one hash over what decides what the model gives

A file that a graph keeps its weights in beside itself is part of it.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from platform import machine

from domain.errors import ModelUnusable

#: Where the graph may be, the smaller first; a star stands for a processor.
GRAPHS = (
    *("model_int8.onnx", "model_qint8*.onnx", "model_quantized.onnx", "model_quint8*.onnx"),
    *("onnx/model_int8.onnx", "onnx/model_qint8*.onnx", "onnx/model_quantized.onnx", "onnx/model_quint8*.onnx"),
    *("model.onnx", "onnx/model.onnx"),
)
TOKENIZER = "tokenizer.json"
POOLING = "1_Pooling/config.json"
LENGTH = "sentence_bert_config.json"
#: What stands beside graphs and is no part of one: other graphs, texts, weights for other programs.
_NO_WEIGHTS = frozenset({".onnx", ".json", ".txt", ".md", ".safetensors", ".py", ".h5", ".ot", ".model", ".xml"})
_NO_FILES = frozenset({"LICENSE", "NOTICE", "README", "MAKEFILE"})
_CHUNK = 1 << 20
_LARGEST_TEXT = 1 << 20  # bytes of a small JSON file
_LONGEST, _USUAL = 512, 256  # tokens of a text that are read


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """What a directory holds."""

    graph: Path
    tokenizer: Path
    pooling: str  #: mean or cls
    tokens: int  #: of a text that are read
    sha256: str


def files_in(folder: Path) -> ModelFiles:
    """Return the files of a model; raises ModelUnusable that says what is missing or cannot be read, and where."""
    try:
        return _files_in(folder)
    except OSError as error:
        raise ModelUnusable(f"the model directory {folder} cannot be read: {error.strerror}") from error


def _files_in(folder: Path) -> ModelFiles:
    if not folder.is_dir():
        raise ModelUnusable(f"there is no model directory {folder}")
    graph = next(
        (found for name in GRAPHS for found in sorted(folder.glob(name), key=_foreign) if found.is_file()), None
    )
    if graph is None:
        raise ModelUnusable(f"{folder} holds no ONNX model, such as {GRAPHS[0]} or {GRAPHS[-1]}")
    tokenizer = folder / TOKENIZER
    if not tokenizer.is_file():
        raise ModelUnusable(f"{folder} holds no {TOKENIZER}")
    pooling = "cls" if _json(folder / POOLING).get("pooling_mode_cls_token") is True else "mean"
    said = _json(folder / LENGTH).get("max_seq_length")
    tokens = min(said, _LONGEST) if isinstance(said, int) and said > 0 else _USUAL
    return ModelFiles(graph, tokenizer, pooling, tokens, _hash(graph, tokenizer, f"{pooling} {tokens}"))


def _foreign(graph: Path) -> tuple[bool, str]:
    """Return what orders graphs of one kind: those for another processor last."""
    return ("arm64" in graph.name) != (machine() in {"arm64", "aarch64"}), graph.name


def _json(file: Path) -> dict[str, object]:
    """Return a small JSON object; an empty one where there is none."""
    try:
        if not file.is_file() or file.stat().st_size > _LARGEST_TEXT:
            return {}
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelUnusable(f"{file} cannot be read: {type(error).__name__}") from error
    return found if isinstance(found, dict) else {}


def _hash(graph: Path, tokenizer: Path, words: str) -> str:
    """Return the hash of all that decides; a graph may keep its weights in any file beside itself, by any name."""
    whole = hashlib.sha256()
    beside = sorted(each for each in graph.parent.iterdir() if each.is_file() and _may_hold_weights(each))
    for file in (graph, *beside, tokenizer):
        whole.update(f"{file.name}\0{file.stat().st_size}\0".encode())
        for chunk in _chunks(file):
            whole.update(chunk)
    whole.update(words.encode())
    return whole.hexdigest()


def _may_hold_weights(file: Path) -> bool:
    return file.suffix not in _NO_WEIGHTS and file.name.upper() not in _NO_FILES and not file.name.startswith(".")


def _chunks(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise ModelUnusable(f"{file} cannot be read: {error.strerror}") from error
