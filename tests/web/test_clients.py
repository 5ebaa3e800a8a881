"""Who asks: the other end of the socket, or whom the first trusted proxy saw."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import SettingsError
from web.clients import Clients

PROXIES = ["10.0.0.0/8", "127.0.0.1", "2001:db8:1::/48"]
PROXIED = Clients(PROXIES)


def is_stranger(address):
    plain = getattr(address, "ipv4_mapped", None) or address
    return not any(plain in ip_network(each) for each in PROXIES if ip_network(each).version == plain.version)


STRANGERS = st.ip_addresses().filter(is_stranger).map(str)


@pytest.mark.parametrize(
    ("peer", "forwarded", "who"),
    [
        ("192.0.2.9", [], "192.0.2.9"),
        ("192.0.2.9", ["203.0.113.5"], "192.0.2.9"),
        ("10.0.0.1", ["203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", ["198.51.100.1, 203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", ["198.51.100.1", "203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", ["203.0.113.5, 10.0.0.2, 127.0.0.1"], "203.0.113.5"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["203.0.113.5, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["unknown, 203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.5,"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.5:51234"], "203.0.113.5"),
        ("10.0.0.1", ["[2001:db8::7]:51234"], "2001:db8::7"),
        ("10.0.0.1", ["[2001:db8::7"], "2001:db8::7"),
        ("10.0.0.1", ["::ffff:203.0.113.5"], "203.0.113.5"),
        ("::ffff:10.0.0.1", ["203.0.113.5"], "203.0.113.5"),
        ("::ffff:192.0.2.9", ["203.0.113.5"], "192.0.2.9"),
        ("2001:db8:1::2", ["2001:DB8::7"], "2001:db8::7"),
        ("fe80::1%eth0", [], "fe80::1"),
        ("", ["203.0.113.5"], ""),
        ("a socket of this machine", ["203.0.113.5"], "a socket of this machine"),
    ],
)
def test_the_client_is_the_nearest_address_that_is_no_proxy_of_ours(peer, forwarded, who):
    assert PROXIED.of(peer, forwarded) == who


def test_without_trusted_proxies_nothing_is_believed():
    assert Clients().of("10.0.0.1", ["203.0.113.5"]) == "10.0.0.1"


def test_a_proxy_that_is_no_address_is_said_in_one_sentence():
    with pytest.raises(SettingsError, match=r"web\.trusted_proxies"):
        Clients(["the proxy"])


@given(st.lists(st.text(max_size=50), max_size=5), STRANGERS, st.booleans())
def test_what_stands_before_the_client_cannot_change_who_it_is(written, client, joined):
    told = [", ".join([*written, client])] if joined else [*written, client]
    assert PROXIED.of("10.0.0.1", told) == PROXIED.of(client, [])


@given(STRANGERS, st.lists(st.text(max_size=50), max_size=5))
def test_who_is_no_proxy_is_who_they_are_whatever_they_write(peer, written):
    assert PROXIED.of(peer, written) == PROXIED.of(peer, [])
