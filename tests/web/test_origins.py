"""Which Host a request may name, and which page may post."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.origins import Naming, Origins

SITE = Origins("https://digests.example.org/papers")
PERSONAL = Origins()


@pytest.mark.parametrize(
    ("host", "naming"),
    [
        ("digests.example.org", Naming.SITE),
        ("DIGESTS.example.org", Naming.SITE),
        ("digests.example.org:443", Naming.SITE),
        ("digests.example.org:80", Naming.ANOTHER),
        ("digests.example.org:8443", Naming.ANOTHER),
        ("digests.example.org.evil.example", Naming.ANOTHER),
        ("evil.example", Naming.ANOTHER),
        ("192.0.2.1", Naming.ANOTHER),
        ("localhost.evil.example", Naming.ANOTHER),
        ("127.0.0.1.evil.example", Naming.ANOTHER),
        ("localhost:8000", Naming.MACHINE),
        ("127.0.0.1:8000", Naming.MACHINE),
        ("[::1]:8000", Naming.MACHINE),
        ("", Naming.NOTHING),
        ("a b", Naming.NOTHING),
        ("digests.example.org:", Naming.NOTHING),
        ("digests.example.org:0", Naming.NOTHING),
        ("digests.example.org:99999", Naming.NOTHING),
        ("user@digests.example.org", Naming.NOTHING),
        ("digests.example.org/", Naming.NOTHING),
        ("[::1", Naming.NOTHING),
        ("digests.example.org\n", Naming.NOTHING),
    ],
)
def test_a_site_is_known_by_its_own_name_and_as_this_machine(host, naming):
    assert SITE.naming([host]) is naming


@pytest.mark.parametrize("hosts", [[], ["digests.example.org", "digests.example.org"], ["a", "b"]])
def test_no_host_or_two_name_nothing(hosts):
    assert SITE.naming(hosts) is Naming.NOTHING


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "192.0.2.1", "127.1"])
def test_a_personal_installation_is_known_as_this_machine_alone(host):
    assert PERSONAL.naming([host]) is Naming.ANOTHER
    assert PERSONAL.naming(["localhost:8080"]) is Naming.MACHINE


def test_a_personal_installation_is_known_by_the_address_it_listens_at():
    assert Origins("", "192.0.2.1").naming(["192.0.2.1:8000"]) is Naming.MACHINE
    assert Origins("", "papers.lan").naming(["papers.lan"]) is Naming.MACHINE
    assert Origins("", "192.0.2.1").naming(["192.0.2.2"]) is Naming.ANOTHER


@pytest.mark.parametrize("everywhere", ["0.0.0.0", "::", "[::]"])
def test_one_that_listens_everywhere_is_known_by_any_number_but_by_no_name(everywhere):
    personal = Origins("", everywhere)

    assert personal.naming(["192.0.2.1:8000"]) is Naming.MACHINE
    assert personal.naming(["[2001:db8::1]"]) is Naming.MACHINE
    assert personal.naming(["rebinding.example"]) is Naming.ANOTHER


@pytest.mark.parametrize(
    ("origin", "fetch", "may"),
    [
        ([], [], True),
        ([], ["same-origin"], True),
        ([], ["none"], True),
        ([], ["same-site"], False),
        ([], ["cross-site"], False),
        (["https://digests.example.org"], [], True),
        (["https://digests.example.org:443"], [], True),
        (["https://digests.example.org"], ["same-origin"], True),
        (["https://digests.example.org"], ["cross-site"], False),
        (["http://digests.example.org"], [], False),
        (["https://digests.example.org.evil.example"], [], False),
        (["https://other.example.org"], ["same-site"], False),
        (["https://evil.example"], [], False),
        (["https://digests.example.org", "https://evil.example"], [], False),
        (["null"], [], False),
        (["null"], ["cross-site"], False),
        (["null"], ["same-origin"], False),
        (["null"], ["same-origin", "cross-site"], False),
        ([""], [], False),
        (["localhost"], [], False),
        (["http://localhost:8000"], [], False),
        (["chrome-extension://abc"], [], False),
    ],
)
def test_only_a_page_of_this_site_may_post(origin, fetch, may):
    assert SITE.may_post("digests.example.org", origin, fetch) is may


@pytest.mark.parametrize("origins", [SITE, PERSONAL])
def test_on_this_machine_a_form_comes_from_where_it_goes_to(origins):
    assert origins.may_post("localhost:8000", ["http://localhost:8000"])
    assert not origins.may_post("localhost:8000", ["http://localhost:9000"])
    assert not origins.may_post("localhost:8000", ["http://evil.example"])
    assert not origins.may_post("evil.example", ["http://evil.example"])


def test_a_proxy_before_this_machine_may_give_its_own_host():
    assert SITE.may_post("127.0.0.1:8000", ["https://digests.example.org"])


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=20))
def test_whatever_is_said_it_is_answered(host, origin, fetch):
    assert SITE.naming([host]) in Naming
    if host.lower() not in {"digests.example.org", "digests.example.org:443"}:
        assert SITE.naming([host]) is not Naming.SITE
    assert SITE.may_post(host, [origin], [fetch]) in {True, False}


@given(st.from_regex(r"https?://[a-z0-9.-]{1,30}(:[0-9]{1,5})?", fullmatch=True))
def test_no_other_origin_may_post(origin):
    allowed = {"https://digests.example.org", "https://digests.example.org:443"}
    assert SITE.may_post("digests.example.org", [origin]) is (origin in allowed)


@pytest.mark.parametrize(
    ("base_url", "public"),
    [("", False), ("http://127.0.0.1:8000", False), ("http://[::1]", False), ("http://localhost/papers", False),
     ("https://digests.example.org", True), ("http://192.0.2.1", True)],
)  # fmt: skip
def test_a_site_without_a_name_or_with_this_machines_is_not_public(base_url, public):
    assert Origins(base_url).is_public is public
