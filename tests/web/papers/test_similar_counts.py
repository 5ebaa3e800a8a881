"""What is remembered of the whole archive's words."""

from domain.topics import Census
from web.papers.similar import Counts


class Archive:
    """An archive of a hundred papers that counts what it is asked."""

    def __init__(self):
        self.papers = 100
        self.asked = []

    def __call__(self, stems):
        self.asked.append(list(stems))
        return Census(self.papers, 12.0, {stem: len(stem) for stem in stems})


def test_what_is_known_is_neither_asked_nor_copied_again():
    archive = Archive()
    counts = Counts(archive)
    first = counts.of(["tide", "eel"])
    known = counts._known

    assert counts.of(["eel"]).having == {"eel": 3}
    assert counts._known is known
    assert first.having == {"tide": 4, "eel": 3}
    assert counts.of(["eel", "moon"]).having == {"eel": 3, "moon": 4}
    assert archive.asked == [["tide", "eel"], ["tide", "eel"], [], ["moon"]]
    archive.papers = 200
    assert counts.of(["eel"]).papers == 200
    assert archive.asked[-2:] == [[], ["eel"]]
