"""Small sentence models, made by tests: a table of words and a tokenizer, in the files that real ones have."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import Whitespace

#: Word → what it is about: words of one subject point one way.
SUBJECTS = {
    **dict.fromkeys(("tide", "tides", "ebb", "flood", "moon"), 0),
    **dict.fromkeys(("mud", "silt", "loam"), 1),
    **dict.fromkeys(("rain", "showers", "drizzle"), 2),
}
_OTHERS = ("[PAD]", "[UNK]")


def make_model(
    folder: Path, *, dimensions: int = 8, name: str = "model.onnx", output: str = "last_hidden_state", turn: float = 0.0
) -> Path:
    """Write a model into a folder and return it; `turn` makes another model of the same size."""
    folder.mkdir(parents=True, exist_ok=True)
    words = [*_OTHERS, *SUBJECTS]
    table = np.zeros((len(words), dimensions), dtype=np.float32)
    table[1, dimensions - 1] = 0.1  # what is not known says little
    for place, subject in enumerate(SUBJECTS.values(), start=len(_OTHERS)):
        table[place, subject] = 1.0
        table[place, 3] = turn
    _graph(folder / name, [("Gather", ["table", "input_ids"], output)], {"table": table}, output, dimensions)
    tokenizer = Tokenizer(WordLevel({word: place for place, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = Lowercase(), Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def make_int8(folder: Path) -> Path:
    """Write a model whose table is turned by a matrix that the runtime's own tool has made int8."""
    make_model(folder)
    whole = onnx.load(str(folder / "model.onnx"))
    turning = numpy_helper.from_array(np.eye(8, dtype=np.float32), "turning")
    whole.graph.node[0].output[0] = "looked_up"
    whole.graph.node.append(helper.make_node("MatMul", ["looked_up", "turning"], ["last_hidden_state"]))
    whole.graph.initializer.append(turning)
    onnx.save(whole, str(folder / "plain.onnx"))
    quantize_dynamic(folder / "plain.onnx", folder / "model_int8.onnx", weight_type=QuantType.QInt8)
    for each in ("plain.onnx", "model.onnx"):
        (folder / each).unlink()
    return folder


def make_apart(folder: Path, name: str) -> Path:
    """Write a model that keeps its weights in a file beside itself."""
    make_model(folder)
    whole = onnx.load(str(folder / "model.onnx"))
    onnx.save(whole, str(folder / "model.onnx"), save_as_external_data=True, location=name, size_threshold=0)
    return folder


def pooled_by(folder: Path, *, cls: bool, tokens: int = 256) -> Path:
    """Say in a model's folder how words are pooled, and how many are read, as sentence-transformers does."""
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": cls}))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": tokens}))
    return folder


def make_other(file: Path, *, inputs: Sequence[str] = ("input_ids",), rank: int = 3) -> Path:
    """Write a graph that is no sentence model: it asks for other things, or gives something else than vectors."""
    shape = ["batch", "sequence", 4][:rank] if rank > 1 else ["batch"]
    node = helper.make_node("Cast", [inputs[0]], ["out"], to=TensorProto.FLOAT)
    nodes = [node] if rank == 2 else [node, helper.make_node("Unsqueeze", ["out", "axis"], ["other"])]
    last = "out" if rank == 2 else "other"
    axis = numpy_helper.from_array(np.array([0], dtype=np.int64), "axis")
    graph = helper.make_graph(
        nodes,
        "other",
        [helper.make_tensor_value_info(each, TensorProto.INT64, ["batch", "sequence"]) for each in inputs],
        [helper.make_tensor_value_info(last, TensorProto.FLOAT, None if rank != 2 else shape)],
        [axis] if rank != 2 else [],
    )
    onnx.save(_whole(graph), str(file))
    return file


def _graph(
    file: Path, nodes: list[tuple[str, list[str], str]], tables: dict[str, np.ndarray], out: str, size: int
) -> None:
    made = [helper.make_node(kind, takes, [gives]) for kind, takes, gives in nodes]
    graph = helper.make_graph(
        made,
        "small",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "sequence"])],
        [helper.make_tensor_value_info(out, TensorProto.FLOAT, ["batch", "sequence", size])],
        [numpy_helper.from_array(table, name) for name, table in tables.items()],
    )
    onnx.save(_whole(graph), str(file))


def _whole(graph: onnx.GraphProto) -> onnx.ModelProto:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    return model
