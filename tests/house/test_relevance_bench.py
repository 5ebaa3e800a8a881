import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.progress import Progress

from benchmarks.labelled import Collection, collections
from benchmarks.references import counts
from benchmarks.relevance import DATA, OURS, lists, measured, measures, paper, topic
from domain.errors import UsageError
from topics.query import LONGEST

Make = Callable[..., Path]

DOCUMENTS = [
    {
        "id": "1",
        "title": "Lift of a wing in a slipstream",
        "text": "The wing lifts more where the slipstream meets it.",
    },
    {"id": "2", "title": "Heat in composite slabs", "text": "How heat is conducted, and how fast slabs cool."},
    {"id": "3", "title": "", "text": "A wing of composite material."},
    {"id": "4", "title": "Shells", "text": ""},
]
QUERIES = [{"id": "a", "text": "wing in slipstream"}, {"id": "b", "text": "heat -conduction (composite) OR"}]
QRELS = ["a\t1\t3", "a\t3\t1", "b\t2\t2"]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def write(
        name: str = "small", documents: object = DOCUMENTS, queries: object = QUERIES, qrels: object = QRELS
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        for file, lines in (("corpus.jsonl", documents), ("queries.jsonl", queries), ("qrels.tsv", qrels)):
            texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
            (folder / file).write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
        return folder

    return write


def answers(folder: Path, batch: int = 5000) -> dict[str, dict[str, list[str]]]:
    with Progress(disable=True) as progress:
        return lists(Collection(folder), batch, progress)


def call(root: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", "relevance", *map(str, arguments)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_bench_tells_every_set_and_their_mean_as_one_object(root: Path, make: Make, tmp_path: Path) -> None:
    make("small")
    make("other", queries=QUERIES[:1])

    answer = call(root, "--data", tmp_path, "--json")

    assert answer.returncode == 0, answer.stderr
    told = json.loads(answer.stdout)
    assert set(told["sets"]) == {"small", "other"}
    assert told["sets"]["small"]["ours"] == {"ndcg@10": 1.0, "map": 1.0, "r@100": 1.0}
    assert told["mean"]["fts5"].keys() == told["mean"]["substring"].keys() == {"ndcg@10", "map", "r@100"}
    assert {figure["collection"] for figure in told["relevance"]} == {"small", "other", "mean"}


def test_a_folder_that_is_not_there_is_told_in_one_sentence(root: Path, tmp_path: Path) -> None:
    answer = call(root, "--data", tmp_path / "nowhere", "--json")

    assert answer.returncode == 2
    assert json.loads(answer.stdout) == {"error": f"There is no folder {tmp_path / 'nowhere'}"}
    assert answer.stderr.strip() == f"relevance: There is no folder {tmp_path / 'nowhere'}"


def test_a_folder_without_all_three_files_is_no_collection(make: Make, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="and no folder in it does"):
        collections(tmp_path)
    (make() / "qrels.tsv").unlink()
    with pytest.raises(UsageError, match=r"small holds no qrels\.tsv"):
        collections(tmp_path)
    with pytest.raises(UsageError, match="no query that a document of it answers"):
        Collection(make("unanswered", qrels=["a\t1\t0", "a\t9\t1"]))


def test_what_cannot_be_used_is_passed_over_and_counted(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    bad = ["no JSON", "[1]", "", '{"title": "no id"}', "[" * 9999, DOCUMENTS[1]]
    odd = ['{"id": "c", "text": "\\ud800"}', '{"id": "d", "text": "nobody answers"}', "{"]
    rows = ["query-id\tcorpus-id\tscore", "a 1 1", "a\t2\tnan", "a\t99\t1", "z\t1\t1", "b\t1\t-1", "c\t4\t1", ""]
    folder = make("small", [*DOCUMENTS, *bad, '{"id": 5, "title": null}'], [*QUERIES, *odd], [*QRELS, *rows])

    collection = Collection(folder)

    assert collection.documents == ["1", "2", "3", "4", "5"]
    assert collection.gains == {"a": {"1": 3.0, "3": 1.0}, "b": {"2": 2.0}, "c": {"4": 1.0}}
    assert collection.queries == {"a": QUERIES[0]["text"], "b": QUERIES[1]["text"], "c": "?"}
    assert sorted(capsys.readouterr().err.splitlines()) == [
        "small: 1 × passed over: a document whose id was there before",
        "small: 1 × passed over: a line of queries.jsonl that is no JSON object with an id",
        "small: 2 × passed over: a line of qrels.tsv about a query or document that is not there",
        "small: 3 × passed over: a line of qrels.tsv that is not query, document and gain",
        "small: 4 × passed over: a line of corpus.jsonl that is no JSON object with an id",
    ]
    assert answers(folder)[OURS] == {"a": ["1", "3"], "b": ["2", "3"]}


def test_the_measures_are_those_of_the_books() -> None:
    gains = {"x": 3.0, "y": 1.0}

    assert measures(["x", "y"], gains) == (1.0, 1.0, 1.0)
    assert measures(["z", "y"], gains) == pytest.approx(((1 / 1.584963) / (3 + 1 / 1.584963), 0.25, 0.5), abs=1e-6)
    assert measures(["z"] * 100 + ["x"], gains) == pytest.approx((0.0, 1 / 101 / 2, 0.0))
    assert measures([], gains) == (0.0, 0.0, 0.0)


@given(st.text(max_size=300))
@example('"quoted" near-by (x OR y) AND NOT z* title:a NEAR(b c) ^d')
@example("the of and")
@example("🤗 + # ++ -")
@example("word" * 2000)
@example(" ".join(f"word{number}" for number in range(3000)))
def test_whatever_a_query_says_it_is_a_topic_of_plain_words_or_none(text: str) -> None:
    made = topic(text)

    assert made is None or (made.is_plain and len(made.normal_form) <= LONGEST)


def test_a_query_is_asked_for_its_words_and_not_for_its_signs() -> None:
    made = topic("State-of-the-art C++: NOT (wings OR) \"state\" 'wings'")

    assert made is not None
    assert made.terms == ("state", "art", "c++", "wings")


def test_the_size_of_a_batch_changes_nothing(make: Make) -> None:
    folder = make()

    assert answers(folder, 1) == answers(folder, 3) == answers(folder)


WORDS = st.lists(st.sampled_from(["wing", "wings", "in", "wi", "ng", "w"]), max_size=5).map(" ".join)


@given(st.lists(st.tuples(WORDS, WORDS), max_size=4), WORDS)
def test_substrings_are_counted_wherever_they_stand(texts: list[tuple[str, str]], query: str) -> None:
    expected = {}
    for number, (title, abstract) in enumerate(texts):
        expected[number] = sum(20 * (word in title) + min(3, abstract.count(word)) for word in set(query.split()))
    [(_, counted)] = counts(
        [paper(number, *each) for number, each in enumerate(texts)], {"q": tuple(set(query.split()))}
    )

    assert counted == sorted((-count, number) for number, count in expected.items() if count)


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared collections are not here")
@pytest.mark.parametrize(("name", "reference"), [("cranfield", 0.375), ("npl", 0.442), ("cf", 0.484)])
def test_the_rankers_first_ten_are_not_worse_than_the_reference(name: str, reference: float) -> None:
    collection = Collection(DATA / name)
    with Progress(disable=True) as progress:
        means = measured(collection, lists(collection, 5000, progress))

    assert means[OURS]["ndcg@10"] >= reference - 0.005
    assert means[OURS]["ndcg@10"] > means["fts5"]["ndcg@10"]
