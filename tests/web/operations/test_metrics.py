"""The figures for Prometheus: for loopback and the operator, read by its own parser, named as the document does."""

import math
import re
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update

from domain.deliveries import DeliveryState
from domain.papers import Fetched, FetchStatus
from storage.migrate import HEAD
from storage.passes import PassRecords
from storage.tables import SUBSCRIBER
from web.operations.figures import FIGURES

S = DeliveryState
DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "metrics.md"


@pytest.fixture
def figures(lab):
    """Read a figure as Prometheus would."""

    def read(figure: str, **labels: str) -> float:
        answer = lab.ask(path="/metrics")
        assert answer.status == 200
        found = {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }
        return found[f"paperround_{figure}", tuple(sorted(labels.items()))]

    return read


def test_the_figures_are_what_stands_in_the_archive(lab, figures, now):
    lab.letter()
    lab.letter(S.REJECTED, enhanced="5.1.1")
    lab.letter(S.DEFERRED, at=now - 3 * timedelta(hours=1))
    lab.letter(S.UNCERTAIN)
    lab.house.troubles.failed("source:hf", "no answer", now)

    assert figures("readers", state="confirmed") == 4
    assert figures("deliveries", state="accepted") == 1
    assert figures("deliveries", state="deferred") == 1
    assert figures("deliveries", state="leased") == 0
    assert figures("today", fate="refused") == 1
    assert figures("undecided") == 1
    assert figures("oldest_open_delivery_seconds") == 10_800
    assert figures("trouble", name="source:hf") == 1
    assert figures("source_status", source="hf", status="ok") == 1
    assert figures("source_status", source="hf", status="failed") == 0
    assert figures("run_last_finished_timestamp_seconds", job="collect:hf") == now.timestamp()
    assert figures("topics") == 1


def test_a_hold_and_a_shut_relay_are_figures(lab, figures, now):
    assert (figures("held"), figures("relay_shut")) == (0, 0)
    lab.house.installation.pause(now)
    lab.shut("535", now + timedelta(minutes=5))
    lab.later(timedelta(seconds=10))
    assert (figures("held"), figures("relay_shut")) == (1, 1)


def test_names_from_outside_are_labels_and_nothing_else(operated, now):
    lab = operated(sources=[{"name": 'a"} 1\nb\\', "kind": "huggingface-daily", "url": "http://127.0.0.1:9"}][:0])
    lab.house.troubles.failed('source:a"} 1\nb\\', "x", now)
    answer = lab.ask(path="/metrics")
    families = {each.name: each for each in text_string_to_metric_families(answer.text)}
    assert families["paperround_trouble"].samples[0].labels == {"name": 'source:a"} 1\nb\\'}


@pytest.mark.parametrize(
    "header",
    [
        {"X_Forwarded_For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"X_Real_IP": "127.0.0.1"},
        {"Via": "1.1 front"},
        {"Host": "digests.example.org"},
    ],
)
def test_what_came_through_a_proxy_is_not_this_machine(lab, basic_of, password, header):
    assert lab.ask(path="/metrics", **header).status == 401
    assert lab.ask(path="/metrics", Authorization=basic_of(password), **header).status == 200


def test_a_site_below_a_path_gives_them_in_both_places(operated, basic_of, password):
    lab = operated(base_url="https://digests.example.org/papers", secret_key="k" * 40)
    signed = {"Authorization": basic_of(password)}
    paths = ("/metrics", "/papers/metrics", "/operations")
    assert [lab.ask(path=path, **signed).status for path in paths] == [200, 200, 404]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]:80", "digests.example.org"])
def test_a_site_that_others_reach_asks_for_the_password_whatever_the_host_says(operated, basic_of, password, host):
    lab = operated(base_url="https://digests.example.org", secret_key="k" * 40)
    assert lab.ask(path="/metrics", Host=host).status == 401
    assert lab.ask(path="/metrics", Host=host, Authorization=basic_of(password)).status == 200


def test_a_site_of_this_machine_alone_needs_none(operated):
    assert operated(base_url="http://127.0.0.1:8000", secret_key="k" * 40).ask(path="/metrics").status == 200


def test_a_scrape_leaves_nothing_behind(lab):
    first, second = lab.ask(path="/metrics"), lab.ask(path="/metrics")
    assert first.text == second.text
    assert first.headers["content-type"].startswith("text/plain")


def test_the_document_names_every_figure_and_no_other():
    rows = re.findall(
        r"^\| `paperround_(\w+)(?:\{([\w, ]+)\})?` \| (\w+) \| (.+?) \|$",
        DOCUMENT.read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )
    assert rows == [(name, ", ".join(each.labels), each.kind, each.says) for name, each in FIGURES.items()]


def test_every_figure_of_the_document_is_given_with_its_kind_and_words(lab):
    families = {each.name: each for each in text_string_to_metric_families(lab.ask(path="/metrics").text)}
    given = {name: (each.type, each.documentation) for name, each in families.items()}
    assert given == {
        f"paperround_{name.removesuffix('_total')}": (each.kind, each.says) for name, each in FIGURES.items()
    }
    for name, each in FIGURES.items():
        for sample in families[f"paperround_{name.removesuffix('_total')}"].samples:
            assert set(sample.labels) == set(each.labels), name


@pytest.mark.parametrize("name", FIGURES)
def test_names_follow_the_conventions(name):
    figure = FIGURES[name]
    assert name.endswith("_total") == (figure.kind == "counter")
    assert not re.search(r"_(minutes|hours|days|ms|kb|mb|percent)\b", name)
    assert figure.says.endswith(".")


def test_what_waits_is_told_from_papers_to_letters(lab, figures, now):
    lab.letter(S.PLANNED, at=now - timedelta(minutes=2))
    for _ in range(5):
        lab.letter(S.DEFERRED, keeper="gmail", not_before=now + timedelta(hours=1))
    lab.letter(S.DEFERRED, keeper="okafor.example", not_before=now + timedelta(hours=1))
    late = now - timedelta(minutes=40)
    with lab.house.database.writing() as connection:
        connection.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.id == 1).values(next_look=late))
        connection.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.id > 2).values(next_look=now + timedelta(hours=1)))

    assert (figures("readers_to_plan"), figures("planning_longest_wait_seconds")) == (2, 2_400)
    assert (figures("outbox_due"), figures("outbox_oldest_due_seconds")) == (1, 120)
    assert figures("deliveries_put_off", keeper="gmail") == 5
    assert figures("deliveries_put_off", keeper="others") == 1
    assert figures("last_accepted_timestamp_seconds") == 0


def test_when_a_letter_was_taken_last_is_told_while_the_pass_still_runs(lab, figures, now):
    lab.letter(S.SENDING, at=now)
    lab.letter(S.ACCEPTED, at=now - timedelta(minutes=3))

    assert figures("last_accepted_timestamp_seconds") == (now - timedelta(minutes=3)).timestamp()
    assert figures("delivery_ends_total", end="accepted") == 0


def test_a_source_lags_from_its_last_full_reading_and_is_overdue_when_nobody_asks(lab, figures, now):
    assert (figures("source_lag_seconds", source="hf"), figures("source_overdue", source="hf")) == (math.inf, 0)
    lab.house.fetches.record(
        Fetched(
            source="hf",
            url="http://lab.example",
            day=now.date(),
            at=now,
            seconds=0.1,
            bytes=9,
            http=200,
            status=FetchStatus.OK,
        )
    )
    assert figures("source_lag_seconds", source="hf") == 0
    lab.later(timedelta(days=2))
    assert (figures("source_lag_seconds", source="hf"), figures("source_overdue", source="hf")) == (172_800, 1)


def test_what_workers_did_in_other_processes_is_counted(lab, figures, now):
    records = PassRecords(lab.house.database)
    records.add("deliver", now - timedelta(seconds=4), now, {"accepted": 7, "rejected": 1}, "one")
    records.add("deliver", now - timedelta(seconds=2), now, {"accepted": 3}, "two")
    records.add("publish", now - timedelta(seconds=2), now, {}, "two", failed=True)
    records.beat("one", now)
    records.beat("two", now - timedelta(minutes=4))

    assert figures("delivery_ends_total", end="accepted") == 10
    assert figures("delivery_ends_total", end="deferred") == 0
    assert figures("pass_duration_seconds_count", verb="deliver") == 2
    assert figures("pass_duration_seconds_sum", verb="deliver") == 6
    assert figures("pass_last_duration_seconds", verb="deliver") == 2
    assert figures("pass_failures_total", verb="publish") == 1
    assert figures("pass_duration_seconds_count", verb="match") == 0
    assert (figures("workers"), figures("worker_last_seen_timestamp_seconds")) == (1, now.timestamp())


def test_the_version_and_the_schema_are_figures(lab, figures):
    assert figures("build_info", version=version("paperround"), engine="sqlite") == 1
    assert figures("schema_version") == int(HEAD)
    assert figures("disk_free_bytes") > 0
    assert figures("database_bytes") > 0
