"""A letter that cannot be made, or joined, fails closed: nothing of it leaves, and the others go."""

from datetime import timedelta

import pytest
from jinja2 import UndefinedError
from sqlalchemy import func, select, update

from digests.render import Renderer
from storage.tables import CONTENT, DELIVERY, FRAGMENT, ISSUE, SENT

BROKEN = "Ben"


class Broken:
    """A renderer whose templates fail at the last line of the letter of one topic."""

    def __init__(self, whole: Renderer) -> None:
        self._whole = whole
        self.is_broken = True

    def __getattr__(self, name):
        return getattr(self._whole, name)

    def digest(self, digest, *, shared):
        letter = self._whole.digest(digest, shared=shared)
        if self.is_broken and BROKEN in digest.topics:
            raise UndefinedError("'foot' is undefined")
        return letter


@pytest.fixture
def renderer(lab):
    lab.house.renderer = Broken(lab.house.renderer)
    return lab.house.renderer


def rows(lab, table):
    with lab.house.database.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_a_template_error_in_one_letter_of_many_stops_that_one_and_leaves_nothing_of_it(lab, papers, renderer):
    for name in ("ann", "ben", "cat", "dan"):
        lab.reader(name, f"{name.title()} = tides")
    lab.listed(*papers(2))
    now = lab.clock.now()
    lab.house.matcher.match(now)
    counts = lab.house.publisher.publish(now)
    assert (counts.due, counts.issues, sum(counts.skipped.values())) == (4, 3, 1)
    assert (rows(lab, ISSUE), rows(lab, DELIVERY), rows(lab, CONTENT), rows(lab, SENT)) == (3, 3, 3, 6)
    with lab.house.database.reading() as connection:
        kept = connection.execute(select(FRAGMENT.c.body)).scalars().all()
    assert not any(BROKEN.encode() in body for body in kept)
    lab.house.deliverer.deliver()
    assert lab.states() == {"ann": "accepted", "cat": "accepted", "dan": "accepted"}
    assert all(letter.defects == [] for letter in lab.relay.digests())
    # Once the template is mended, the letter of that day comes with all its papers.
    renderer.is_broken = False
    lab.clock.set(lab.clock.now() + timedelta(hours=1, minutes=1))
    assert lab.round() == 1
    (late,) = lab.relay.digests("ben")
    assert late.get_body(("html",)).get_content().count("<h3") == 2


def test_a_letter_whose_pieces_do_not_fit_together_is_refused_before_a_byte_of_it_leaves(lab, papers):
    for name in ("ann", "ben", "cat"):
        lab.reader(name, "tides")
    lab.listed(*papers(2))
    assert lab.publish() == 3
    with lab.house.database.writing() as connection:  # a row that something damaged: its own values are gone
        connection.execute(update(DELIVERY).where(DELIVERY.c.recipient == "ben@lab.example").values(slots={}))
    lab.house.deliverer.deliver()
    assert lab.states() == {"ann": "accepted", "ben": "rejected", "cat": "accepted"}
    assert "could not be sent" in lab.reasons()["ben"]
    assert lab.relay.tried == ["ann@lab.example", "cat@lab.example"]
