import json

import pytest

RECORDS = [
    {
        "title": "Tides of the Inner Estuary",
        "abstract": "A tide comes in, and a tide goes out.",
        "authors": ["Mira Okafor"],
        "categories": ["physics.ao-ph"],
        "doi": "10.5555/1",
        "published": "2026-01-02",
        "listed": "2026-11-18",
    },
    {
        "title": r"A [bold]Model[/bold] with Schr\"odinger in It",
        "abstract": "Nothing but $x + y$ and a tidal\u202e wave.",
        "authors": ["Jun Sato"],
        "categories": ["cs.LG"],
        "doi": "10.5555/2",
        "listed": "2026-11-20",
    },
    {"title": "Moons, and How They Make Tides", "authors": ["Lena Brandt"], "doi": "10.5555/3", "listed": "2026-11-19"},
]


@pytest.fixture
def search(paperround, folder):
    """Run `papers search` over three invented papers."""
    (folder / "papers.jsonl").write_text("".join(json.dumps(each) + "\n" for each in RECORDS))
    assert paperround("import", "papers.jsonl", "--json").json["new"] == 3
    return lambda *words: paperround("papers", "search", *words)


def keys(ran) -> list[str]:
    return [each["key"].removeprefix("doi:10.5555/") for each in ran.json["papers"]]


def test_what_was_found_is_marked_in_json_by_its_places(search):
    found = search("tides", "--json").json["papers"][0]

    assert found["key"] == "doi:10.5555/1"
    snippet = found["snippet"]
    assert [snippet["text"][begin:end] for begin, end in snippet["marks"]] == ["tide", "tide"]
    assert [found["title"][begin:end] for begin, end in found["title_marks"]] == ["Tides"]
    assert found["abstract"] == RECORDS[0]["abstract"]


def test_text_from_outside_is_no_markup_and_no_control_characters(search):
    shown = search("schrodinger").out

    assert r"A [bold]Model[/bold] with Schr\"odinger in It" in shown
    assert "\u202e" not in shown
    assert "Nothing but $x + y$ and a tidal  wave." in shown


def test_filters_narrow_and_need_no_query(search):
    assert keys(search("--since", "2026-11-19", "--json")) == ["3", "2"]
    assert keys(search("--until", "2026-11-18", "--json")) == ["1"]
    assert keys(search("tides", "--category", "physics", "--json")) == ["1"]
    assert keys(search("--votes", "1", "--json")) == []
    source = search("tides", "--json").json["papers"][0]["sources"][0]
    assert keys(search("--source", source, "--sort", "published", "--json")) == ["1", "3", "2"]


def test_pages_go_on_where_one_ended(search):
    first = search("--sort", "first-seen", "--limit", "2", "--json")
    again = search("--sort", "first-seen", "--limit", "2", "--after", first.json["next"], "--json")

    assert (keys(first), keys(again)) == (["3", "2"], ["1"])
    assert (first.json["total"], again.json["total"]) == (3, 3)
    assert first.json["order"] == "first-seen"
    assert again.json["next"] is None
    assert first.json["next"] in search("--sort", "first-seen", "--limit", "2").out


def test_a_source_or_category_that_no_paper_has_is_said(search):
    ran = search("tides", "--source", "elsewhere", "--category", "cs.XX", "--json")

    assert (ran.code, ran.json["total"], ran.json["papers"]) == (0, 0, [])
    assert "'elsewhere'" in ran.err
    assert "'cs.XX'" in ran.err
    assert search("tides", "--category", "cs", "--json").err == ""


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--sort", "relevance"),
        ("--sort", "colour"),
        ("tides", "--since", "2026-11-21", "--until", "2026-11-20"),
        ("tides", "--since", "yesterday"),
        ("tides", "--votes", "-1"),
        ("tides", "--votes", "9" * 40),
        ("tides", "--limit", "0"),
        ("tides", "--after", "forged"),
        ("tides", "--after", "nan@1"),
        ("tides", "--after", "1.5@1", "--sort", "upvotes"),
        ("x" * 10_000,),
        ("tides\0",),
        ("",),
        ("... !!!",),
        ('title : "tides',),
        ("{title} : tides",),
        ("ti*des",),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_two(search, words):
    ran = search(*words)

    assert ran.code == 2
    assert ran.out == ""
    assert len(ran.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "query",
    ["'; DROP TABLE paper --tides", "tides' | !'moon", "rowid", "paper_fts", "<-> & tides", '"tides" NEAR(a b)^2'],
)
def test_signs_of_any_database_are_words_or_refused(search, query):
    assert search(query, "--json").code in {0, 2}
    assert search("tides", "--json").json["total"] == 2
