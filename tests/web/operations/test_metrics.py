"""The figures for Prometheus: for loopback and the operator, read by its own parser, named as the document does."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from domain.deliveries import DeliveryState
from web.operations.metrics import FIGURES

S = DeliveryState
DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "operating.md"


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
    text = DOCUMENT.read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `paperround_(\w+)(?:\{[\w, ]+\})?` \| (.+?) \|$", text, flags=re.MULTILINE))
    assert rows == {name: says for name, (_, says) in FIGURES.items()}
    labels = dict(re.findall(r"^\| `paperround_(\w+)\{([\w, ]+)\}` \|", text, flags=re.MULTILINE))
    assert labels == {name: ", ".join(given) for name, (given, _) in FIGURES.items() if given}
