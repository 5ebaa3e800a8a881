"""One mailbox has many addresses, and one key."""

from hypothesis import given
from hypothesis import strategies as st

from domain.mailboxes import mailbox_of


def test_a_tag_is_nothing_and_to_gmail_neither_are_dots_nor_which_of_its_domains():
    assert mailbox_of("mira+papers@lab.example").key == mailbox_of("mira+@lab.example").key == "mira@lab.example"
    assert mailbox_of("m.i.ra+a+b@googlemail.com").key == mailbox_of("mira@gmail.com").key == "mira@gmail.com"


def test_neighbours_have_mailboxes_of_their_own():
    keys = ("mira@lab.example", "mi.ra@lab.example", "+a@lab.example", "+b@lab.example", "...@gmail.com", "mira@pm.me")
    assert len({mailbox_of(each).key for each in keys}) == len(keys)


@given(st.from_regex(r"[a-z.+]{1,8}@(gmail\.com|googlemail\.com|lab\.example)", fullmatch=True))
def test_a_key_is_an_address_of_the_mailbox_it_names(address):
    assert mailbox_of(mailbox_of(address).key).key == mailbox_of(address).key
