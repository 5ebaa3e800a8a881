"""Links that cannot be forged, altered, or used for something else."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digests.links import CONFIRM_HOURS, FRESH_HOURS, HOURS, BadLink, Links, Purpose
from domain.errors import SettingsError, UsageError

KEY = "a secret of the tests"
LINKS = Links("https://lab.example/papers/", KEY)
NOW = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
READER = "0123456789abcdef"

readers = st.binary(min_size=8, max_size=8).map(bytes.hex)


def token(url: str) -> str:
    return url.rpartition("/")[2]


def made(purpose: Purpose, reader: str = READER) -> str:
    dated = {Purpose.CONFIRM: LINKS.confirm, Purpose.ADDRESS: LINKS.address, Purpose.FRESH: LINKS.fresh}
    return dated[purpose](reader, NOW) if purpose in dated else getattr(LINKS, purpose)(reader)


@given(readers, st.sampled_from(Purpose))
def test_a_link_names_its_reader(reader: str, purpose: Purpose) -> None:
    assert LINKS.read(purpose, token(made(purpose, reader)), NOW) == reader


@pytest.mark.parametrize("purpose", Purpose)
def test_a_link_is_short_safe_in_a_url_and_always_the_same(purpose: Purpose) -> None:
    url = made(purpose)
    assert url == made(purpose)
    assert url.startswith(f"https://lab.example/papers/{purpose}/")
    assert len(token(url)) <= 43
    assert token(url).replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize("made_for", Purpose)
@pytest.mark.parametrize("used_for", Purpose)
def test_a_link_serves_one_purpose_only(made_for: Purpose, used_for: Purpose) -> None:
    if made_for is used_for:
        assert LINKS.read(used_for, token(made(made_for)), NOW) == READER
    else:
        with pytest.raises(BadLink, match="not one of ours"):
            LINKS.read(used_for, token(made(made_for)), NOW)


@given(readers, st.sampled_from(Purpose), st.integers(0, 35), st.characters())
def test_a_token_with_one_other_character_is_refused(reader: str, purpose: Purpose, place: int, other: str) -> None:
    good = token(made(purpose, reader))
    bad = good[:place] + other + good[place + 1 :]
    if bad != good:
        with pytest.raises(BadLink):
            LINKS.read(purpose, bad, NOW)


@given(st.one_of(st.text(), st.text("ABCDwxyz0189-_", min_size=36, max_size=36)), st.sampled_from(Purpose))
def test_a_token_that_somebody_made_up_is_refused(made_up: str, purpose: Purpose) -> None:
    with pytest.raises(BadLink):
        LINKS.read(purpose, made_up, NOW)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t[:-1],
        lambda t: t + "A",
        lambda t: t + "\n",
        lambda t: t + "=",
        lambda t: " " + t,
        lambda t: t + ".",
        str.swapcase,
    ],
)
def test_a_token_that_a_mailbox_damaged_is_refused(change: Callable[[str], str]) -> None:
    with pytest.raises(BadLink):
        LINKS.read(Purpose.UNSUBSCRIBE, change(token(LINKS.unsubscribe(READER))), NOW)


def test_another_installation_cannot_make_our_links() -> None:
    other = Links("https://lab.example/papers/", KEY + "!")
    with pytest.raises(BadLink):
        LINKS.read(Purpose.PREFERENCES, token(other.preferences(READER)), NOW)


@pytest.mark.parametrize(
    ("purpose", "hours"),
    [(Purpose.CONFIRM, CONFIRM_HOURS), (Purpose.ADDRESS, CONFIRM_HOURS), (Purpose.FRESH, FRESH_HOURS)],
)
def test_what_was_asked_for_is_good_for_some_hours_and_then_says_so(purpose: Purpose, hours: int) -> None:
    link = token(made(purpose))
    last = NOW + timedelta(hours=hours)
    assert LINKS.read(purpose, link, last) == READER
    with pytest.raises(BadLink, match=f"{hours} hours") as caught:
        LINKS.read(purpose, link, last + timedelta(seconds=1))
    assert caught.value.expired
    assert isinstance(caught.value, UsageError)


def test_a_confirmation_is_good_for_three_days_and_a_fresh_link_for_two_hours() -> None:
    assert HOURS == {Purpose.CONFIRM: 72, Purpose.ADDRESS: 72, Purpose.FRESH: 2}


@pytest.mark.parametrize("asked", [LINKS.confirm, LINKS.address, LINKS.fresh])
def test_links_asked_for_at_different_times_are_different(asked: Callable[[str, datetime], str]) -> None:
    assert asked(READER, NOW) != asked(READER, NOW + timedelta(seconds=1))


def test_a_link_says_in_which_second_it_was_made() -> None:
    made_at = NOW + timedelta(microseconds=999_999)
    assert LINKS.read_dated(Purpose.ADDRESS, token(LINKS.address(READER, made_at)), made_at) == (READER, NOW)
    assert LINKS.read_dated(Purpose.PREFERENCES, token(LINKS.preferences(READER)), NOW)[1].year == 1970


# -- a key that is changed ---------------------------------------------------------------------------------------------

NEWER, NEWEST = "a newer secret of the tests", "the newest secret of the tests"
CHANGED = Links("https://lab.example/papers/", NEWEST, old_keys=[NEWER, KEY])


@pytest.mark.parametrize("purpose", Purpose)
def test_a_link_of_an_old_key_is_read_as_long_as_the_key_is_kept(purpose: Purpose) -> None:
    assert CHANGED.read(purpose, token(made(purpose)), NOW) == READER
    dropped = Links("https://lab.example/papers/", NEWEST, old_keys=[NEWER])
    with pytest.raises(BadLink, match="not one of ours"):
        dropped.read(purpose, token(made(purpose)), NOW)


def test_an_old_key_gives_no_link_more_time_and_no_other_purpose() -> None:
    link = token(made(Purpose.CONFIRM))
    with pytest.raises(BadLink, match="72 hours"):
        CHANGED.read(Purpose.CONFIRM, link, NOW + timedelta(hours=CONFIRM_HOURS, seconds=1))
    with pytest.raises(BadLink, match="not one of ours"):
        CHANGED.read(Purpose.ADDRESS, link, NOW)


def test_new_links_are_signed_with_the_newest_key() -> None:
    alone = Links("https://lab.example/papers/", NEWEST)
    assert CHANGED.preferences(READER) == alone.preferences(READER)
    assert alone.read(Purpose.CONFIRM, token(CHANGED.confirm(READER, NOW)), NOW) == READER
    with pytest.raises(BadLink):
        LINKS.read(Purpose.PREFERENCES, token(CHANGED.preferences(READER)), NOW)


def test_an_old_key_that_can_be_guessed_is_refused_and_not_shown() -> None:
    with pytest.raises(SettingsError, match=r"web\.old_secret_keys") as caught:
        Links("https://lab.example", KEY, old_keys=["hunter2"])
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("purpose", [Purpose.UNSUBSCRIBE, Purpose.PREFERENCES])
def test_the_other_links_never_expire(purpose: Purpose) -> None:
    assert LINKS.read(purpose, token(made(purpose)), NOW + timedelta(days=20_000)) == READER


@pytest.mark.parametrize("issue", ["", "../unsubscribe", "ab\n", "a b", "é"])
def test_an_issue_that_cannot_be_one_is_never_put_into_a_link(issue: str) -> None:
    with pytest.raises(ValueError, match="public id"):
        LINKS.issue(issue)


def test_an_issue_is_found_by_its_random_id_alone() -> None:
    assert LINKS.issue("f00dfeed12345678") == "https://lab.example/papers/issues/f00dfeed12345678"


@pytest.mark.parametrize(
    "reader", ["", "0123", "0123456789ABCDEF", "0123456789abcdeg", "0123456789abcdef\n", "../../etc/passwd"]
)
def test_an_id_that_is_none_is_never_put_into_a_link(reader: str) -> None:
    with pytest.raises(ValueError, match="public id"):
        LINKS.unsubscribe(reader)


@pytest.mark.parametrize(
    "base",
    [
        "http://127.0.0.1:8000",
        "http://127.0.0.1:8000/",
        "https://lab.example/a/b//",
        "http://[::1]:8000",
        "https://xn--bcher-kva.example",
    ],
)
def test_the_site_may_lie_anywhere(base: str) -> None:
    url = Links(base, KEY).issue("ab")
    assert url == base.rstrip("/") + "/issues/ab"


@pytest.mark.parametrize(
    "base",
    [
        "", "lab.example", "ftp://lab.example", "https://", "https:///papers", "https://lab.example/?q=1",
        "https://lab.example/#top", "https://lab.example/?", "https://lab.example/#", "https://lab.example:port",
        "https://me:secret@lab.example", "https://lab example", "https://lab.example\r\nBcc: a@b.example",
        "https://bücher.example", "https://[::1", 'https://lab.example/"><script>',
    ],
)  # fmt: skip
def test_a_site_that_is_none_is_refused_by_name(base: str) -> None:
    with pytest.raises(SettingsError, match=r"web\.base_url"):
        Links(base, KEY)


def test_a_secret_that_can_be_guessed_is_refused_and_not_shown() -> None:
    with pytest.raises(SettingsError, match=r"web\.secret_key") as caught:
        Links("https://lab.example", "hunter2")
    assert "hunter2" not in str(caught.value)
