"""Invented papers and the values around them; and how a message is read back."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest

from digests.compose import Limits, compose
from domain.issues import Candidate, Digest, Entry, Receipt, Section, Slot, SourceCheck, TopicWish
from domain.papers import AbstractKind, FetchStatus, Identifiers, Paper
from domain.topics import Tier, Why

MakePaper = Callable[..., Paper]


@pytest.fixture(scope="session")
def read_back() -> Callable[[bytes], EmailMessage]:
    """Return how to read a message with Python's own parser: legal line by line, and without a defect."""

    def read(data: bytes) -> EmailMessage:
        assert b"\0" not in data
        assert not re.search(rb"[^\r]\n|\r[^\n]", data)
        head, body = data.split(b"\r\n\r\n", 1)
        assert all(len(line) <= 998 for line in head.split(b"\r\n"))
        assert body.isascii()
        assert all(len(line) <= 76 and line == line.rstrip() for line in body.split(b"\r\n"))
        message = None
        for rules in (policy.SMTP, policy.default):
            message = message_from_bytes(data, policy=rules)
            names = [name.lower() for name in message]
            assert len(names) == len(set(names))
            assert not any(value.defects for value in message.values())
            assert not any(piece.defects for piece in message.walk())
        assert isinstance(message, EmailMessage)
        return message

    return read


@pytest.fixture(scope="session")
def make_paper() -> MakePaper:
    def make(number: int = 1, **changes: Any) -> Paper:
        values: dict[str, Any] = {
            "id": number,
            "key": f"arxiv:2611.{number:05}",
            "ids": Identifiers(arxiv=f"2611.{number:05}"),
            "title": f"Quiet Gradients, Part {number}",
            "abstract": "We ask how far a network can be pushed. Its sensitivity lies in a small subspace.",
            "abstract_kind": AbstractKind.AUTHORS,
            "authors": ("Mira Okafor", "Jun Sato"),
            "author_count": 2,
            "published": date(2026, 11, 20),
            "first_seen": datetime(2026, 11, 20, 5, tzinfo=UTC),
            "listed": date(2026, 11, 20),
            "first_listed": date(2026, 11, 20),
            "url": f"https://arxiv.org/abs/2611.{number:05}",
            "pdf_url": f"https://arxiv.org/pdf/2611.{number:05}",
            "sources": ("daily",),
            "upvotes": None,
        }
        return Paper(**(values | changes))

    return make


@pytest.fixture(scope="session")
def sample(make_paper: MakePaper) -> Digest:
    """A digest with what real days bring: TeX, votes, code, a summary, an overflow, a failed source."""
    probing = make_paper(
        1,
        title=r"Probing $\ell_1$ Sensitivity in Schr\"odinger Networks",
        abstract=r"A probe with $\|\delta\|_2 \le 10^{-3}$ finds the sensitivity in 44.49\% of cases & more.",
        authors=("Mira Okafor", "Jun Sato", "Lena Brandt", "Tomáš Dvořák", "Wei Zhang"),
        author_count=8,
        upvotes=41,
        code_url="https://github.com/example/probing",
    )
    bounds = make_paper(2, title="Loss < 1: a & b <script>alert(1)</script>", published=date(2025, 3, 2))
    titled = make_paper(3, title="Small Steps, Large Effects")
    faults = make_paper(
        4, abstract="An editor's words.", abstract_kind=AbstractKind.SUMMARY, authors=(), author_count=5, published=None
    )
    why = Why(line="both words, in title and abstract", title=("Sensitivity",), abstract=("sensitivity",))
    return Digest(
        slot=Slot(label="2026-11-20", zone="Europe/Berlin", day=date(2026, 11, 20)),
        first=False,
        sections=(
            Section(
                topic_id=1,
                name="neural sensitivity",
                total=3,
                entries=(Entry(probing, 1, why), Entry(bounds, 1, why)),
                overflow=(titled,),
                query="neural sensitivity",
                since=date(2026, 11, 19),
            ),
            Section(
                topic_id=2,
                name='abnn OR "attention fault"',
                total=2,
                entries=(Entry(faults, 2, Why(line="phrase “attention fault”, in abstract")),),
                overflow=(),
            ),
        ),
        topics=("neural sensitivity", 'abnn OR "attention fault"'),
        receipt=Receipt(
            checks=(
                SourceCheck("daily", "Hugging Face Daily Papers", date(2026, 11, 20), FetchStatus.OK, 31, 30),
                SourceCheck("cs.LG", "arXiv cs.LG", None, FetchStatus.LAYOUT_CHANGED, 0, 0),
            ),
            new=30,
            matched=4,
        ),
        confirmed_at=datetime(2026, 10, 3, 9, tzinfo=UTC),
    )


@pytest.fixture(scope="session")
def busy(make_paper: MakePaper) -> Digest:
    """A letter with everything: three topics that overlap, related papers, a flood, late risers, what is trending."""
    wishes = (
        TopicWish(1, "neural sensitivity", related=True, query="neural sensitivity"),
        TopicWish(2, "Robustness", related=True, query="robust*"),
        TopicWish(3, "frozen mud", related=True, query="frozen mud"),
        TopicWish(4, 'abnn OR "attention fault"', query='abnn OR "attention fault"'),
    )
    both = make_paper(1, title="Probing the Sensitivity of Robust Networks", upvotes=41)
    plain = make_paper(2, title="Robust Estuaries", abstract="A robust survey of mud. It moves twice a year.")
    near = make_paper(3, title="Mud That Moves", abstract="We follow mud along forty estuaries, and say why it moves.")
    far = make_paper(4, title="Frozen Layers Learn", abstract="A frozen layer learns from the layers around it.")
    sturdy = make_paper(7, title="Sturdy Things", abstract="Sturdy is robust by another name.")
    late = make_paper(
        5,
        title="A Late Bloomer on Sensitivity",
        published=date(2026, 11, 2),
        first_listed=date(2026, 11, 3),
        upvotes=97,
        code_url="https://github.com/example/bloomer",
    )
    hot = make_paper(6, title="What Everybody Reads", upvotes=512, published=date(2026, 11, 19))
    flood = [make_paper(number, title=f"Attention Faults, Case {number}") for number in range(10, 18)]
    whys = {
        1: Why("both words, in abstract and title", title=("Sensitivity",), abstract=("sensitivity", "network")),
        2: Why("word “robust”, in title and abstract", title=("Robust",), abstract=("robust",)),
        3: Why("1 of 2 words: “mud”, in title and abstract", title=("Mud",), abstract=("mud",)),
        4: Why("phrase “attention fault”, in title", ("Attention Faults",)),
    }
    only_frozen = Why("1 of 2 words: “frozen”, in title and abstract", title=("Frozen",), abstract=("frozen",))
    digest = compose(
        slot=Slot(label="2026-11-20", zone="Europe/Berlin", day=date(2026, 11, 20)),
        first=False,
        wishes=wishes,
        candidates=[
            Candidate(1, both, 2.0),
            Candidate(2, both, 3.0),
            Candidate(2, plain, 2.0),
            Candidate(3, near, 2.0, Tier.RELATED),
            Candidate(3, far, 1.0, Tier.RELATED),
            Candidate(2, sturdy, 1.0, Tier.RELATED),
            *(Candidate(4, paper, 1.0) for paper in flood),
        ],
        sent=(),
        limits=Limits(papers=8, per_topic=3, trending=1),
        checks=(
            SourceCheck("daily", "Hugging Face Daily Papers", date(2026, 11, 20), FetchStatus.OK, 31, 30),
            SourceCheck("cs.LG", "arXiv cs.LG", date(2026, 11, 20), FetchStatus.OK, 1_422, 1_374),
        ),
        new=1_404,
        confirmed_at=datetime(2026, 10, 3, 9, tzinfo=UTC),
        welcome_days=7,
        explain=lambda topic_id, paper: only_frozen if paper is far else whys[topic_id],
        beyond={4: 692},
        risers=[Candidate(2, late, 1.0), Candidate(1, late, 1.0)],
        trending=[late, both, hot],
        since=date(2026, 11, 20),
    )
    assert digest is not None
    return digest


@pytest.fixture
def slots() -> dict[str, str]:
    """The slot values of one reader."""
    site = "https://digests.example.org"
    return {
        "to": "reader@example.org",
        "message-id": "<0123456789abcdef@example.org>",
        "letter": "0123456789abcdef",
        "date": "Fri, 20 Nov 2026 06:00:00 +0000",
        "confirmed": "3 October 2026",
        "unsubscribe": f"{site}/unsubscribe/Zk3.{'a' * 43}",
        "preferences": f"{site}/preferences/Zk3.{'b' * 43}",
        "feedback": f"{site}/feedback/Zk3.{'d' * 43}",
        "issue": f"{site}/issues/8c1f",
        "confirm": f"{site}/confirm/Zk3.{'c' * 43}",
    }
