"""A sentence model is loaded from its directory by the real runtime; what is wrong with it is said in a sentence."""

import subprocess
import sys
from pathlib import Path
from platform import machine

import pytest

from domain.errors import ModelUnusable
from tests.model_maker import SUBJECTS, make_apart, make_int8, make_model, make_other, pooled_by
from topics.meaning.directory import files_in
from topics.meaning.onnx_model import load
from topics.meaning.vectors import cosines, quantized

ROOT = Path(__file__).resolve().parents[3]


def test_texts_of_one_subject_are_near_and_others_far(tmp_path):
    model = load(make_model(tmp_path / "small"))

    tides, ebb, mud, none = model.embed(["The tides", "EBB and flood", "mud", ""])

    assert model.identity().name == "small"
    assert (model.identity().dimensions, len(tides)) == (8, 8)
    near, far, nothing = cosines(tides, [ebb, mud, none])
    assert near > 0.9
    assert abs(far) < 0.2
    assert abs(nothing) < 0.2


def test_many_texts_are_read_as_if_each_were_alone(tmp_path):
    model = load(make_model(tmp_path))
    texts = [" ".join([word] * (1 + place % 7)) for place, word in enumerate([*SUBJECTS] * 8)]

    assert model.embed(texts) == [model.embed([each])[0] for each in texts]


def test_the_smaller_of_two_graphs_is_taken_and_the_hash_is_of_what_decides(tmp_path):
    make_model(tmp_path)
    plain = files_in(tmp_path)
    make_model(tmp_path, name="model_int8.onnx", turn=0.5)
    small = files_in(tmp_path)

    assert (plain.graph.name, small.graph.name) == ("model.onnx", "model_int8.onnx")
    assert plain.sha256 != small.sha256
    assert files_in(pooled_by(tmp_path, cls=False)).sha256 == small.sha256
    assert files_in(pooled_by(tmp_path, cls=True)).sha256 != small.sha256
    (tmp_path / "README.md").write_text("decides nothing")
    assert files_in(pooled_by(tmp_path, cls=False)).sha256 == small.sha256


def test_the_first_word_alone_counts_where_the_model_says_so(tmp_path):
    first = load(pooled_by(make_model(tmp_path), cls=True))
    mean = load(pooled_by(tmp_path, cls=False))

    assert first.embed(["mud tides tides tides"]) == first.embed(["mud"])
    assert mean.embed(["mud tides tides tides"]) != mean.embed(["mud"])


def test_what_is_beyond_the_models_length_is_not_read(tmp_path):
    model = load(pooled_by(make_model(tmp_path), cls=False, tokens=3))
    assert model.embed(["mud mud mud tides tides"]) == model.embed(["mud mud mud"])


def test_an_int8_graph_reads_as_the_plain_one_does(tmp_path):
    small, plain = load(make_int8(tmp_path / "int8")), load(make_model(tmp_path / "plain"))
    texts = ["tides", "mud and silt", "rain of mud"]
    for one, other in zip(small.embed(texts), plain.embed(texts), strict=True):
        assert cosines(one, [other])[0] > 0.98


@pytest.mark.parametrize("name", ["model.onnx_data", "weights.bin"])
def test_weights_beside_the_graph_are_part_of_the_model(tmp_path, name):
    folder = make_apart(tmp_path / "model", name)
    first = load(folder).identity().sha256
    weights = bytearray((folder / name).read_bytes())
    weights[-1] ^= 1
    (folder / name).write_bytes(weights)
    assert files_in(folder).sha256 != first
    (folder / name).unlink()
    with pytest.raises(ModelUnusable, match="cannot be loaded"):
        load(folder)


def test_of_graphs_for_processors_that_of_this_one_is_taken(tmp_path):
    for name in ("model_qint8_arm64.onnx", "model_qint8_avx512.onnx"):
        make_model(tmp_path, name=name)
    assert ("arm64" in files_in(tmp_path).graph.name) == (machine() in {"arm64", "aarch64"})


def test_a_path_that_nobody_can_read_says_so(tmp_path):
    with pytest.raises(ModelUnusable, match="cannot be read"):
        load(tmp_path / ("x" * 300))


def test_the_model_of_the_settings_is_the_one_of_its_hash(tmp_path):
    files = files_in(make_model(tmp_path))
    assert load(tmp_path, sha256=files.sha256).identity().sha256 == files.sha256
    make_model(tmp_path, turn=1.0)
    with pytest.raises(ModelUnusable, match="is not the one of"):
        load(tmp_path, sha256=files.sha256)


def _cut(folder):
    whole = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(whole[: len(whole) // 2])


def _no_json(folder):
    (pooled_by(folder, cls=False) / "1_Pooling" / "config.json").write_text("{")


DAMAGE = {
    "no directory": lambda folder: folder.rename(folder.with_name("moved")),
    "no graph": lambda folder: (folder / "model.onnx").unlink(),
    "no tokenizer": lambda folder: (folder / "tokenizer.json").unlink(),
    "cut": _cut,
    "empty": lambda folder: (folder / "model.onnx").write_bytes(b""),
    "no model": lambda folder: (folder / "model.onnx").write_text("a page that says 404"),
    "no words": lambda folder: (folder / "tokenizer.json").write_text('{"version": "1.0"}'),
    "no json": _no_json,
    "pictures": lambda folder: make_other(folder / "model.onnx", inputs=("pixel_values",), rank=2),
    "other shape": lambda folder: make_other(folder / "model.onnx", rank=4),
    "other width": lambda folder: make_other(folder / "model.onnx", rank=2),
}


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("no directory", "there is no model directory"),
        ("no graph", "holds no ONNX model"),
        ("no tokenizer", "holds no tokenizer.json"),
        ("cut", "cannot be loaded"),
        ("empty", "cannot be loaded"),
        ("no model", "cannot be loaded"),
        ("no words", "is no tokenizer"),
        ("no json", "cannot be read"),
        ("pictures", "asks for pixel_values"),
        ("other shape", "not a vector a token"),
        ("other width", "no numbers of one width"),
    ],
)
def test_a_model_that_cannot_be_used_says_why_and_where(tmp_path, how, said):
    folder = make_model(tmp_path / "model")
    DAMAGE[how](folder)
    with pytest.raises(ModelUnusable, match=said) as error:
        load(folder)
    assert str(tmp_path) in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_vectors_are_of_one_length_and_what_is_no_number_points_nowhere():
    one, none, nothing = quantized([[3.0, 4.0], [float("nan"), 0.0], [0.0, 0.0]])
    assert cosines(one, [one])[0] == pytest.approx(1.0, abs=0.02)
    assert cosines(one, [none, nothing, b"\x01", b""]) == [0.0, 0.0, 0.0, 0.0]
    assert cosines(b"", [one]) == [0.0]
    assert cosines(one, []) == []


def test_without_the_extra_the_room_is_there_and_a_model_says_what_to_install(tmp_path):
    make_model(tmp_path)
    script = """
import sys
for name in ("numpy", "onnxruntime", "tokenizers", "huggingface_hub"):
    sys.modules[name] = None
from pathlib import Path
from platform import machine
import topics.meaning.vectors
from domain.errors import ModelUnusable
from topics.meaning.hub import fetched
from topics.meaning.onnx_model import load
for act in (lambda: load(Path(sys.argv[1])), lambda: fetched("a/b", "")):
    try:
        act()
    except ModelUnusable as error:
        print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.count("pip install 'paperround[semantic]'") == 2, done.stderr
