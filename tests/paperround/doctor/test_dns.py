"""What the DNS says of the sender: each fault, from a table and over loopback."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.doctor import dkim, dmarc, receiving, reverse, spf
from paperround.doctor.finding import Verdict
from paperround.doctor.resolving import Answer, DnsResolver, Unasked, Zone
from paperround.doctor.tags import tags, versioned

OK, WRONG, UNKNOWN = Verdict.OK, Verdict.WRONG, Verdict.UNKNOWN
DEAD = Answer(problem="the name server did not answer in time")
KEY = "v=DKIM1; k=rsa; p=MIIBIjANBgkq"
SIGNING = {"dkim_domain": "lab.example", "dkim_selector": "s1", "dkim_key_file": "dkim.pem"}
NAME = "s1._domainkey.lab.example"
SPF = ("lab.example", "TXT")
DMARC = ("_dmarc.lab.example", "TXT")


# -- asking ------------------------------------------------------------------------------------------------------------


def asking(server, seconds=5.0):
    return DnsResolver(servers=("127.0.0.1",), port=server.port, seconds=seconds)


def test_records_come_as_text_joined_and_without_the_last_dot(nameserver):
    server = nameserver(
        {
            SPF: ['"v=spf1 " "-all"', '"other"'],
            ("lab.example", "MX"): ["10 Mail.Lab.Example."],
            ("lab.example", "A"): ["192.0.2.7"],
            ("7.2.0.192.in-addr.arpa", "PTR"): ["mail.lab.example."],
            ("null.example", "MX"): ["0 ."],
        }
    )
    resolver = asking(server)

    assert set(resolver.ask(*SPF).records) == {"v=spf1 -all", "other"}  # in any order
    assert resolver.ask("lab.example", "MX") == Answer(("10 mail.lab.example",))
    assert resolver.ask("lab.example", "A") == Answer(("192.0.2.7",))
    assert resolver.ask("7.2.0.192.in-addr.arpa", "PTR") == Answer(("mail.lab.example",))
    assert resolver.ask("null.example", "MX") == Answer(("0 .",))
    assert resolver.ask("lab.example", "AAAA") == Answer()


def test_that_nothing_is_there_is_told_from_that_nobody_could_say(nameserver):
    server = nameserver(
        {
            ("gone.example", "TXT"): "NXDOMAIN",
            ("broken.example", "TXT"): "SERVFAIL",
            ("refused.example", "TXT"): "REFUSED",
            ("silent.example", "TXT"): "silence",
        }
    )
    resolver = asking(server, seconds=1.0)

    assert resolver.ask("gone.example", "TXT") == Answer()
    assert "failed to answer for broken.example" in resolver.ask("broken.example", "TXT").problem
    assert resolver.ask("refused.example", "TXT").problem
    assert "in time" in resolver.ask("silent.example", "TXT").problem
    assert resolver.ask("gone.example", "TXT") == Answer()


@pytest.mark.parametrize("name", ["a..b", "x" * 70 + ".example", "", "\0", "ü\ud800.example", "%{i}.example"])
def test_a_name_that_is_none_fails_in_words(nameserver, name):
    answer = asking(nameserver({})).ask(name, "TXT")

    assert answer.records == ()


def test_a_question_is_asked_once(nameserver):
    server = nameserver({SPF: ['"v=spf1 -all"']})
    resolver = asking(server)

    assert resolver.ask(*SPF) == resolver.ask(*SPF) == Answer(("v=spf1 -all",))
    assert server.asked == [SPF]


def test_a_server_that_is_silent_is_not_asked_for_ever(nameserver):
    server = nameserver({("silent.example", "TXT"): "silence"})
    resolver = asking(server, seconds=0.1)
    for _ in range(20):
        assert resolver.ask("silent.example", "TXT").problem

    assert len(server.asked) < 8


def test_without_a_network_everything_that_would_be_published_is_said(visit):
    made = visit(
        {"mail": {**SIGNING, "bounce_domain": "b.lab.example"}, "operator": {"email": "op@lab.example"}},
        resolver=Unasked("--offline"),
        is_offline=True,
    )
    (made.folder / "dkim.pem").write_text("a key")
    checks = (dkim.check, spf.check, dmarc.check, receiving.check, receiving.check_sts, receiving.check_reports)
    found = [each for check in checks for each in check(made)]

    assert {each.verdict for each in found} == {UNKNOWN}
    assert [str(each.record) for each in found if each.record] == [
        f"Publish this TXT record at {NAME}: {KEY}",
        "Publish this TXT record at b.lab.example: v=spf1 a:relay.lab.example ~all",
        "Publish this TXT record at _dmarc.lab.example: v=DMARC1; p=none; rua=mailto:op@lab.example",
        "Publish this MX record at b.lab.example: 10 mail.b.lab.example",
        "Publish this TXT record at _mta-sts.b.lab.example: v=STSv1; id=1",
        "Publish this TXT record at _smtp._tls.b.lab.example: v=TLSRPTv1; rua=mailto:op@lab.example",
    ]


# -- DKIM --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def signed(visit):
    def look(*records, problem=""):
        made = visit({"mail": SIGNING}, resolver=Zone({(NAME, "TXT"): Answer(records, problem)}))
        (made.folder / "dkim.pem").write_text("a key")
        (found,) = dkim.check(made)
        return found

    return look


@pytest.mark.parametrize(
    "record",
    [
        KEY,
        "p=MIIBIjANBgkq",
        "v=DKIM1;k=rsa;t=s;p=MIIB IjAN Bgkq;",
        "v=DKIM1; h=sha1:sha256; s=email; p=MIIBIjANBgkq",
    ],
)
def test_the_key_in_the_dns_is_ours(signed, record):
    found = signed(record)

    assert (found.verdict, found.record) == (OK, None)
    assert "2048 bits" in found.sentence


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ((), "there is no key at"),
        ((KEY, KEY), "there are 2 TXT records"),
        (("v=DKIM1; k=rsa; p=",), "is revoked"),
        (("v=DKIM1; k=rsa",), "is revoked"),
        (("v=DKIM1; k=rsa; p=AAAA",), "another one than letters are signed with"),
        (("v=DKIM1; k=ed25519; p=MIIBIjANBgkq",), "not one of an RSA key"),
        (("v=spf1 -all; p=MIIBIjANBgkq",), "not one of an RSA key"),
        (("v=DKIM1; h=sha1; p=MIIBIjANBgkq",), "does not let its key sign"),
        (("v=DKIM1; s=tlsrpt; p=MIIBIjANBgkq",), "does not let its key sign"),
    ],
)
def test_a_key_that_receivers_will_not_find_is_wrong_and_the_record_is_told(signed, records, words):
    found = signed(*records)

    assert found.verdict is WRONG
    assert words in found.sentence
    assert str(found.record) == f"Publish this TXT record at {NAME}: {KEY}"


def test_a_key_in_testing_is_said_to_be(signed):
    assert "t=y" in signed("v=DKIM1; t=y:s; p=MIIBIjANBgkq").sentence


def test_a_key_that_nobody_could_look_up_is_not_wrong(signed):
    found = signed(problem="the name servers failed")

    assert found.verdict is UNKNOWN
    assert found.record is not None


def test_a_key_file_that_is_not_there(visit):
    (found,) = dkim.check(visit({"mail": {**SIGNING, "dkim_key_file": "no.pem"}}))

    assert found.verdict is WRONG
    assert "No such file" in found.sentence
    assert "openssl genrsa" in found.advice


@pytest.mark.parametrize("host", ["localhost", "relay.lab.example", "smtp.gmail.com"])
def test_whether_the_relay_signs_only_its_keeper_knows(visit, host):
    (found,) = dkim.check(visit({"mail": {"host": host}}))

    assert found.verdict is UNKNOWN
    assert "dkim_key_file" in found.advice


# -- DMARC -------------------------------------------------------------------------------------------------------------


def asked_of(visit, table, **mail):
    return list(dmarc.check(visit({"mail": mail}, resolver=Zone(table))))


def test_a_policy_and_letters_that_pass(visit):
    made = visit({"mail": SIGNING}, resolver=Zone({DMARC: ("v=DMARC1; p=reject",), (NAME, "TXT"): (KEY,)}))
    (made.folder / "dkim.pem").write_text("a key")
    policy, passing = dmarc.check(made)

    assert (policy.verdict, passing.verdict) == (OK, OK)
    assert "p=reject" in policy.sentence


@pytest.mark.parametrize("signing", [SIGNING, {}])
@pytest.mark.parametrize(
    "table",
    [{}, {DMARC: DEAD, SPF: DEAD, (NAME, "TXT"): DEAD}, {DMARC: ("v=DMARC1; p=none",)}, {(NAME, "TXT"): (KEY,)}],
)
def test_letters_would_pass_where_a_record_is_missing_or_was_not_looked_at(visit, signing, table):
    made = visit({"mail": signing}, resolver=Zone(table))
    (made.folder / "dkim.pem").write_text("a key")
    _, passing = dmarc.check(made)

    assert passing.verdict is UNKNOWN
    assert "would pass" in passing.sentence


def test_letters_pass_by_where_they_come_back_to_if_the_record_there_names_the_relay(visit):
    table = {DMARC: ("v=DMARC1; p=none",), SPF: ("v=spf1 ip4:192.0.2.0/24 -all",)}
    (_, passing) = dmarc.check(visit({"mail": {"host": "192.0.2.7"}}, resolver=Zone(table)))

    assert passing.verdict is OK


def test_amazon_breaks_our_signature_so_it_counts_for_nothing(visit):
    table = {DMARC: ("v=DMARC1; p=none",), (NAME, "TXT"): (KEY,)}
    mail = {**SIGNING, "host": "email-smtp.eu-west-1.amazonaws.com"}
    made = visit({"mail": mail}, resolver=Zone(table))
    (made.folder / "dkim.pem").write_text("a key")
    (key,), (_, passing) = dkim.check(made), dmarc.check(made)

    assert (key.verdict, passing.verdict) == (WRONG, WRONG)
    assert "remove [mail] dkim_domain" in key.advice


@pytest.mark.parametrize("bounces", ["", "b.lab.example"])
@pytest.mark.parametrize("host", ["email-smtp.eu-west-1.amazonaws.com", "smtp.mailgun.org", "smtp.postmarkapp.com"])
def test_where_the_provider_has_a_return_path_of_its_own_nobody_can_tell_whether_letters_pass(visit, host, bounces):
    made = visit({"mail": {"host": host, "bounce_domain": bounces}}, resolver=Zone({DMARC: ("v=DMARC1; p=none",)}))
    (_, passing), (back,) = dmarc.check(made), receiving.check(made)

    assert passing.verdict is UNKNOWN
    assert "switch on DKIM" in passing.advice
    assert "a return path of its own" in back.sentence
    assert ("nothing comes back to b.lab.example" in back.advice) is bool(bounces)


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ((), "has no DMARC record"),
        (("v=spf1 -all",), "has no DMARC record"),
        (("v=DMARC1; p=none", "v=DMARC1; p=reject"), "has 2 DMARC records"),
        (("v=DMARC1",), "has no p="),
        (("v=DMARC1; p=maybe",), "has no p="),
        (("v=DMARC1; p=none; sp=maybe",), "has no sp="),
        (("V=dmarc1; p=none",), "has no DMARC record"),
    ],
)
def test_a_policy_that_is_wrong(visit, records, words):
    policy, _ = asked_of(visit, {DMARC: records})

    assert policy.verdict is WRONG
    assert words in policy.sentence
    assert str(policy.record) == "Publish this TXT record at _dmarc.lab.example: v=DMARC1; p=none"


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ("V = DMARC1; p=none", "(p=none)"),
        ("v=DMARC1; p=reject; sp=none", "(sp=none)"),
    ],
)
def test_the_policy_of_the_organisation_holds_for_names_below_it(visit, record, told):
    found = asked_of(visit, {DMARC: (record,)}, **{"from": "a@papers.lab.example"})

    assert found[0].verdict is OK
    assert told in found[0].sentence
    assert "(p=" in asked_of(visit, {DMARC: (record,)})[0].sentence


@pytest.mark.parametrize(
    ("operator", "reports"),
    [
        ("op@lab.example", "; rua=mailto:op@lab.example"),
        ("op@it.lab.example", "; rua=mailto:op@it.lab.example"),
        ("a!b+c@lab.example", "; rua=mailto:a%21b+c@lab.example"),
        ("me@gmail.com", ""),  # Google would have to allow it in its own DNS
        ("", ""),
    ],
)
def test_reports_are_asked_for_only_where_nobody_else_must_allow_it(visit, operator, reports):
    found = dmarc.judged("lab.example", Answer(), operator)

    assert found.record.value == f"v=DMARC1; p=none{reports}"


@pytest.mark.parametrize(
    ("envelope", "signer", "rules", "verdict"),
    [
        ("lab.example", "", {}, OK),
        ("b.lab.example", "", {}, OK),
        ("b.lab.example", "", {"aspf": "s"}, WRONG),
        ("b.other.example", "", {}, WRONG),
        ("b.other.example", "lab.example", {}, OK),
        ("b.other.example", "mail.lab.example", {}, OK),
        ("b.other.example", "mail.lab.example", {"adkim": "s"}, WRONG),
        ("lab.example", "other.example", {}, WRONG),
    ],
)
def test_letters_pass_by_their_signature_or_by_where_they_come_back_to(envelope, signer, rules, verdict):
    assert dmarc.agreeing("lab.example", envelope, signer, rules).verdict is verdict


@pytest.mark.parametrize(
    ("name", "organisation"),
    [
        ("lab.example", "lab.example"),
        ("a.b.lab.example", "lab.example"),
        ("cs.ox.ac.uk", "ox.ac.uk"),
        ("ox.ac.uk", "ox.ac.uk"),
        ("mail.u-tokyo.ac.jp", "u-tokyo.ac.jp"),
        ("x.lab.de", "lab.de"),
        ("localhost", "localhost"),
    ],
)
def test_the_organisation_of_a_name(name, organisation):
    assert dmarc.organisation(name) == organisation


@pytest.mark.parametrize(("host", "verdict"), [("smtp.gmail.com", OK), ("relay.lab.example", WRONG)])
def test_a_domain_of_a_large_provider_is_not_ours_to_publish_for(visit, host, verdict):
    made = visit({"mail": {"from": "a@gmail.com", "host": host}})
    found = [each for check in (dkim.check, spf.check, dmarc.check) for each in check(made)]

    assert [(each.verdict, each.record) for each in found] == [(verdict, None)] * 3
    assert all("see the sender above" in f"{each.sentence} {each.advice}" for each in found)
    assert all("its provider's" in each.sentence for each in found)


@pytest.mark.parametrize("sender", ["a@localhost", "a@lab.test", "a@papers.local"])
def test_a_name_of_this_network_alone_is_not_looked_up(visit, sender):
    zone = Zone({})
    made = visit({"mail": {"from": sender}}, resolver=zone)
    found = [each for check in (spf.check, dmarc.check) for each in check(made)]

    assert [each.verdict for each in found] == [UNKNOWN, UNKNOWN]
    assert zone.asked == 0


# -- the address, and what comes back ----------------------------------------------------------------------------------


PTR = ("34.216.184.93.in-addr.arpa", "PTR")
MINE = "93.184.216.34"


@pytest.mark.parametrize(
    ("table", "verdict", "words"),
    [
        ({PTR: ("mail.lab.example",), ("mail.lab.example", "A"): (MINE,)}, OK, "leads back"),
        ({PTR: ("x.example", "m.example"), ("m.example", "A"): (MINE,)}, OK, "leads back"),
        ({PTR: ("mail.lab.example",)}, WRONG, "does not lead back"),
        ({PTR: ("mail.lab.example",), ("mail.lab.example", "A"): DEAD}, UNKNOWN, "did not answer"),
        ({}, WRONG, "has no name"),
        ({PTR: DEAD}, UNKNOWN, "did not answer"),
    ],
)
def test_the_name_of_the_address_that_delivers(visit, table, verdict, words):
    made = visit({"mail": {"host": "localhost"}}, resolver=Zone(table), own_address=lambda: MINE)
    (found,) = reverse.check(made)

    assert found.verdict is verdict
    assert words in found.sentence


@pytest.mark.parametrize("address", ["", "10.0.0.4", "192.168.1.9", "127.0.0.1"])
def test_behind_a_router_the_address_cannot_be_told(visit, address):
    (found,) = reverse.check(visit({"mail": {"host": "localhost"}}, own_address=lambda: address))

    assert found.verdict is UNKNOWN
    assert "cannot be told" in found.sentence


def test_the_name_of_a_relay_is_its_keepers_matter(visit):
    (found,) = reverse.check(visit())

    assert found.verdict is OK


@pytest.mark.parametrize(
    ("table", "verdict", "words"),
    [
        ({("b.lab.example", "MX"): ("10 mail.lab.example",)}, OK, "goes to mail.lab.example"),
        ({("b.lab.example", "A"): ("192.0.2.7",)}, OK, "the machine of that name"),
        ({("b.lab.example", "MX"): ("0 .",)}, WRONG, "takes no mail at all"),
        ({}, WRONG, "has no mail server"),
        ({("b.lab.example", "MX"): DEAD}, UNKNOWN, "did not answer"),
        ({("b.lab.example", "A"): DEAD}, UNKNOWN, "did not answer"),
    ],
)
def test_whether_mail_reaches_the_bounce_domain(visit, table, verdict, words):
    (found,) = receiving.check(visit({"mail": {"bounce_domain": "b.lab.example"}}, resolver=Zone(table)))

    assert found.verdict is verdict
    assert words in found.sentence


def test_without_a_bounce_domain_nothing_is_wrong(visit):
    made = visit()
    found = [each for check in (receiving.check, receiving.check_sts, receiving.check_reports) for each in check(made)]

    assert [each.verdict for each in found] == [OK] * 3


@pytest.mark.parametrize("is_there", [True, False])
def test_encryption_of_what_comes_back_is_nobodys_duty(visit, is_there):
    table = {
        ("_mta-sts.b.lab.example", "TXT"): ("v=STSv1; id=7",) if is_there else (),
        ("_smtp._tls.b.lab.example", "TXT"): ("v=TLSRPTv1; rua=mailto:a@lab.example",) if is_there else (),
    }
    made = visit({"mail": {"bounce_domain": "b.lab.example"}}, resolver=Zone(table))
    found = [*receiving.check_sts(made), *receiving.check_reports(made)]

    assert [each.verdict for each in found] == [OK, OK]
    assert [each.record is None for each in found] == [is_there] * 2


# -- records of tags ---------------------------------------------------------------------------------------------------


@given(st.text(max_size=200))
def test_any_text_has_tags_or_none(text):
    assert all(name == name.strip() and value == value.strip() for name, value in tags(text).items())
    assert versioned((text,), "DMARC1") in {(), (text,)}


def test_the_first_tag_of_a_name_counts():
    assert tags("v=DMARC1; p=none; p=reject;; x") == {"v": "DMARC1", "p": "none"}
