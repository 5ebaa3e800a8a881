"""Related papers in letters: where few answer, for whom they are wanted, and never instead of an answer."""

import pytest

from domain.subscriptions import Choices

pytestmark = pytest.mark.usefixtures("others")

LABEL = "Related, with part of the words:"


@pytest.fixture
def tides(days, paper):
    """List so many papers that answer `tides mud`, and so many that have one of the words."""

    def list_(exact: int, near: int) -> None:
        days.listed(
            *(paper(n, "Tides", f"Of mud in place {n}.") for n in range(1, exact + 1)),
            *(paper(n, "Tides", f"Of rain in place {n}.") for n in range(101, near + 101)),
        )

    return list_


@pytest.mark.parametrize(("exact", "near"), [(0, 3), (1, 2), (2, 1), (3, 0), (4, 0)])
def test_related_papers_fill_a_topic_up_to_three_and_say_so(days, tides, exact, near):
    days.reader("mira", "tides mud")
    days.letters()
    tides(exact, 5)
    letter = days.letters()["mira"]
    assert len(letter.papers) == exact + near
    assert [number for number in letter.papers if number > 100] == letter.related
    assert len(letter.related) == near
    assert (LABEL in letter.text) == (near > 0)
    assert days.letters() == {}, "those that found no room are not rolled over"


def test_a_letter_of_related_papers_alone_says_that_nothing_answers(days, tides):
    days.reader("mira", "tides mud")
    days.letters()
    tides(0, 1)
    assert (
        "No new paper answers your topic in full; 1 related one has part of the words." in days.letters()["mira"].text
    )


def test_one_reader_of_a_topic_wants_related_papers_and_another_does_not(days, tides):
    days.reader("mira", "tides mud")
    days.reader("jun", "tides mud", related=False)
    days.letters()
    tides(1, 5)
    letters = days.letters()
    assert (letters["jun"].papers, letters["jun"].related) == ([1], [])
    assert len(letters["mira"].related) == 2
    tides(1, 9)
    letters = days.letters()
    assert list(letters) == ["mira"], "nothing but related ones came"


def test_who_switches_them_off_gets_them_no_more(days, tides, paper):
    days.reader("mira", "tides mud")
    days.letters()
    tides(0, 1)
    assert days.matched() == 1
    days.house.desk.change_topics("mira@lab.example", [], [], exact=["tides mud"])
    assert days.letters() == {}


def test_who_switches_them_on_for_a_topic_with_operators_gets_what_came_since_the_last_letter(days, paper):
    topic = "tides mud -snow"
    for name in ("mira", "jun"):
        days.reader(name, topic)
    days.letters()
    days.listed(paper(1, "Mud"), paper(2, "Mud and snow"))
    assert days.letters() == {}
    days.house.desk.change_topics("mira@lab.example", [], [], related=[topic])
    assert days.letters()["mira"].related == [1]
    days.listed(paper(3, "Tides", "Of mud."), paper(4, "Tides of rain"), paper(5, "Tides of snow"))
    letters = days.letters()
    assert (letters["mira"].papers, letters["mira"].related) == ([3, 4], [4])
    assert (letters["jun"].papers, letters["jun"].related) == ([3], [])


def test_a_reader_who_wants_few_papers_gets_no_more_for_related_ones(days, tides):
    days.reader("mira", "tides mud", choices=Choices(papers=2, per_topic=2))
    days.letters()
    tides(1, 5)
    assert len(days.letters()["mira"].papers) == 2
