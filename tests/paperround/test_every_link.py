"""No letter carries a dead link: every link of every letter is followed, and what it does is looked at."""

import email
import email.policy
import http.client
import re
import socket
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from digests.transports.memory import MemoryTransport
from domain.clock import SystemClock
from domain.subscriptions import SubscriberState
from paperround.demo.play import EVENING
from paperround.demo.site import DAYS, DemoSite
from paperround.serving import serving
from paperround.settings import build
from paperround.wiring import House

OUTSIDE = {"arxiv.org", "github.com"}  # where papers of the demo's pages live; they are invented, so nobody is asked
TABLES = ("saved", "profile", "subscriber", "consent", "subscription", "issue", "delivery", "topic", "paper", "run")


class Lab:
    """A lab's installation with its site open."""

    def __init__(self, house: House, transport: MemoryTransport) -> None:
        self.house = house
        self.transport = transport
        self.host = urlsplit(house.settings.web.base_url).netloc

    def ask(self, method: str, url: str, body: str = "") -> tuple[int, str]:
        connection = http.client.HTTPConnection(self.host, timeout=10)
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if method == "POST" else {}
        parts = urlsplit(url)
        connection.request(method, f"{parts.path}?{parts.query}".rstrip("?"), body or None, headers)
        answer = connection.getresponse()
        page = answer.read().decode()
        connection.close()
        return answer.status, page

    def state(self) -> list:
        with self.house.database.reading() as connection:
            return [connection.execute(text(f"SELECT * FROM {name}")).all() for name in TABLES]  # noqa: S608 our names

    def last(self) -> email.message.EmailMessage:
        self.house.deliverer.deliver()
        return email.message_from_bytes(self.transport.messages[-1].data, policy=email.policy.default)


@pytest.fixture
def lab(tmp_path: Path, url: str, site: DemoSite) -> Iterator[Lab]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    values = {
        "database": {"url": url},
        "mail": {"from": "Paperround <p@lab.example>", "postal_address": "Example Lab, 1 Example Street"},
        "web": {"base_url": f"http://127.0.0.1:{port}/lab", "port": port, "secret_key": "k" * 40},
        "source": [{"name": "hf", "kind": "huggingface-daily", "url": site.url}],
    }
    transport = MemoryTransport()
    stop = threading.Event()
    with House(build(values, tmp_path), transport=transport, clock=SystemClock()) as house, serving(house, stop):
        yield Lab(house, transport)


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs):  # noqa: ARG002 the signature is HTMLParser's
        self.found += [value for name, value in attrs if name in {"href", "src"} and value]


def links(letter) -> set[str]:
    """Every link of a letter: its headers', its page's, its text's."""
    page = Links()
    page.feed(letter.get_body(("html",)).get_content())
    headers = " ".join(str(letter[name]) for name in letter if name.startswith("List-") and letter[name])
    written = re.findall(r"https?://[^\s<>\"]+", letter.get_body(("plain",)).get_content() + " " + headers)
    return {*page.found, *written}


def follow_everything(lab: Lab, letter) -> set[str]:
    """Ask for every link as a scanner would; return those of our own site."""
    before = lab.state()
    own = set()
    for link in links(letter):
        parts = urlsplit(link)
        if parts.netloc != lab.host:
            assert parts.scheme == "https", link
            assert parts.hostname in OUTSIDE, link
            continue
        own.add(link)
        status, page = lab.ask("GET", link)
        beginning = "@" if urlsplit(link).path.endswith(".bib") else "<!doctype html>"
        assert (status, page[: len(beginning)].lower()) == (200, beginning), link
        assert lab.ask("HEAD", link) == (200, ""), link
        assert lab.ask("OPTIONS", link)[0] in {200, 204}, link
    assert lab.state() == before
    return own


def one(own: set[str], kind: str) -> str:
    (link,) = {each.partition("#")[0] for each in own if f"/{kind}/" in each}
    return link


def test_from_sign_up_to_leaving_by_the_links_of_the_letters_alone(lab):
    house = lab.house
    reader, _ = house.desk.subscribe("mira@lab.example", ["speech OR dictation"], None, vouched=False, shared=False)
    assert reader.state is SubscriberState.PENDING
    letter = lab.last()
    assert [name for name in letter if name.startswith("List-")] == []
    assert "speech" not in str(letter)
    confirm = one(follow_everything(lab, letter), "confirm")
    assert lab.ask("POST", confirm)[0] == 200
    assert lab.ask("POST", confirm)[0] == 200
    assert house.subscribers.by_public_id(reader.public_id).state is SubscriberState.CONFIRMED

    house.collector.collect(days=DAYS)
    house.matcher.match(EVENING)
    assert house.publisher.publish(EVENING).issues == 1
    digest = lab.last()
    own = follow_everything(lab, digest)
    assert "Example Lab, 1 Example Street" in digest.get_body(("plain",)).get_content()
    page = lab.ask("GET", one(own, "issues"))[1]
    assert "Ten Hours Are Enough" in page
    assert "/unsubscribe/" not in page
    assert "/preferences/" not in page
    assert "/feedback/" not in page
    mine = {each.partition("#")[0] for each in own if "/preferences/" in each}
    (saved,) = {each for each in mine if each.endswith("/saved")}
    assert mine == {saved, saved.removesuffix("/saved")}
    assert "speech" in lab.ask("GET", saved.removesuffix("/saved"))[1]
    asked = sorted(each for each in own if "/feedback/" in each)
    assert len(asked) == 2 * len({each.rpartition("/")[2] for each in asked}) > 0
    assert lab.ask("POST", asked[-1], "action=mark")[0] == 200
    assert ">Remove</button>" in lab.ask("GET", saved)[1]

    one_click = re.fullmatch(r"<(.*)>", digest["List-Unsubscribe"])[1]
    assert digest["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert one_click == one(own, "unsubscribe")
    assert lab.ask("POST", one_click, "List-Unsubscribe=One-Click")[0] == 200
    assert house.subscribers.by_public_id(reader.public_id).state is SubscriberState.UNSUBSCRIBED


def test_a_shared_mailbox_carries_no_personal_link(lab):
    house = lab.house
    house.desk.subscribe("group@lab.example", ["speech"], None, vouched=True, shared=True)
    house.collector.collect(days=DAYS)
    house.matcher.match(EVENING)
    house.publisher.publish(EVENING)
    letter = lab.last()
    own = follow_everything(lab, letter)
    assert {urlsplit(link).path.split("/")[2] for link in own} == {"issues", "papers", "privacy"}
    assert letter["List-Unsubscribe"] is None


def test_one_who_leaves_after_the_letter_was_planned_gets_it_no_more(lab):
    house = lab.house
    reader, _ = house.desk.subscribe("mira@lab.example", ["speech"], None, vouched=True, shared=False)
    house.collector.collect(days=DAYS)
    house.matcher.match(EVENING)
    house.publisher.publish(EVENING)
    assert lab.ask("POST", house.links.unsubscribe(reader.public_id), "List-Unsubscribe=One-Click")[0] == 200
    assert house.deliverer.deliver().skipped == 1
    assert lab.transport.messages == []


def test_a_letter_whose_confirmation_was_made_by_another_way_is_not_sent(lab):
    house = lab.house
    house.desk.subscribe("mira@lab.example", ["speech"], None, vouched=False, shared=False)
    house.desk.subscribe("mira@lab.example", ["speech"], None, vouched=True, shared=False)
    assert house.deliverer.deliver().skipped == 1
