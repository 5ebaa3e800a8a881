import pytest

from topics.exclusions import exclusions, without
from topics.normal import spelled
from topics.query import parse


@pytest.mark.parametrize(
    ("query", "lacking"),
    [
        ("tides", {}),
        ("tides -mud", {"-mud": "tides"}),
        ("tides -mud -sand", {"-mud": "tides -sand", "-sand": "tides -mud"}),
        ("tides -(mud sand)", {"-(mud sand)": "tides"}),
        ("tides -(mud -sand)", {"-(mud -sand)": "tides"}),
        ("moon OR (tides -mud)", {"-mud": "moon OR tides"}),
        ("(moon -mud) OR (tides -mud)", {"-mud": "moon OR tides"}),
        ("tides -cat:cs -upvotes>=20", {"-cat:cs": "tides -upvotes>=20", "-upvotes>=20": "tides -cat:cs"}),
        (
            "tides (moon OR (sun -mud)) -sand",
            {"-mud": "(moon OR sun) tides -sand", "-sand": "((sun -mud) OR moon) tides"},
        ),
    ],
)
def test_a_topic_is_told_without_each_of_its_exclusions(query, lacking):
    tree = parse(query).tree
    told = {spelled(each): without(tree, each) for each in exclusions(tree)}
    assert told == {term: parse(other).tree for term, other in lacking.items()}
