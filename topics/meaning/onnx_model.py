"""A sentence model in ONNX, run on the CPU: texts → tokens → the graph → one vector a text.

    the first 256 tokens or so of a text, padded to the longest of its batch → a vector a token → their mean (or the
    first) → unit length → signed bytes

Whatever is wrong with a file shows when it is loaded, for one text is read then: a graph that asks for other things
than tokens, or gives something else than vectors, is no sentence model.
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from domain.errors import ModelUnusable
from topics.meaning.directory import ModelFiles, files_in
from topics.meaning.embedder import ModelIdentity
from topics.meaning.vectors import quantized

_BATCH = 8  # texts that the graph reads at once: of 32 they take twice the memory and no less time
_THREADS = 1  # two cost a third more of the processor, and letters need one too
_INPUTS = frozenset({"input_ids", "attention_mask", "token_type_ids"})
_OUTPUTS = ("sentence_embedding", "last_hidden_state", "token_embeddings")
_INSTALL = "the model needs what is not installed here: pip install 'paperround[semantic]'"


def load(folder: Path, *, name: str = "", sha256: str = "") -> "OnnxModel":
    """Return the model of a directory; raises ModelUnusable, also where its files are others than `sha256` says."""
    files = files_in(folder)
    if sha256 and files.sha256 != sha256:
        raise ModelUnusable(
            f"the model in {folder} is not the one of [topics] model_sha256: its files are {files.sha256}"
        )
    return OnnxModel(files, name or folder.name)


class OnnxModel:
    """An Embedder over one graph."""

    def __init__(self, files: ModelFiles, name: str) -> None:
        """Load the graph and read one text; raises ModelUnusable."""
        self._files = files
        self._lock = threading.Lock()  # the tokenizer's padding is its state
        self._tokenizer = _tokenizer(files)
        self._session = _session(files.graph)
        self._inputs = [each.name for each in self._session.get_inputs()]
        if not set(self._inputs) <= _INPUTS or "input_ids" not in self._inputs:
            raise ModelUnusable(f"{files.graph} asks for {', '.join(self._inputs)}, not for tokens alone")
        outputs = [each.name for each in self._session.get_outputs()]
        self._output = next((each for each in _OUTPUTS if each in outputs), outputs[0])
        self._width = 0  # known once a text was read
        (told,) = self.embed(["A text that tells whether the model can be used."])
        self.embed(
            ["Another, which is longer, tells whether what it gives is as wide for a text of any length at all."]
        )
        if not any(told):
            raise ModelUnusable(f"{files.graph} makes nothing of a text: it gives zeros, or what is no number")
        self._identity = ModelIdentity(files.sha256, name, len(told))

    def identity(self) -> ModelIdentity:
        """Return which model it is."""
        return self._identity

    def embed(self, texts: Sequence[str]) -> list[bytes]:
        """Return a vector for each text; raises ModelUnusable where the graph fails."""
        found: list[bytes] = []
        for start in range(0, len(texts), _BATCH):
            pooled = self._pooled(texts[start : start + _BATCH])
            if pooled.dtype.kind != "f" or pooled.shape[1] != (self._width or pooled.shape[1]):
                raise ModelUnusable(f"{self._files.graph} gives no numbers of one width for texts of any length")
            self._width = pooled.shape[1]
            found += quantized(pooled)
        return found

    def _pooled(self, texts: Sequence[str]) -> Any:
        import numpy as np  # noqa: PLC0415 it may not be installed

        try:
            with self._lock:
                read = self._tokenizer.encode_batch([each.encode("utf-8", "replace").decode() for each in texts])
            mask = np.array([each.attention_mask for each in read], dtype=np.int64)
            given = {
                "input_ids": np.array([each.ids for each in read], dtype=np.int64),
                "attention_mask": mask,
                "token_type_ids": np.array([each.type_ids for each in read], dtype=np.int64),
            }
            (told,) = self._session.run([self._output], {each: given[each] for each in self._inputs})
        except Exception as error:  # whatever the runtime raises, and its exceptions share no parent
            raise ModelUnusable(f"{self._files.graph} fails: {_first_line(error)}") from error
        told = np.asarray(told)
        if told.ndim == 2 and len(told) == len(texts):
            return told
        if told.ndim != 3 or told.shape[:2] != mask.shape:
            raise ModelUnusable(
                f"{self._files.graph} gives numbers of the shape {'×'.join(map(str, told.shape))}, not a vector a token"
            )
        if self._files.pooling == "cls":
            return told[:, 0]
        weights = mask[:, :, None].astype(np.float32)
        return (told * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1.0)


def _tokenizer(files: ModelFiles) -> Any:
    try:
        from tokenizers import Tokenizer  # noqa: PLC0415 it may not be installed
    except ImportError as error:
        raise ModelUnusable(_INSTALL) from error
    try:
        made = Tokenizer.from_file(str(files.tokenizer))
        made.enable_truncation(files.tokens)
        padding = made.padding or {}
        made.enable_padding(pad_id=padding.get("pad_id", 0), pad_token=padding.get("pad_token", "[PAD]"))
    except Exception as error:  # the library raises bare Exceptions
        raise ModelUnusable(f"{files.tokenizer} is no tokenizer: {_first_line(error)}") from error
    return made


def _session(graph: Path) -> Any:
    try:
        import onnxruntime  # noqa: PLC0415 it may not be installed
    except ImportError as error:
        raise ModelUnusable(_INSTALL) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = _THREADS, 1
    options.enable_cpu_mem_arena = False  # it keeps the most that any batch ever took
    options.log_severity_level = 4  # what is wrong is told in our own words
    try:
        return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime's exceptions share no parent
        raise ModelUnusable(f"{graph} cannot be loaded: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
