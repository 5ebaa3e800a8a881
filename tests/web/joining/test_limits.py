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


def test_a_network_is_gone_after_its_time_though_nobody_asks_any_more():
    limiter = Limiter("1/second", tidy_seconds=0.1)
    for number in range(50):
        limiter.wait(asked_by(f"192.0.2.{number}"))
    assert limiter.networks == 50

    import time

    begun = time.monotonic()
    while limiter.networks and time.monotonic() < begun + 10:
        time.sleep(0.05)

    assert limiter.networks == 0
    assert time.monotonic() - begun > 0.8
    assert limiter.wait(asked_by("192.0.2.1")) == 0
    assert limiter.networks == 1


def test_to_look_is_no_count():
    limiter = Limiter("2/10 minute")
    asked = asked_by("192.0.2.1")
    assert [limiter.is_over(asked) for _ in range(5)] == [0] * 5
    limiter.count(asked)
    limiter.count(asked)
    assert 590 < limiter.is_over(asked) <= 600
    assert limiter.is_over(asked_by("192.0.2.2")) == 0


def test_the_usual_measures_are_what_the_docs_say():
    assert Measures() == Measures(
        sign_ups="10/hour; 30/day", previews="30/minute", same_seconds=0.5, searches="60/minute"
    )


@pytest.mark.parametrize(
    ("seconds", "words"), [(1, "1 second"), (60, "60 seconds"), (61, "2 minutes"), (3601, "2 hours")]
)
def test_how_long_to_wait_is_never_told_too_short(seconds, words):
    assert f"try again in {words}." in too_many(seconds).lines[0]
