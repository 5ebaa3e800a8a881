import json
from pathlib import Path

from rich.progress import Progress

from benchmarks.labelled import Collection
from benchmarks.meaning import MIXED, MIXED_IN_TIERS, Meanings, Reading
from benchmarks.relevance import OURS, lists

_DOCUMENTS = [("1", "Tides", "Of mud and foxes."), ("2", "Tides", "Of mud and silt."), ("3", "Ebb", "Of silt.")]


def _embed(texts: list[str]) -> list[bytes]:
    return [bytes([0, 127]) if "silt" in text or text == "tides mud" else bytes([127, 0]) for text in texts]


def _cosines(one: bytes, many: list[bytes]) -> list[float]:
    return [float(each == one) for each in many]


def test_a_collection_is_read_once_and_ranked_by_the_mix(tmp_path: Path) -> None:
    documents = [{"id": each, "title": title, "text": text} for each, title, text in _DOCUMENTS]
    for name, lines in (("corpus", documents), ("queries", [{"id": "a", "text": "tides mud"}])):
        (tmp_path / f"{name}.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    (tmp_path / "qrels.tsv").write_text("a\t2\t1\n", encoding="utf-8")
    collection, cache, done = Collection(tmp_path), tmp_path / "cache", []

    def answers(reading: Reading) -> dict[str, dict[str, list[str]]]:
        def meant(step):
            return Meanings(collection, reading, cache, lambda number: (done.append(number), step(number)))

        with Progress(disable=True) as progress:
            return lists(collection, 5000, progress, meant)

    told = answers(Reading("one", _embed, "{}. {}".format, _cosines))
    assert told[OURS]["a"] == ["1", "2"]
    assert told[MIXED]["a"] == told[MIXED_IN_TIERS]["a"] == ["2", "1"]
    asked = []
    again = answers(Reading("one", lambda texts: asked.extend(texts) or _embed(texts), "{}. {}".format, _cosines))
    assert (again, asked, done) == (told, ["tides mud"], [3, 3])
