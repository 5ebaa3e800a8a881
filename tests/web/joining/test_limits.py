"""Networks, and how often each may ask."""

import pytest
from starlette.requests import Request

from web.limits import Limiter, Measures, client_of, network_of
from web.words import too_many


def asked_by(client, found=None):
    scope = {"type": "http", "headers": [], "client": client and (client, 1)}
    if found:
        scope["state"] = {"client": found}
    return Request(scope)


@pytest.mark.parametrize(
    ("client", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix:", "unix:"),
        ("", ""),
    ],
)
def test_a_network_is_an_ipv4_address_or_an_ipv6_64(client, network):
    assert network_of(client) == network


def test_who_asks_is_whom_the_guard_found_else_the_socket():
    assert client_of(asked_by("127.0.0.1", "192.0.2.7")) == "192.0.2.7"
    assert client_of(asked_by("127.0.0.1")) == "127.0.0.1"
    assert client_of(asked_by(None)) == ""


def test_each_network_has_its_own_count_and_both_limits_hold():
    limiter = Limiter("2/hour; 3/day")

    assert [limiter.wait(asked_by("192.0.2.1")) > 0 for _ in range(3)] == [False, False, True]
    assert limiter.wait(asked_by("192.0.2.2")) == 0
    assert 3500 < limiter.wait(asked_by("192.0.2.1")) <= 3600


def test_what_was_refused_is_no_count_and_time_heals():
    limiter = Limiter("2/second")
    waits = [limiter.wait(asked_by("192.0.2.1")) for _ in range(50)]
    assert waits == [0, 0, *[1] * 48]

    import time

    time.sleep(1.05)
    assert limiter.wait(asked_by("192.0.2.1")) == 0


def test_networks_that_asked_long_ago_are_let_go_of(monkeypatch):
    monkeypatch.setattr("web.limits._TIDY_AT", 50)
    limiter = Limiter("1/second")
    for number in range(50):
        limiter.wait(asked_by(f"192.0.2.{number}"))
    for events in limiter._storage.events.values():
        events.clear()  # as the library does when their time is over

    limiter.wait(asked_by("198.51.100.1"))

    assert len(limiter._storage.events) == 1


def test_the_usual_measures_are_what_the_docs_say():
    assert Measures() == Measures(
        sign_ups="10/hour; 30/day", previews="30/minute", same_seconds=0.5, searches="60/minute"
    )


@pytest.mark.parametrize(
    ("seconds", "words"), [(1, "1 second"), (60, "60 seconds"), (61, "2 minutes"), (3601, "2 hours")]
)
def test_how_long_to_wait_is_never_told_too_short(seconds, words):
    assert f"try again in {words}." in too_many(seconds).lines[0]
