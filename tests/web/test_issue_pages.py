"""A letter in the browser: nothing that is its reader's own, and a calm page for one of plain text or one gone."""

import threading
from contextlib import ExitStack
from dataclasses import replace

import pytest
from markupsafe import escape

from digests.mail.joining import HTML_ROLES, part
from web.app import create_app
from web.issues import FrozenPages, IssuePages
from web.rendering import Rendering, SiteFacts
from web.server import serve

pytestmark = pytest.mark.engines("sqlite")


class Given:
    """One letter, whatever its id."""

    def __init__(self, letter):
        self._letter = letter

    def issue(self, _public_id):
        return self._letter


class TextAlone:
    """An outbox whose letters were frozen without their HTML."""

    def __init__(self, outbox):
        self._outbox = outbox

    def letter(self, delivery_id):
        letter = self._outbox.letter(delivery_id)
        return replace(letter, fragments=tuple(each for each in letter.fragments if each.role not in HTML_ROLES))


@pytest.fixture
def serving(site):
    with ExitStack() as stack:

        def start(pages):
            rendering = Rendering(SiteFacts(base_url="https://digests.example.org"))
            groups = [IssuePages(pages, site.links, rendering)]
            app = create_app(rendering=rendering, groups=groups, healthy=lambda: True)
            return stack.enter_context(serve(app, "127.0.0.1", 0, threading.Event()))

        yield start


def own(site, reader):
    """Return whatever names a reader or lets somebody act as one."""
    links = (site.links.unsubscribe(reader.public_id), site.links.preferences(reader.public_id))
    return [reader.email, reader.public_id, *links, *(link.rpartition("/")[2] for link in links)]


def test_the_page_is_the_frozen_letter_without_what_is_the_readers_own(site):
    reader = site.reader()
    public_id = site.issue(reader)
    letter = site.outbox.letter(site.issues.delivery_of(public_id))
    answer = site.ask("GET", f"/issues/{public_id}")

    assert answer.text == part(letter.fragments, "html", personal=False, slots=letter.slots)
    whole = part(letter.fragments, "html", personal=True, slots=letter.slots)
    assert any(each in whole for each in own(site, reader))
    assert not any(each in answer.text + str(answer.headers) for each in own(site, reader))
    assert answer.headers["cache-control"] == "no-cache"


def test_head_answers_as_get_does(site):
    path = f"/issues/{site.issue(site.reader())}"
    get, head = site.ask("GET", path), site.ask("HEAD", path)

    assert (head.status, head.text) == (200, "")
    for name in ("etag", "link", "x-robots-tag", "content-security-policy", "content-length", "content-type"):
        assert head.headers[name] == get.headers[name]


def test_a_letter_of_plain_text_has_a_page_without_what_is_the_readers_own(site, serving, ask):
    reader = site.reader()
    public_id = site.issue(reader)
    address = serving(FrozenPages(site.issues, TextAlone(site.outbox)))
    answer = ask(address, "GET", f"/issues/{public_id}")

    assert answer.status == 200
    assert "We ask how far a tide can be pushed." in answer.text
    assert escape(site.outbox.letter(site.issues.delivery_of(public_id)).subject) in answer.text
    assert "<script" not in answer.text
    assert not any(each in answer.text + str(answer.headers) for each in own(site, reader))
    assert answer.headers["x-robots-tag"] == "noindex"
    assert answer.headers["link"] == f'<https://digests.example.org/issues/{public_id}>; rel="canonical"'
    again = ask(address, "GET", f"/issues/{public_id}", None, {"If-None-Match": answer.headers["etag"]})
    assert again.status == 304


def test_a_letter_that_is_gone_is_a_calm_page(site, serving, ask):
    reader = site.reader()
    public_id = site.issue(reader)
    site.subscribers.erase(reader.public_id, site.clock.now())

    gone = site.ask("GET", f"/issues/{public_id}")
    assert gone.status == 404
    assert "There is no such letter" in gone.text
    assert ask(serving(Given(None)), "GET", "/issues/x").status == 404
