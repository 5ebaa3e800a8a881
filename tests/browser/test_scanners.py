"""What opens links before people do: a mail scanner that fetches every link of every letter, and runs its scripts.

No table changes by it, not even one that counts: nothing is left out of the comparison. And no page sends the scanner,
or a reader, to another host. Links that lead to a paper's own site are not followed: they leave this machine.
"""

import re
from urllib.parse import urldefrag, urljoin

import pytest

#: The kinds of letters, and the page that each leads to; a letter without it would be scanned for nothing.
KINDS = {
    "confirm": "confirm",
    "digest": "unsubscribe",
    "plain digest": "unsubscribe",
    "quiet": "unsubscribe",
    "fresh": "account",
    "address": "address",
    "goodbye": "preferences",
}
TOPICS = ("weather OR climate", "protein design")
_LEADS = re.compile(r'(?:href|src|action)="([^"]+)"')


@pytest.fixture
def letters(town):
    """One letter of each kind, every link of them still good for what it is there for."""
    desk = town.house.desk
    quiet = town.reader("quiet", "title:zymurgy")
    for _ in range(5):
        town.publish()
        town.letters(quiet)  # each leaves on its day
        town.later(days=1)
    reads, moves, leaves, plain = (town.reader(name, *TOPICS) for name in ("reads", "moves", "leaves", "plain"))
    town.house.changes.choose(town.id_of(plain), None, desk.find(plain).choices, text_only=True)
    town.publish()
    found = {"quiet": quiet, "digest": reads, "plain digest": plain}
    found = {kind: town.letters(address)[-1] for kind, address in found.items()}
    desk.sign_up("asks@lab.example", TOPICS, None, "/subscribe", "web 2")
    desk.ask_new_address(town.id_of(moves), "moved@lab.example")
    (found["confirm"],) = town.letters("asks@lab.example")
    (found["address"],) = town.letters("moved@lab.example")
    desk.ask_fresh(town.id_of(moves))
    found["fresh"] = town.letters(moves)[-1]
    desk.unsubscribe(leaves)
    found["goodbye"] = town.letters(leaves)[-1]
    return found


def test_no_scanner_changes_anything(town, letters, open_window):
    assert set(letters) == set(KINDS)
    for kind, page in KINDS.items():
        assert town.link(letters[kind], page), kind
    links = list(dict.fromkeys(link for letter in letters.values() for link in town.links(letter)))
    for kind in ("digest", "plain digest"):
        own = town.links(letters[kind])
        for what in (r"feedback/[^/]+/more/.", r"feedback/[^/]+/less/.", r"preferences/[^/]+/saved$"):
            assert [link for link in own if re.match(f"{town.url}/{what}", link)], (kind, what)
    before = town.everything()

    seen = {}
    for link in links:
        status, text = town.ask("GET", link)
        assert status == 200, link
        assert town.ask("HEAD", link)[0] == 200, link
        assert town.ask("OPTIONS", link)[0] == 204, link
        seen[urldefrag(link).url] = text
    assert town.everything() == before

    window = open_window("desktop", scripts=True)
    for link in seen:
        if not link.endswith(".bib"):  # which a browser would only save
            window.open(link)
            window.page.wait_for_load_state("networkidle")
    assert town.everything() == before
    assert window.complaints == []
    assert [each for each in window.asked if not each.startswith(f"{town.url}/")] == []

    # A thorough one goes on from there; it presses no button, but it may fetch where a form would go.
    further = {urldefrag(urljoin(link, found)).url for link, text in seen.items() for found in _LEADS.findall(text)}
    for link in sorted(further - set(seen)):
        if link.startswith(f"{town.url}/"):
            town.ask("GET", link.replace("&amp;", "&"))
    assert town.everything() == before
