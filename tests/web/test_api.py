"""The API: the archive as JSON, what is refused and how, and that its description is the truth."""

import json
import re
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from digests.citations.records import shown
from domain.errors import DatabaseUnavailable
from domain.topics import WishedTopic
from paperround.cli import run
from topics.query import parse
from web.api.pages import ApiPages
from web.app import create_app
from web.costly import Lanes
from web.rendering import Rendering, SiteFacts
from web.server import serve

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "api.md"
PROBLEM = "application/problem+json"


def get(site, path, headers=None):
    answer = site.ask("GET", f"/api/v1{path}", headers=headers)
    assert answer.status == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return json.loads(answer.text)


def refused(site, path, status, method="GET"):
    """Ask for what is no good; return the problem document."""
    answer = site.ask(method, f"/api/v1{path}")
    assert answer.status == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    assert answer.headers["access-control-allow-origin"] == "*"
    told = json.loads(answer.text)
    assert {"type": "about:blank", "status": status}.items() <= told.items()
    assert told["title"]
    return told


@pytest.fixture(scope="module")
def topic(stocked):
    wished = WishedTopic("Eels", parse("tides eels -octopus"))
    return stocked.house.shared_topics.publish(wished, "api-eels", stocked.clock.now()).public_id


@pytest.fixture
def command(stocked, tmp_path, monkeypatch, capfd):
    """Run a command on the archive of the site; return its JSON."""
    (tmp_path / "paperround.toml").write_text(f'[database]\nurl = "{stocked.house.settings.database.url}"\n')
    monkeypatch.chdir(tmp_path)

    def go(*arguments):
        capfd.readouterr()
        assert run(list(arguments)) == 0
        return json.loads(capfd.readouterr().out)

    return go


# -- papers ------------------------------------------------------------------------------------------------------------


def test_a_search_gives_the_objects_of_the_command_line(stocked, command):
    asked = ("papers", "search", "tides eels", "--limit", "5", "--json")

    assert get(stocked, "/papers?q=tides%20eels&limit=5") == command(*asked)


def test_a_search_may_be_narrowed_and_put_in_order(stocked):
    found = get(stocked, "/papers?source=daily&category=cs&since=2026-11-19&until=2026-11-19&sort=upvotes")

    assert found["total"] == 3
    assert found["order"] == "upvotes"
    assert found["next"] is None
    assert [each["upvotes"] for each in found["papers"]] == [5, 4, 3]
    assert {each["listed"] for each in found["papers"]} == {"2026-11-19"}


@pytest.mark.parametrize("asked", ["q=tides", "q=tides&sort=upvotes", "sort=published", "", "q=tides&sort=first-seen"])
def test_pages_go_on_where_the_one_before_ended_and_end(stocked, asked):
    keys, after = [], ""
    for _ in range(10):
        page = get(stocked, f"/papers?{asked}&limit=20{after}")
        keys += [each["key"] for each in page["papers"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"

    assert len(keys) == len(set(keys)) == page["total"] == 51


def test_a_paper_is_given_whole_by_any_of_its_ids(stocked, command):
    for key in ("arxiv:2611.00004", "https%3A%2F%2Farxiv.org%2Fabs%2F2611.00004v2"):
        assert get(stocked, f"/papers/{key}") == command("papers", "show", "arxiv:2611.00004", "--json")
    assert get(stocked, "/papers/doi:10.1101/a(b)%3Cc%3E")["doi"] == "10.1101/a(b)<c>"
    assert get(stocked, "/papers/doi:10.1101%2Fa(b)%3Cc%3E")["sightings"][0]["source"] == "daily"


def test_texts_are_as_they_are_stored(stocked):
    paper = stocked.house.archive.paper("arxiv:2611.00000")

    assert get(stocked, "/papers/arxiv:2611.00000")["title"] == paper.title
    assert "<script>" in paper.title
    assert shown(paper).items() <= get(stocked, "/papers/arxiv:2611.00000").items()


# -- topics and previews -----------------------------------------------------------------------------------------------


def test_topics_are_those_of_the_operator(stocked, topic):
    reader = stocked.reader()
    tides = next(each for each in stocked.house.topics.all() if each.normal_form == "tides")
    stocked.house.shared_topics.share(reader.id, tides.id, "api-reader", stocked.clock.now())

    listed = get(stocked, "/topics")["topics"]
    assert {"id": topic, "name": "Eels", "query": "tides eels -octopus"} in listed
    assert "api-reader" not in {each["id"] for each in listed}
    assert get(stocked, "/topics/api-reader")["query"] == "tides"


def test_a_topic_tells_its_days_and_its_newest_papers(stocked, topic):
    told = get(stocked, f"/topics/{topic}?days=3&limit=2")

    assert told["days"] == 3
    assert told["newest"] == "2026-11-20"
    assert told["per_day"] == {"2026-11-18": 1, "2026-11-19": 1, "2026-11-20": 1}
    assert told["total"] == 3
    assert [each["listed"] for each in told["papers"]] == ["2026-11-20", "2026-11-19"]
    assert told["papers"][0]["why"]


def test_a_preview_gives_the_object_of_the_command_line(stocked, command):
    for query in ("tides eels -moons", "observation eels", "tides"):
        asked = query.replace(" ", "%20")
        wanted = command("topics", "preview", query, "--days", "10", "--limit", "4", "--json")

        assert get(stocked, f"/preview?q={asked}&days=10&limit=4") == wanted


def test_an_archive_without_papers_answers_too(below):
    for path in ("/papers", "/preview?q=tides", "/topics"):
        answer = below.ask("GET", f"/papers/api/v1{path}")
        assert answer.status == 200
    assert json.loads(below.ask("GET", "/papers/openapi.json").text)["servers"] == [{"url": "/papers/api/v1"}]


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "column"), [("/papers?q=tides%20(eels", 7), ("/preview?q=%22tides", 1), ("/papers?q=-eels", 1)]
)
def test_a_query_that_cannot_be_read_is_told_with_its_column(stocked, path, column):
    told = refused(stocked, path, 400)

    assert told["column"] == column
    assert told["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/papers?sort=relevance",
        "/papers?since=2026-11-20&until=2026-11-19",
        "/papers?after=inf@1",
        "/papers?q=tides&after=x",
        "/papers?sort=published&after=2026-99-99@4",
        "/papers?q=",
        "/papers?q=%00",
        "/preview?q=%20",
    ],
)
def test_what_makes_no_sense_is_told_in_a_sentence(stocked, path):
    told = refused(stocked, path, 400)

    assert 10 < len(told["detail"]) < 300


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/papers?limit=0", "limit"),
        ("/papers?limit=1000000000", "limit"),
        ("/papers?limit=99999999999999999999999999", "limit"),
        ("/papers?limit=ten", "limit"),
        ("/papers?limit=%ff", "limit"),
        ("/papers?sort=best", "sort"),
        ("/papers?since=1700000000", "since"),
        ("/papers?until=2026-02-30", "until"),
        (f"/papers?q={'a' * 1001}", "q"),
        (f"/papers?source={'a' * 201}", "source"),
        ("/preview", "q"),
        ("/preview?q=tides&days=91", "days"),
        ("/topics/x?days=0", "days"),
        (f"/topics/{'a' * 65}", "public_id"),
        (f"/papers/{'a' * 1001}", "key"),
    ],
)
def test_a_parameter_out_of_bounds_is_named(stocked, path, name):
    told = refused(stocked, path, 422)

    assert told["detail"].startswith(f"{name}: ")
    assert "a" * 30 not in told["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/papers/arxiv:9999.99999",
        "/papers/",
        "/papers/%00",
        "/papers/%ff%fe",
        "/papers/..%2f..%2fetc%2fpasswd",
        "/papers/<script>alert(1)</script>",
        "/topics/none",
        "/topics/..%2fx",
        "/topics/%00",
        "/topics/a%0ab",
        "/papers/a%0d%0ab",
        "/",
        "/nothing",
        "/docs",
    ],
)
def test_what_is_not_there_is_a_problem_and_no_page(stocked, path):
    assert "<script" not in json.dumps(refused(stocked, path, 404))


@pytest.mark.parametrize(
    "path",
    [
        "/papers?source=%00",
        "/papers?category=%00&source=%ed%a0%80",
        "/papers?since=0001-01-01&until=9999-12-31",
        "/papers?q=%f0%9f%8c%8a%20tides%20%e2%80%ae&sort=upvotes",
        "/papers?q=tides&after=1e308@999999999999999999",
        "/papers?sort=upvotes&after=999999999999999999@999999999999999999",
        "/papers?sort=upvotes&after=@1",
        "/papers?sort=first-seen&after=9999-12-31T23:59:59Z@1",
        "/papers?sort=published&after=0001-01-01@1",
        "/papers/doi:%00",
        "/papers/%ed%a0%80",
        "/preview?q=quasar&days=90",
        "/preview?q=a*",
        "/preview?q=cat:%00",
        "/topics/%ed%a0%80",
    ],
)
def test_no_database_trips_over_what_is_asked(site, path):
    answer = site.ask("GET", f"/api/v1{path}")

    assert answer.status in {200, 400, 404}
    json.loads(answer.text)


def test_the_api_without_its_slash_leads_to_what_it_says_of_itself(site):
    answer = site.ask("GET", "/api/v1")

    assert (answer.status, answer.headers["location"]) == (308, "/api/v1/")
    assert "/openapi.json" in refused(site, "/", 404)["detail"]


def test_only_reading_is_allowed(stocked):
    for path in ("/papers", "/papers/arxiv:2611.00004", "/topics", "/topics/x", "/preview"):
        for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE"):
            assert refused(stocked, path, 405, method)["detail"]
            assert stocked.ask(method, f"/api/v1{path}").headers["allow"] == "GET, HEAD, OPTIONS"


def test_any_page_may_read_it(stocked):
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"}
    before = stocked.ask("OPTIONS", "/api/v1/papers", headers=asked)

    assert before.status == 204
    assert before.headers["access-control-allow-methods"] == "GET, HEAD, OPTIONS"
    for answer in (before, stocked.ask("GET", "/api/v1/papers", headers=asked), stocked.ask("GET", "/openapi.json")):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
        assert "set-cookie" not in answer.headers


def test_nothing_is_sent_twice_that_did_not_change(stocked, topic):
    for path in ("/papers?q=tides", "/papers/arxiv:2611.00004", "/topics", f"/topics/{topic}", "/preview?q=eels"):
        first = stocked.ask("GET", f"/api/v1{path}")
        again = stocked.ask("GET", f"/api/v1{path}", headers={"If-None-Match": first.headers["etag"]})
        head = stocked.ask("HEAD", f"/api/v1{path}")

        assert (again.status, again.text) == (304, "")
        assert again.headers["access-control-allow-origin"] == "*"
        assert (head.status, head.headers["etag"]) == (200, first.headers["etag"])
        assert first.headers["x-robots-tag"] == "noindex"


# -- limits, and a database that is away -------------------------------------------------------------------------------


class Never:
    def wait(self, _request):
        return 60


@pytest.mark.parametrize("path", ["/api/v1/papers", "/api/v1/nothing", "/openapi.json", "/topics/Eels-1.atom"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_an_archive_of_ones_own_is_read_by_no_page_elsewhere(personal, path, method):
    headers = personal.ask(method, path, headers={"Origin": "https://elsewhere.example"}).headers
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert not [name for name in headers if name.startswith("access-control-")]


class Away:
    def __getattr__(self, name):
        raise DatabaseUnavailable("the disk of /srv is full")


def api(stack, site, *, previews=None, searches=None, lanes=None, finding=None):
    house, rendering = site.house, Rendering(SiteFacts())
    pages = ApiPages(
        finding=finding or house.search,
        keeping=house.archive,
        shared=house.shared_topics,
        look_back=house.previewer.preview,
        lanes=lanes or Lanes(),
        rendering=rendering,
        previews=previews,
        searches=searches,
    )
    app = create_app(rendering=rendering, groups=[pages], healthy=lambda: True)
    return stack.enter_context(serve(app, "127.0.0.1", 0, threading.Event()))


def test_what_looks_back_over_the_archive_may_be_limited(stocked, topic, ask):
    with ExitStack() as stack:
        address = api(stack, stocked, previews=Never())
        for path in ("/preview?q=tides", f"/topics/{topic}"):
            answer = ask(address, "GET", f"/api/v1{path}")
            assert (answer.status, answer.headers["content-type"]) == (429, PROBLEM)
            assert answer.headers["retry-after"] == "60"
        assert ask(address, "GET", "/api/v1/papers?q=tides").status == 200
        answer = ask(api(stack, stocked, searches=Never()), "GET", "/api/v1/papers?q=tides")
        assert (answer.status, answer.headers["retry-after"]) == (429, "60")


def test_where_many_search_already_a_program_is_told_when_to_come_back(stocked, ask):
    with ExitStack() as stack:
        address = api(stack, stocked, lanes=Lanes(0, 0))
        for path in ("/papers?q=tides", "/preview?q=tides"):
            answer = ask(address, "GET", f"/api/v1{path}")
            assert (answer.status, answer.headers["content-type"]) == (503, PROBLEM)
            assert answer.headers["retry-after"] == "5"
        assert ask(address, "GET", "/api/v1/topics").status == 200


def test_a_database_that_is_away_is_a_problem_that_says_when_to_come_back(stocked, ask):
    with ExitStack() as stack:
        answer = ask(api(stack, stocked, finding=Away()), "GET", "/api/v1/papers")

    assert (answer.status, answer.headers["content-type"]) == (503, PROBLEM)
    assert answer.headers["retry-after"] == "30"
    assert "disk" not in answer.text


def test_a_fault_of_ours_is_a_problem_too(stocked, ask, caplog):
    with ExitStack() as stack:
        answer = ask(api(stack, stocked, finding=object()), "GET", "/api/v1/papers")

    assert (answer.status, answer.headers["content-type"]) == (500, PROBLEM)
    assert "search" not in answer.text
    assert "AttributeError" in caplog.text


# -- the description ---------------------------------------------------------------------------------------------------


def test_the_description_names_every_route_and_no_page(stocked):
    described = json.loads(stocked.ask("GET", "/openapi.json").text)

    assert described["openapi"].startswith("3.1")
    assert set(described["paths"]) == {"/papers", "/papers/{key}", "/topics", "/topics/{public_id}", "/preview"}
    assert all(set(methods) == {"get"} for methods in described["paths"].values())
    assert described["servers"] == [{"url": "/api/v1"}]
    assert "HTTPValidationError" not in described["components"]["schemas"]


def test_the_description_says_how_each_answer_may_fail(stocked):
    described = json.loads(stocked.ask("GET", "/openapi.json").text)
    for methods in described["paths"].values():
        answers = methods["get"]["responses"]
        assert {"200", "304", "503"} <= set(answers)
        for status, answer in answers.items():
            if status[0] in "45":
                assert list(answer["content"]) == [PROBLEM]
    limit = next(each for each in described["paths"]["/papers"]["get"]["parameters"] if each["name"] == "limit")
    assert {"minimum": 1, "maximum": 100, "default": 20}.items() <= limit["schema"].items()
    assert "null" not in json.dumps(described["paths"])


# -- docs/api.md -------------------------------------------------------------------------------------------------------


def test_the_examples_of_the_document_are_what_is_answered(stocked):
    stocked.house.shared_topics.publish(WishedTopic("Eels", parse("title:eels")), "Q2hhbms", stocked.clock.now())
    text = DOCUMENT.read_text(encoding="utf-8")
    examples = re.findall(r"^GET (/\S+)\n```\n+```json\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)

    assert len(examples) == text.count("```json") == 7
    for path, told in examples:
        answered = json.loads(stocked.ask("GET", path).text)
        assert alike(json.loads(told), answered), (path, answered)


def alike(told, answered):
    """Whether two answers have the same keys, and values of the same kinds; "…" stands for further keys."""
    if isinstance(told, dict):
        if "…" not in told and not all(key[:2] == "20" for key in told) and set(told) != set(answered):
            return False
        return all(key in answered and alike(value, answered[key]) for key, value in told.items() if key != "…")
    if isinstance(told, list):
        return bool(told) == bool(answered) and (not told or alike(told[0], answered[0]))
    return type(told) is type(answered)


def test_the_document_names_every_parameter_and_status(stocked):
    text = DOCUMENT.read_text(encoding="utf-8")
    described = json.loads(stocked.ask("GET", "/openapi.json").text)
    for path, methods in described["paths"].items():
        assert f"/api/v1{path.partition('{')[0]}" in text
        for each in methods["get"].get("parameters", ()):
            assert each["in"] == "path" or f"`{each['name']}`" in text or f"{each['name']}=" in text
        assert all(f"| {status} |" in text for status in methods["get"]["responses"] if status[0] in "45")
