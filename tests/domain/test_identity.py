import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identity import Fingerprint, Verdict, fingerprint, traits, verdict
from domain.papers import Identifiers

SAME, DIFFERENT, UNSURE = Verdict.SAME, Verdict.DIFFERENT, Verdict.UNSURE
# Each longer than the 300 letters that are compared first.
ABSTRACT = (
    "We measure how tides move mud along forty estuaries and find that most of it moves twice a year. "
    "Gauges were read in spring and in autumn, by hand, over eleven winters; a model of three layers explains what "
    "they say, but for two estuaries in which dredging began. We give the readings, the model and a guide for those "
    "who would repeat this in warmer waters, where mud settles faster. Dams explain the remaining differences."
)
EDITED = ABSTRACT.replace("most of it", "nearly all of it").replace("warmer", "warm")
OTHER = (
    "Quantum clocks tick in pairs; this note counts the pairs, and says why the count is always odd. A proof by "
    "exhaustion takes four pages, another one by symmetry takes a line, which we could not find in any textbook. Both "
    "fail for clocks that were wound backwards, and an open question is whether such clocks exist at low temperature."
)
LONG = "The Slow Migration of Estuarine Mud"


def record(title="On Mud", abstract="", author="", ids=None) -> Fingerprint:
    return fingerprint(ids or Identifiers(), title, abstract, (author,) if author else ())


def judge(one: Fingerprint, other: Fingerprint) -> Verdict:
    """The verdict, whichever comes first; records that may be one must be found by a trait."""
    found = verdict(one, other)
    assert verdict(other, one) is found
    if found is not DIFFERENT and not set(one.ids.pairs()) & set(other.ids.pairs()):
        assert set(traits(one)) & set(traits(other))
    return found


def arxiv(number: int, doi: str | None = None, forum: str | None = None) -> Identifiers:
    return Identifiers(arxiv=f"2401.{number:05}", doi=doi, openreview=forum)


def test_a_shared_id_is_the_same_paper_whatever_the_title():
    assert judge(record(ids=arxiv(1)), record("On Water", ids=arxiv(1))) is SAME
    assert judge(record(ids=arxiv(1, "10.1/x")), record("On Water", ids=Identifiers(doi="10.1/x"))) is SAME
    forum = Identifiers(openreview="abcdef")
    assert judge(record(ids=forum), record("On Water", ids=forum)) is SAME


def test_two_arxiv_ids_are_two_papers_whatever_the_text():
    assert judge(record(LONG, ABSTRACT, ids=arxiv(1)), record(LONG, ABSTRACT, ids=arxiv(2))) is DIFFERENT
    forums = Identifiers(openreview="abcdef"), Identifiers(openreview="abcdeg")
    assert judge(record(LONG, ABSTRACT, ids=forums[0]), record(LONG, ABSTRACT, ids=forums[1])) is DIFFERENT


def test_a_wrong_doi_does_not_swallow_another_paper():
    assert judge(record(ids=arxiv(1, "10.1/x")), record(ids=arxiv(2, "10.1/x"))) is DIFFERENT
    assert judge(record(ids=arxiv(1, None, "abcdef")), record(ids=arxiv(2, None, "abcdef"))) is DIFFERENT


def test_a_paper_submitted_twice_to_openreview_is_one_paper():
    assert judge(record(ids=arxiv(1, None, "abcdef")), record(ids=arxiv(1, None, "abcdeg"))) is SAME


def test_a_preprint_and_its_article_have_two_dois_and_are_one():
    preprint = record(LONG, ABSTRACT, "Ada Moss", Identifiers(doi="10.1101/2024.01.01.123456"))
    article = record(LONG, EDITED, "Moss, A.", Identifiers(doi="10.1000/mud.7"))
    assert judge(preprint, article) is SAME
    assert judge(preprint, record(LONG, ABSTRACT, "Ada Moss", arxiv(1))) is SAME


@pytest.mark.parametrize(
    ("title", "abstracts", "authors", "expected"),
    [
        ("On Mud", (ABSTRACT, ABSTRACT), ("", ""), SAME),
        ("On Mud", (ABSTRACT, EDITED), ("Ada Moss", "Eve Reed"), SAME),
        (LONG, (ABSTRACT, ""), ("", ""), SAME),
        (LONG, (ABSTRACT, OTHER), ("Ada Moss", "A. Moss"), SAME),
        (LONG, ("", ""), ("Ada Moss", "Moss, A."), SAME),
        (LONG, ("", ""), ("Ada Moss", ""), SAME),
        (LONG, (ABSTRACT, OTHER), ("Ada Moss", "Eve Reed"), UNSURE),
        (LONG, (ABSTRACT, OTHER), ("", ""), UNSURE),
        (LONG, (ABSTRACT, ""), ("Ada Moss", "Eve Reed"), UNSURE),
        (LONG, ("", ""), ("Ada Moss", "Eve Reed"), UNSURE),
        ("On Mud", (ABSTRACT, OTHER), ("Ada Moss", "Ada Moss"), UNSURE),
        ("On Mud", (ABSTRACT, ""), ("Ada Moss", "Ada Moss"), UNSURE),
        ("Cystic fibrosis.", (ABSTRACT, OTHER), ("", ""), UNSURE),
        ("Editorial", ("", ""), ("Ada Moss", "Eve Reed"), UNSURE),
    ],
)
def test_equal_titles_need_a_second_witness(title, abstracts, authors, expected):
    one, other = (record(title, *said) for said in zip(abstracts, authors, strict=True))
    assert judge(one, other) is expected


@pytest.mark.parametrize("phrase", ["No abstract available.", "This paper has been withdrawn by the author."])
def test_a_phrase_that_many_share_is_no_abstract(phrase):
    one, other = (record("Editorial", phrase, ids=Identifiers(doi=doi)) for doi in ("10.1/x", "10.1/y"))
    assert judge(one, other) is UNSURE


def test_records_without_an_id_that_say_the_very_same_are_one_however_short_their_title():
    assert judge(record("Editorial"), record("Editorial")) is SAME
    assert judge(record("Editorial", author="Ada Moss"), record("Editorial", author="Ada Moss")) is SAME
    assert judge(record("Editorial", "Mud."), record("Editorial", "Silt.")) is UNSURE
    assert judge(record("Editorial", ids=Identifiers(doi="10.1/x")), record("Editorial")) is UNSURE
    assert judge(record("???"), record("???")) is SAME
    together, alone = (
        fingerprint(Identifiers(), "Editorial", "", who) for who in (("A. Moss", "B. Fen"), ("A. Moss",))
    )
    assert judge(together, alone) is UNSURE


TITLES_OF_ONE_WORK = [
    (r"Schr\"odinger Bridges over Mud", "Schrödinger Bridges over Mud"),
    ("$N$-ary Relations of Mud", "N-ary relations of mud"),
    (r"80\%+ of Mud Is Water", "80%+ of mud is water"),
    ("TranslationUsing Less Mud", "Translation Using Less Mud"),
    ("Preprint: Mud Is Slow", "Mud Is Slow (extended version)"),
    ("The Slow Migration of Estuarine Mud", "On the Slow Migration of Estuarine Mud"),
    ("The Slow Migration of Mud in Two Estuaries", "Slow Migration of Mud in 2 Estuaries"),
    ("Correction of bias in maps", "Correction of Bias in the Maps"),
    ("MudNet: Reading GPT-4 Tides", "MudNet: Reading the GPT-4 Tides"),
]
TITLES_OF_TWO_WORKS = [
    ("Tides and Mud of the Low Countries, Part 1 of 4", "Tides and Mud of the Low Countries, Part 2 of 4"),
    ("Tides and Mud of the Low Countries, Part I", "Tides and Mud of the Low Countries, Part II"),
    ("Tides and Mud of the Low Countries, part one", "Tides and Mud of the Low Countries, part two"),
    ("Tides and Mud of the Low Countries, Part A", "Tides and Mud of the Low Countries, Part B"),
    ("What GPT-4 Knows of Tidal Mud", "What GPT-4V Knows of Tidal Mud"),
    ("The Slow Migration of Estuarine Mud", "Erratum: The Slow Migration of Estuarine Mud"),
    ("The Slow Migration of Estuarine Mud", "The Slow Migration of Estuarine Mud (Corrigendum)"),
    ("The Slow Migration of Estuarine Mud", "Comment on the Slow Migration of Estuarine Mud"),
    ("Comment on the Slow Migration of Mud", "Reply to Comment on the Slow Migration of Mud"),
    ("The Slow Migration of Estuarine Mud", "The Slow Migration of Estuarine Mud: Supplementary Material"),
    ("The Slow Migration of Estuarine Mud", "Correction to: The Slow Migration of Estuarine Mud"),
    ("The Slow Migration of Estuarine Mud", "How Fast Does Mud Wander in Estuaries?"),
    ("…", "!"),
    ("", LONG),
]


@pytest.mark.parametrize(("one", "other"), TITLES_OF_ONE_WORK)
def test_a_work_is_one_under_two_titles_where_the_abstract_says_so(one, other):
    assert judge(record(one, ABSTRACT), record(other, ABSTRACT)) is SAME
    assert judge(record(one, ABSTRACT), record(other, OTHER)) is not SAME


@pytest.mark.parametrize(("one", "other"), TITLES_OF_TWO_WORKS)
def test_works_that_differ_in_a_numeral_or_a_kind_stay_two_under_one_abstract(one, other):
    assert judge(record(one, ABSTRACT, "Ada Moss"), record(other, ABSTRACT, "Ada Moss")) is DIFFERENT


def test_titles_that_differ_need_abstracts_that_hardly_do():
    one = record(LONG, ABSTRACT)
    assert judge(one, record(f"On {LONG}", EDITED)) is SAME
    assert judge(one, record(f"On {LONG}", ABSTRACT[:390])) is SAME  # a teaser: the first 300 letters are equal
    assert judge(one, record(f"On {LONG}", ABSTRACT[:200])) is DIFFERENT
    assert judge(one, record(f"On {LONG}", ABSTRACT.replace("by hand", "by a pupil of each village"))) is SAME
    assert judge(one, record(f"On {LONG}", OTHER[:100] + ABSTRACT[100:])) is DIFFERENT
    assert judge(one, record(f"On {LONG}")) is DIFFERENT
    assert judge(record(LONG), record(f"On {LONG}")) is DIFFERENT


def test_of_a_thousand_editorials_each_is_found_by_a_trait_that_few_share():
    ids = [Identifiers(), Identifiers(doi="10.1/x")]
    bare = [record("Editorial", author=f"Author Number{n}") for n in range(1_000)]
    told = [record("Editorial", f"{OTHER.replace('pairs', f'pairs of {n}')} {n}", ids=ids[n % 2]) for n in range(1_000)]
    for editorials in (bare, told):
        owners: dict[int, set[int]] = {}
        for number, each in enumerate(editorials):
            for trait in traits(each):
                owners.setdefault(trait, set()).add(number)
        assert all(min(len(owners[trait]) for trait in traits(each)) == 1 for each in editorials)
    assert {verdict(bare[0], each) for each in bare[1:]} == {UNSURE}


def test_traits_are_stored_and_so_never_change():
    inland = (
        "We read the tides in inlets and show that mud moves in two steps, by night and by day, in every inland sea."
    )
    assert traits(record("On Mud")) == (143526481685090003, 4379287048810074650)
    assert traits(record("On Mud", inland, "Ada Moss")) == (
        143526481685090003,
        9136484909462492408,
        3723015178980644622,
        4422723949910536861,
    )


TITLE = st.sampled_from([*(title for pair in TITLES_OF_ONE_WORK + TITLES_OF_TWO_WORKS for title in pair), "Editorial"])
IDS = st.builds(
    Identifiers,
    arxiv=st.sampled_from([None, None, "2401.00001", "2401.00002"]),
    doi=st.sampled_from([None, None, "10.1/x", "10.1/y"]),
    openreview=st.sampled_from([None, None, "abcdef", "abcdeg"]),
)
WORDS = st.lists(st.sampled_from(ABSTRACT.split()), max_size=80).map(" ".join)
RECORD = st.builds(
    fingerprint,
    IDS,
    st.one_of(TITLE, st.text(max_size=40)),
    st.one_of(st.sampled_from(["", ABSTRACT, EDITED, OTHER]), WORDS, st.text(max_size=80)),
    st.lists(st.one_of(st.sampled_from(["Ada Moss", "Moss, A.", "Eve Reed"]), st.text(max_size=9)), max_size=2),
)


@given(RECORD, RECORD)
def test_any_two_records_have_one_verdict_whichever_comes_first(one, other):
    found = judge(one, other) if one.key == other.key else verdict(one, other)
    assert verdict(other, one) is found


@given(RECORD)
def test_any_record_is_itself(one):
    assert verdict(one, one) in {SAME, UNSURE}
    assert verdict(one, one) is SAME or one.ids.pairs()
    assert len(traits(one)) <= 4
    assert all(-(2**63) <= trait < 2**63 for trait in traits(one))
    assert traits(one) or not one.key


@given(RECORD, st.text(max_size=30), st.integers(0, 2), st.booleans())
def test_equal_titles_share_a_trait_whatever_else_is_said(one, said, count, named):
    ids = Identifiers(doi="10.1/z") if named else Identifiers()
    other = fingerprint(ids, one.key, said * 9, ["Ada Moss"] * count)
    assert one.key != other.key or not one.key or set(traits(one)) & set(traits(other))


@pytest.mark.parametrize(
    "text", ["a" * 200_000, "in" * 100_000, "ab" * 100_000, "\ufdfa" * 100_000, "1 I " * 50_000, "the in " * 50_000]
)
def test_any_text_takes_little_time(text):
    began = time.process_time()
    one, other = record(text, text), record(text + "x", "x" + text, ids=arxiv(1))
    shorter = record(text[:3_900], text[7:3_900])
    traits(one)
    assert verdict(one, other) in Verdict
    assert verdict(one, shorter) in Verdict
    assert time.process_time() - began < 0.5
