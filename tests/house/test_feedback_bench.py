import csv
import gzip
import json
from itertools import islice
from pathlib import Path

import pytest

from benchmarks import feedback
from benchmarks.screening import tasks
from domain.errors import UsageError

KINDS = {
    "coral": "Bleached reefs lose algae in hot sea water, and polyps starve",
    "violin": "Varnish and spruce shape the tone of the soundboard",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two tasks: corals among violins, in a CSV file and in a compressed file of JSON lines."""
    rows = [
        {"Title": f"{kind} {n}", "abstract": f"{KINDS[kind]}, study {n}", "label": label}
        for kind, label in (("coral", "1"), ("violin", "0"))
        for n in range(20)
    ]
    with (tmp_path / "one.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows([*rows, {"Title": "no label", "abstract": "", "label": "perhaps"}])
    with gzip.open(tmp_path / "two.jsonl.gz", "wt", encoding="utf-8") as lines:
        for row in rows:
            record = {"title": row["Title"], "text": row["abstract"], "included": row["label"] == "1"}
            lines.write(json.dumps(record) + "\n")
        lines.write("{broken\n")
    return tmp_path


def test_files_of_records_are_tasks_and_what_cannot_be_used_is_counted(folder: Path, capsys) -> None:
    found = list(tasks(folder, 15))
    assert [(each.name, len(each.papers)) for each in found] == [("one", 40), ("two", 40)]
    assert [len(places) for each in found for places in each.relevant.values()] == [20, 20]
    assert "one.csv: 1 × passed over" in capsys.readouterr().err


def test_a_folder_without_tasks_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no"):
        list(tasks(tmp_path, 15))
    with pytest.raises(UsageError, match="no folder"):
        list(tasks(tmp_path / "nowhere", 15))


def test_papers_of_one_kind_are_found_by_a_few_of_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = list(islice(feedback.records(), 400))
    for name, value in (("records", lambda: few), ("_READERS", 100), ("_PAPERS", 100)):
        monkeypatch.setattr(feedback, name, value)
    figures = feedback.run(["--data", str(folder), "--draws", "1", "--profiles", "5"])
    told = feedback.as_json(figures)["feedback_sets"]
    assert set(told) == {"one", "two", "mean"}
    assert told["mean"]["ours"]["ndcg@10 k=5"] == pytest.approx(1.0)
    assert {"ours", "svm"} <= set(told["one"])
    assert any("100 profiles × 100 papers" in each.what and each.reference for each in figures)


def test_saved_papers_are_not_ranked() -> None:
    assert feedback.ndcg([0.9, 0.8, 0.1], saved=[0], wanted=[1]) == 1.0
    assert feedback.ndcg([0.9, 0.8, 0.1], saved=[], wanted=[0]) == 1.0
