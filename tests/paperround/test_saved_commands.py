"""What readers saved, and what was learned from it: by command."""

import json

import pytest

READER = "mira@lab.example"


@pytest.fixture
def keys(paperround, configured) -> list[str]:
    paperround("subscribe", READER, "--topic", "agents")
    assert paperround("collect", "--day", "2026-11-20").code == 0
    lines = paperround("papers", "export").out.splitlines()
    return [json.loads(line)["key"] for line in lines[:3]]


def listed(paperround, *more: str) -> list[str]:
    return [each["key"] for each in paperround("saved", "list", READER, *more, "--json").json["papers"]]


def test_papers_are_saved_listed_and_taken_back(paperround, keys):
    added = paperround("saved", "add", READER, *keys)
    assert added.code == 0
    assert added.out.splitlines()[0].startswith(f"saved: {keys[0]} ")
    assert listed(paperround) == keys[::-1]
    assert listed(paperround, "--limit", "1") == [keys[2]]
    assert "1 of 3 papers" in paperround("saved", "list", READER, "--limit", "1").out
    assert paperround("saved", "remove", READER, keys[1]).code == 0
    assert listed(paperround) == [keys[2], keys[0]]
    again = paperround("saved", "remove", READER, keys[1])
    assert (again.code, "said nothing of" in again.err) == (2, True)


def test_what_was_said_last_holds_and_the_same_twice_is_once(paperround, keys):
    for _ in range(2):
        assert paperround("saved", "add", READER, keys[0], keys[0]).code == 0
    assert listed(paperround) == [keys[0]]
    paperround("saved", "add", READER, keys[0], "--less")
    assert (listed(paperround), listed(paperround, "--less")) == ([], [keys[0]])
    assert "saved no paper" in paperround("saved", "list", READER).out


@pytest.mark.parametrize(
    "command",
    [("list",), ("add", "arxiv:2611.00001"), ("remove", "arxiv:2611.00001"), ("profile",), ("reset", "--yes"),
     ("edit", "--in", "tides"), ("export",)],
)  # fmt: skip
def test_an_address_that_nobody_has_is_told(paperround, configured, command):
    verb, *rest = command
    refused = paperround("saved", verb, "nobody@lab.example", *rest)
    assert (refused.code, "'nobody@lab.example' is no subscriber" in refused.err) == (2, True)


def test_one_unknown_paper_and_none_is_saved(paperround, keys):
    refused = paperround("saved", "add", READER, keys[0], "arxiv:9999.99999")
    assert (refused.code, "there is no paper 'arxiv:9999.99999'" in refused.err) == (2, True)
    assert listed(paperround) == []


def test_one_more_paper_than_a_reader_may_have(paperround, keys, monkeypatch):
    monkeypatch.setattr("storage.likings.MOST_SAVED", 2)
    refused = paperround("saved", "add", READER, *keys)
    assert (refused.code, "2 papers are the most that one reader can have" in refused.err) == (2, True)
    assert listed(paperround) == [keys[1], keys[0]]


def test_who_left_saves_nothing(paperround, keys):
    paperround("subscribers", "unsubscribe", READER)
    assert "no letters go to this reader" in paperround("saved", "add", READER, keys[0]).err


def test_words_are_put_in_left_out_and_restored(paperround, keys):
    edited = paperround("saved", "edit", READER, "--in", "Tides", "--in", "tides", "--out", "mud")
    assert "Put in: tides" in edited.out
    assert "Left out: mud" in edited.out
    found = paperround("saved", "profile", READER, "--json").json
    assert {(each["word"], each["edit"]) for each in found["edits"]} == {("tides", "in"), ("mud", "out")}
    assert paperround("saved", "edit", READER, "--restore", "tide", "--json").json["edits"] == [
        {"word": "mud", "edit": "out"}
    ]


@pytest.mark.parametrize("word", ["", "!!!", "two words", "w" * 61, "a\x1bb"])
def test_what_is_no_word_is_refused_and_nothing_is_changed(paperround, keys, word):
    refused = paperround("saved", "edit", READER, "--in", "tides", "--out", word)
    assert (refused.code, "is not one word" in refused.err) == (2, True)
    assert paperround("saved", "profile", READER, "--json").json["edits"] == []


@pytest.mark.parametrize(("word", "said"), [("2026", "is a number"), ("the", "stands in every paper")])
def test_a_word_that_says_nothing_of_a_paper_is_refused(paperround, keys, word, said):
    refused = paperround("saved", "edit", READER, "--in", word)
    assert (refused.code, said in refused.err) == (2, True)


def test_what_was_never_edited_cannot_be_restored(paperround, keys):
    refused = paperround("saved", "edit", READER, "--restore", "nothere")
    assert (refused.code, "nothing to restore" in refused.err) == (2, True)


def test_a_word_is_not_put_in_and_left_out_at_once(paperround, keys):
    assert paperround("saved", "edit", READER, "--in", "tide", "--out", "tides").code == 2
    assert paperround("saved", "edit", READER).code == 2


def test_what_is_learned_is_shown_and_forgotten(paperround, keys):
    assert "Nothing is learned yet." in paperround("saved", "profile", READER).out
    paperround("saved", "add", READER, *keys[:2])
    paperround("saved", "add", READER, keys[2], "--less")
    shown = paperround("saved", "profile", READER)
    assert "Learned from 2 papers saved and 1 of which less is wanted." in shown.out
    found = paperround("saved", "profile", READER, "--json").json
    assert (found["saved"], found["disliked"], found["stale"]) == (2, 1, False)
    assert paperround("saved", "reset", READER).code == 2
    assert paperround("saved", "reset", READER, "--yes", "--json").json["papers"] == 3
    assert "Nothing is learned yet." in paperround("saved", "profile", READER).out
    assert listed(paperround) == []


@pytest.mark.parametrize("form", ["bibtex", "ris", "csv", "jsonl"])
def test_saved_papers_leave_in_every_format(paperround, keys, form):
    paperround("saved", "add", READER, *keys[:2])
    paperround("saved", "add", READER, keys[2], "--less")
    done = paperround("saved", "export", READER, "--format", form)
    assert done.code == 0
    if form == "jsonl":
        assert [json.loads(line)["key"] for line in done.out.splitlines()] == [keys[1], keys[0]]
    assert keys[2].partition(":")[2] not in done.out
    assert paperround("saved", "export", READER, "--format", "xml").code == 2


def test_a_library_of_which_a_part_was_taken_tells_each_line_and_ends_with_1(paperround, folder):
    paperround("subscribe", READER, "--topic", "tides")
    broken = "\n".join(f"@misc{{b{n}, year = {n}}}" for n in range(7))
    (folder / "library.bib").write_text(f"@misc{{a, title={{Tides}}, year=2011}}\n{broken}\n", encoding="utf-8")
    first = paperround("saved", "import", READER, "library.bib")
    assert (first.code, "1 saved" in first.out) == (1, True)
    assert [line.split()[1] for line in first.out.splitlines() if line.startswith("Line ")] == ["2", "3", "4", "5", "6"]
    assert "And 2 more." in first.out
    assert "What was known before stays as it is." in paperround("saved", "import", READER, "library.bib").out

    assert "2011" in paperround("saved", "export", READER).out
    (copy,) = paperround("saved", "list", READER, "--json").json["papers"]
    assert paperround("saved", "add", READER, "--less", copy["key"]).code == 0
    assert paperround("saved", "list", READER, "--less", "--json").json["total"] == 1
