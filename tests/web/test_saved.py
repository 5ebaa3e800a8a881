"""Saved papers on a reader's own page: seen, added, removed, taken away and forgotten."""

import re
from datetime import UTC, date, datetime
from urllib.parse import urlencode

import pytest

from domain.learning import Edit, Liking
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing
from domain.subscriptions import SubscriberState
from storage.likings import Likings
from storage.profiles import Profiles

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=cut"}
KEYS = [f"arxiv:2611.78{number:03}" for number in range(60)]
DOI = "doi:10.1000/silt(1)<2>"


@pytest.fixture(scope="module", autouse=True)
def _papers(site):
    listed = [
        ListedPaper(
            title=f"Mud <b>moves</b>, case {number}",
            rank=number + 1,
            ids=Identifiers(arxiv=key.removeprefix("arxiv:")),
            abstract="Mud moves along forty estuaries & back.",
            abstract_kind=AbstractKind.AUTHORS,
            authors=("Mira Okafor",),
        )
        for number, key in enumerate(KEYS)
    ]
    listed.append(ListedPaper(title="Silt", rank=61, ids=Identifiers(doi=DOI.removeprefix("doi:"))))
    site.house.archive.add(Listing("daily", date(2026, 11, 20), tuple(listed), FetchStatus.OK), NOW)


@pytest.fixture(autouse=True)
def _at_rest(site):
    site.clock.set(NOW)


def page(site, reader):
    return f"{site.path(site.links.preferences(reader.public_id))}/saved"


def press(site, reader, **fields):
    return site.ask("POST", page(site, reader), urlencode(fields).encode(), URLENCODED)


def said(site, reader):
    return [(each.key, each.liking, each.place) for each in Likings(site.database).of(reader.id)]


def upload(liking: str, file: bytes) -> bytes:
    return (
        f'--cut\r\nContent-Disposition: form-data; name="liking"\r\n\r\n{liking}\r\n--cut\r\n'
        'Content-Disposition: form-data; name="file"; filename="a.bib"\r\n\r\n'
    ).encode() + (file + b"\r\n--cut--\r\n")


# -- looking ---------------------------------------------------------------------------------------------------------


def test_a_page_of_nothing_says_so_and_the_preferences_lead_to_it(site):
    reader = site.reader()
    before = site.tables()

    answer = site.ask("GET", page(site, reader))

    assert answer.status == 200
    assert answer.text.count("Nothing yet.") == 2
    assert "Nothing was learned yet." in answer.text
    assert (answer.headers["x-robots-tag"], answer.headers["cache-control"]) == ("noindex", "no-store")
    assert f'href="{page(site, reader)}"' in site.ask("GET", page(site, reader).removesuffix("/saved")).text
    assert site.tables() == before


@pytest.mark.parametrize("path", ["", ".bib", "/reset"])
def test_no_method_but_post_changes_anything(site, path):
    reader = site.reader()
    press(site, reader, action="save", liking="more", paper=KEYS[0])
    before = site.tables()

    for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE"):
        assert site.ask(method, page(site, reader) + path, b"action=reset", URLENCODED).status < 500
    assert site.ask("GET", page(site, reader).replace("/preferences/", "/library/")).status == 404
    assert site.tables() == before


def test_long_lists_are_turned_page_by_page_the_newest_first(site):
    reader = site.reader()
    for key in KEYS:
        Likings(site.database).mark(reader.public_id, key, Liking.MORE, NOW, "command")

    first = site.ask("GET", page(site, reader)).text
    (older,) = re.findall(r'href="([^"]*\?more=\d+)#more"', first)
    second = site.ask("GET", older).text

    def cases(text):
        return [int(each) for each in re.findall(r"case (\d+)</a>", text)]

    assert cases(first) == list(range(59, 9, -1))
    assert cases(second) == list(range(9, -1, -1))
    assert "?more=" not in second
    for odd in ("x", "-1", "9" * 30, "٣"):
        assert site.ask("GET", f"{page(site, reader)}?{urlencode({'more': odd})}").status == 200


# -- changing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        (KEYS[3], KEYS[3]),
        ("2611.78003", KEYS[3]),
        ("https://arxiv.org/abs/2611.78003v2", KEYS[3]),
        ("https://digests.example.org/papers/arxiv:2611.78003?x=1#similar", KEYS[3]),
        ("https://digests.example.org/papers/arxiv:2611.78003.bib", KEYS[3]),
        ("https://digests.example.org/papers/doi:10.1000/silt(1)%3C2%3E", DOI),
    ],
)
@pytest.mark.parametrize("liking", ["more", "less"])
def test_a_paper_is_saved_by_any_id_or_link_and_twice_is_the_same(site, typed, key, liking):
    reader = site.reader()

    for _ in range(2):
        assert press(site, reader, action="save", liking=liking, paper=f" {typed} ").status == 200
        assert said(site, reader) == [(key, Liking(liking), "/preferences")]


@pytest.mark.parametrize(
    "typed", ["", "arXiv:9901.00001", "<script>", "x" * 1_001, "\x00", "https://lab.example/papers/"]
)
def test_what_names_no_paper_is_told_beside_the_field_and_what_was_typed_is_kept(site, typed):
    reader = site.reader()

    answer = press(site, reader, action="save", liking="more", paper=typed)

    assert answer.status == 422
    assert "Nothing was changed." in answer.text
    assert 'aria-describedby="paper-wrong' in answer.text
    assert "<script>" not in answer.text
    assert said(site, reader) == []


def test_a_paper_is_removed_and_nobody_removes_anothers(site):
    reader, other = site.reader(), site.reader()
    press(site, reader, action="save", liking="less", paper=KEYS[0])
    (saved,) = Likings(site.database).of(reader.id)

    press(site, other, action="remove", number=saved.number)
    assert len(said(site, reader)) == 1
    assert "The paper was removed" in press(site, reader, action="remove", number=saved.number).text
    assert "nothing to remove" in press(site, reader, action="remove", number=saved.number).text
    assert said(site, reader) == []


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"action": "x"},
        {"action": "save", "paper": KEYS[0]},
        {"action": "save", "paper": KEYS[0], "liking": "much"},
        {"action": "remove"},
        {"action": "remove", "number": "one"},
    ],
)
def test_what_no_page_of_ours_sends_changes_nothing(site, fields):
    reader = site.reader()
    before = site.tables()

    assert press(site, reader, **fields).status == 400
    assert site.tables() == before


def test_a_word_is_put_in_and_taken_away_by_its_stem(site):
    reader = site.reader()

    assert "<bdi>estuaries</bdi>" in press(site, reader, action="in", word="“Estuaries”").text
    ((stem, edited),) = Profiles(site.database).of([reader.id])[reader.id].edits.items()
    assert (stem, edited.word, edited.edit) == ("estuari", "estuaries", Edit.IN)
    assert "<bdi>estuaries</bdi>" not in press(site, reader, action="undo", stem=stem).text
    assert press(site, reader, action="undo", stem=stem).status == 200
    assert "nothing to leave out" in press(site, reader, action="out", stem="of nothing that was learned").text
    assert not Profiles(site.database).of([reader.id])[reader.id].edits


@pytest.mark.parametrize("word", ["", "two words", "!?", "x" * 61, "\u202e"])
def test_what_is_not_one_word_is_not_put_in(site, word):
    reader = site.reader()
    before = site.tables()

    assert press(site, reader, action="in", word=word).status == 422
    assert site.tables() == before


def test_what_is_saved_is_learned_at_once_and_a_word_of_it_is_left_out_and_restored(site):
    reader = site.reader()
    for key in KEYS[:3]:
        text = press(site, reader, action="save", liking="more", paper=key).text
    assert "Learned from 3 papers that you saved." in text
    assert "<bdi>mud</bdi>" in text

    def words():
        return [each.stem for each in Profiles(site.database).of([reader.id])[reader.id].more.terms]

    for _ in range(2):
        press(site, reader, action="out", stem="mud")
        assert "mud" not in words()
    assert 'aria-label="Restore: mud"' in site.ask("GET", page(site, reader)).text
    for _ in range(2):
        press(site, reader, action="undo", stem="mud")
        assert "mud" in words()


def test_everything_is_forgotten_after_one_page_with_one_button(site):
    reader = site.reader()
    press(site, reader, action="save", liking="more", paper=KEYS[0])
    press(site, reader, action="in", word="silt")

    asked = site.ask("GET", f"{page(site, reader)}/reset").text
    assert asked.count("<button") == 1
    assert "1 paper," in asked
    assert site.ask("POST", f"{page(site, reader)}/reset", b"", URLENCODED).status == 400
    assert len(said(site, reader)) == 1
    for _ in range(2):
        assert site.ask("POST", f"{page(site, reader)}/reset", b"action=reset", URLENCODED).status == 200
        assert said(site, reader) == []
    assert "silt" not in site.ask("GET", page(site, reader)).text.lower().partition("<h2")[2].partition("<footer")[0]


# -- taking away, and bringing ---------------------------------------------------------------------------------------


def test_what_was_saved_is_taken_away_as_bibtex(site):
    reader = site.reader()
    press(site, reader, action="save", liking="more", paper=KEYS[0])
    press(site, reader, action="save", liking="less", paper=KEYS[1])

    answer = site.ask("GET", f"{page(site, reader)}.bib")

    assert answer.headers["content-disposition"] == 'attachment; filename="saved-papers.bib"'
    assert (answer.headers["x-robots-tag"], answer.headers["cache-control"]) == ("noindex", "no-store")
    assert answer.text.count("@misc{") == 1
    assert "{2611.78000}" in answer.text


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (upload("more", b""), MULTIPART, 422),
        (upload("much", b"@misc{a}"), MULTIPART, 400),
        (upload("more", b"@misc{a}")[:-9], MULTIPART, 400),
        (b"liking=more", URLENCODED, 415),
        (b"liking=more", {}, 415),
        (None, {**MULTIPART, "Content-Length": str(4 * 1024 * 1024 + 8_192)}, 413),
        (upload("more", b"@misc{a}"), {**MULTIPART, "Origin": "https://elsewhere.example"}, 403),
    ],
    ids=["no file", "no liking", "cut", "urlencoded", "untyped", "too large", "another site"],
)
def test_what_is_no_file_of_ours_changes_nothing(site, body, headers, status):
    reader = site.reader()
    path = site.path(site.links.preferences(reader.public_id)).replace("/preferences/", "/library/")
    before = site.tables()

    assert site.ask("POST", path, body, headers).status == status
    assert site.tables() == before


def test_no_other_form_of_the_site_takes_a_file(site):
    reader = site.reader()

    assert site.ask("POST", page(site, reader), upload("more", b"a"), MULTIPART).status == 415


# -- who may ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [SubscriberState.PENDING, SubscriberState.UNSUBSCRIBED, SubscriberState.SUPPRESSED])
def test_who_has_no_letters_sees_and_changes_nothing(site, state):
    reader = site.reader(state)
    before = site.tables()

    assert "<form" not in site.ask("GET", page(site, reader)).text
    answer = press(site, reader, action="save", liking="more", paper=KEYS[0])
    assert (answer.status, "Nothing was changed." in answer.text) == (409, True)
    assert site.ask("POST", f"{page(site, reader)}/reset", b"action=reset", URLENCODED).status == 409
    assert site.tables() == before


@pytest.mark.parametrize("path", ["/preferences/{}/saved", "/preferences/{}/saved.bib", "/preferences/{}/saved/reset"])
def test_a_link_that_is_not_whole_opens_nothing(site, path):
    token = site.links.preferences(site.reader().public_id).rpartition("/")[2]

    for wrong in (token[:-1], token[::-1]):
        assert site.ask("GET", path.format(wrong)).status == 404
    assert site.ask("POST", f"/library/{token[:-1]}", upload("more", b"@misc{a}"), MULTIPART).status == 404
