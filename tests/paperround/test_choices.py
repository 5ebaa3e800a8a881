"""What a reader chooses of the letters, by command."""

import pytest

READER = "mira@lab.example"
CHOICES = dict.fromkeys(("papers", "per_topic", "late_risers", "trending", "like_saved", "sent_news"))


def shown(paperround) -> dict:
    return paperround("subscribers", "show", READER, "--json").json


def test_a_reader_chooses_how_many_papers_come_and_changes_only_what_is_said(paperround, folder):
    caps = ("--papers", "4", "--late-risers", "0")
    added = paperround("subscribe", READER, "--topic", "tides", *caps, "--json").json
    assert added["choices"] == {**CHOICES, "papers": 4, "late_risers": 0}
    paperround("subscribe", READER, "--topic", "mud", "--trending", "2")
    assert shown(paperround)["choices"] == {**CHOICES, "papers": 4, "late_risers": 0, "trending": 2}
    for _ in range(2):
        told = paperround("subscribers", "choices", READER, "--per-topic", "3")
        assert told.out.strip() == f"{READER}: papers 4, per-topic 3, late-risers 0, trending 2"
    assert "Chosen for the letters: papers 4, per-topic 3" in paperround("subscribers", "show", READER).out
    assert paperround("subscribers", "choices", READER, "--afresh", "--json").json["choices"] == CHOICES
    assert "as the settings say" in paperround("subscribers", "choices", READER).out


def test_a_reader_lets_related_papers_into_a_topic_or_keeps_them_out(paperround, folder):
    paperround("subscribe", READER, "--topic", "tides mud", "--exact")
    paperround("subscribe", READER, "--topic", "rivers OR hills")
    assert [each["related"] for each in shown(paperround)["topics"]] == [False, None]
    switch = ("--related", "Mud AND tides", "--exact", "(rivers) OR hills")
    for _ in range(2):
        changed = paperround("subscribers", "topics", READER, *switch, "--json").json
        assert [each["related"] for each in changed["topics"]] == [True, False]
    added = paperround("subscribers", "topics", READER, "--add", "N = sand", "--exact", "sand")
    assert [line.split()[-1] for line in added.out.splitlines()[-3:]] == ["match", "never", "never"]
    paperround("subscribe", READER, "--topic", "sand", "--related")
    assert [each["related"] for each in shown(paperround)["topics"]] == [True, False, True]


@pytest.mark.parametrize(
    "arguments",
    [
        ("choices", READER, "--papers", "0"),
        ("choices", READER, "--per-topic", "101"),
        ("choices", READER, "--late-risers", "-1"),
        ("choices", READER, "--trending", "21"),
        ("choices", READER, "--like-saved", "21"),
        ("choices", READER, "--sent-news", "21"),
        ("choices", READER, "--papers", "9" * 30),
        ("choices", READER, "--papers", "many"),
        ("choices", "nobody@lab.example", "--papers", "3"),
        ("topics", READER, "--exact", "hills"),
        ("topics", READER, "--exact", "tides", "--related", "Tides"),
        ("topics", READER, "--exact", "(tides"),
    ],
)
def test_a_choice_that_cannot_be_is_told_in_one_sentence_and_changes_nothing(paperround, folder, arguments):
    paperround("subscribe", READER, "--topic", "tides")
    before = shown(paperround)
    ran = paperround("subscribers", *arguments)
    assert ran.code == 2
    assert ran.err.startswith("paperround: ")
    assert shown(paperround) == before


def test_caps_are_checked_before_anybody_is_added(paperround, folder):
    assert "papers must be 1 to 100" in paperround("subscribe", READER, "--topic", "tides", "--papers", "500").err
    assert paperround("subscribers", "list", "--json").json["subscribers"] == []
