import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import UsageError
from domain.learning import Edit, Edited, Taste
from domain.topics import Census
from topics.profile import LESS_APART, MORE_APART, TERMS, Words, learned, least, typed_word

HAVING = {"tide": 40, "mud": 30, "moon": 20, "glass": 20, "yeast": 25, "model": 700}
TIDES = Words(1, "Tides and mud", "How tides move mud at the coast. The tide is told by the moon.")
MOON = Words(2, "The moon", "A model of the moon, of tides and of what the moon does.")
GLASS = Words(3, "Glass", "How glass cools: a model of cracks in glass.")


def census(stems) -> Census:
    return Census(papers=1000, average=12.0, having={stem: HAVING.get(stem, 300) for stem in stems})


def words(taste: Taste) -> list[str]:
    return [term.word for term in taste.terms]


def test_what_saved_papers_have_in_common_weighs_most():
    more, less = learned([TIDES, MOON], [], {}, census)
    assert set(words(more)[:3]) == {"tides", "mud", "moon"}
    assert [term.weight for term in more.terms] == sorted((term.weight for term in more.terms), reverse=True)
    assert less == Taste()


def test_a_word_is_shown_as_it_is_written_most():
    more, _ = learned([TIDES, MOON], [], {}, census)
    assert {term.stem: term.word for term in more.terms}["tide"] == "tides"


def test_function_words_numbers_and_single_letters_are_not_learned_from():
    more, _ = learned([Words(1, "The tides of 2026", "We x the moon.")], [], {}, census)
    assert set(words(more)) == {"tides", "moon"}


def test_each_word_knows_the_paper_that_it_comes_from_most():
    more, _ = learned([TIDES, MOON], [], {}, census)
    sources = {term.word: term.saved for term in more.terms}
    assert (sources["mud"], sources["moon"]) == (1, 2)


def test_what_is_disliked_takes_away_from_what_is_wanted():
    alone, _ = learned([MOON], [], {}, census)
    more, less = learned([MOON], [GLASS], {}, census)
    weights = {term.stem: term.weight for term in alone.terms}
    assert {term.stem: weights[term.stem] - term.weight > 0 for term in more.terms} == {
        term.stem: term.stem == "model" for term in more.terms
    }
    assert words(less)[0] == "glass"


def test_a_profile_of_only_dislikes_wants_nothing():
    more, less = learned([], [GLASS], {}, census)
    assert more == Taste()
    assert words(less)[0] == "glass"
    assert least(less, census(HAVING), LESS_APART) > 0


def test_a_word_that_was_left_out_is_never_learned():
    more, _ = learned([TIDES, MOON], [], {"moon": Edited("moons", Edit.OUT)}, census)
    assert "moon" not in {term.stem for term in more.terms}


def test_a_word_that_was_put_in_is_as_heavy_as_the_heaviest_and_comes_from_no_paper():
    more, _ = learned([TIDES, MOON], [], {"yeast": Edited("yeasts", Edit.IN)}, census)
    first, second = more.terms[:2]
    assert (first.word, first.saved) == ("yeasts", 0)
    assert first.weight == second.weight


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("-coral", "write the word alone"),
        ("coral*", "write the word alone"),
        (":coral", "write the word alone"),
        ("two words", "'two words' is not one word of at most 60 characters"),
        ("x" * 61, f"'{'x' * 60}'… is not one word"),
        ("2026", "a number or a sign"),
        ("the", "stands in every paper"),
    ],
)
def test_what_is_no_word_that_can_be_learned_is_refused_in_a_sentence(typed, said):
    with pytest.raises(UsageError) as error:
        typed_word(typed)
    assert said in str(error.value)


def test_a_typed_word_is_read_without_what_stands_around_it():
    assert typed_word("“Estuaries”,") == ("estuari", "estuaries")


def test_words_alone_make_a_profile():
    more, _ = learned([], [], {"yeast": Edited("yeast", Edit.IN)}, census)
    assert words(more) == ["yeast"]
    assert least(more, census(HAVING), MORE_APART) > 0


def test_papers_without_words_teach_nothing():
    assert learned([Words(1, "", ""), Words(2, "a of the", "$$")], [], {}, census) == (Taste(), Taste())


def test_an_archive_without_papers_is_no_fault():
    more, _ = learned([TIDES], [], {}, lambda _stems: Census(papers=0, average=0.0, having={}))
    assert more.terms


def test_no_more_than_the_heaviest_are_kept():
    many = Words(1, "", " ".join(f"w{chr(97 + n // 26)}{chr(97 + n % 26)}q" for n in range(300)))
    more, _ = learned([many], [], {"yeast": Edited("yeast", Edit.IN)}, census)
    assert len(more.terms) == TERMS
    assert more.terms[0].stem == "yeast"


@given(st.lists(st.text(max_size=60), min_size=1, max_size=5), st.lists(st.text(max_size=60), max_size=3))
def test_whatever_is_written_weights_are_positive_and_each_stem_comes_once(saved, disliked):
    more, less = learned(
        [Words(n, text, text) for n, text in enumerate(saved)], [Words(9, text, "") for text in disliked], {}, census
    )
    for taste in (more, less):
        stems = [term.stem for term in taste.terms]
        assert len(set(stems)) == len(stems)
        assert all(0 < term.weight <= 1 + 1e-9 and term.word for term in taste.terms)
        assert taste.terms or least(taste, census(set()), MORE_APART) == pytest.approx(0)
