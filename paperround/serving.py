"""The site of a house, built and served; apart from wiring.py, because loading a web framework takes its time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from starlette.types import ASGIApp

from digests.addresses import sender
from digests.mail.webhooks.registry import Keys, configured
from paperround import operating
from paperround.readers import wished_topic
from paperround.serving_archive import archive_pages
from paperround.serving_readers import reader_pages
from paperround.settings_model import MailSettings, WebSettings
from paperround.wiring import House
from web.api.pages import ApiPages
from web.app import PageGroup, create_app
from web.blocks import Blocks
from web.confirming import ConfirmPages
from web.front import ArchiveNewest, FrontPages
from web.issues import FrozenPages, IssuePages
from web.limits import Limiter, Measures
from web.previews import PreviewPages
from web.rendering import Rendering, SiteFacts
from web.server import serve
from web.shared.pages import TopicPages
from web.signup import ClosedPages, SignupForm, SignupPages, domains_of
from web.signup_form import Stamps
from web.webhooks import LARGEST_WEBHOOK, WebhookPages, Webhooks


@contextmanager
def serving(house: House, stop: threading.Event) -> Iterator[str]:
    """Serve the site while the context is open; give its address. Raises SettingsError for a port in use."""
    web = house.settings.web
    app = site(house)
    with serve(app, web.host, web.port, stop) as (host, port):
        yield f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def site(house: House, measures: Measures | None = None) -> ASGIApp:
    """Return the site of a house; `measures` are for newcomers, the usual ones unless a test brings its own."""
    web, bounces = house.settings.web, house.settings.bounces
    rendering = Rendering(
        SiteFacts(
            prefix=_prefix(web),
            base_url=web.base_url.rstrip("/"),
            takes_signups=bool(web.base_url) and web.signup != "closed",
            indexing=web.indexing,
        )
    )
    blocks = Blocks(house.labels, house.settings.digest.abstract_chars, rendering.prefix)
    groups: list[PageGroup] = [
        *archive_pages(house, rendering),
        ApiPages(
            finding=house.search,
            keeping=house.archive,
            shared=house.shared_topics,
            look_back=house.previewer.preview,
            rendering=rendering,
        ),
        FrontPages(ArchiveNewest(house.archive, house.search), blocks, rendering),
        IssuePages(FrozenPages(house.issues, house.outbox), house.links, rendering),
        *_joining(house, rendering, blocks, measures or Measures()),
        TopicPages(house.shared_topics, house.previewer.preview, house.labels, rendering),
        *operating.pages(house, rendering),
    ]
    larger = {}
    if house.links is not None:
        groups += reader_pages(house, rendering)
        keys = Keys(get=house.errands.get, ses_topics=bounces.ses_topics, mailgun_key=bounces.mailgun_key)
        webhooks = Webhooks(configured(keys), house.letter_events, house.gauge.look)
        groups.append(WebhookPages(webhooks, house.clock, rendering))
        larger = {"/webhooks/": LARGEST_WEBHOOK}
    return create_app(rendering=rendering, groups=groups, healthy=lambda: bool(house.database.revision), larger=larger)


def _joining(house: House, rendering: Rendering, blocks: Blocks, measures: Measures) -> list[PageGroup]:
    """Return the pages by which one tries topics and becomes a reader."""
    web, clock = house.settings.web, house.clock
    form = None
    if rendering.site.takes_signups:
        allowed = domains_of(web.allowed_domains) if web.signup == "domains" else None
        form = SignupForm(Stamps(web.secret_key), allowed, clock)
    groups: list[PageGroup] = [
        PreviewPages(
            look_back=house.previewer.preview,
            read=wished_topic,
            blocks=blocks,
            form=form,
            limiter=Limiter(measures.previews),
            rendering=rendering,
        )
    ]
    if house.links is not None:
        groups.append(ConfirmPages(house.subscribers, house.links, clock, rendering))
        groups.append(
            SignupPages(
                desk=house.desk,
                read=wished_topic,
                form=form,
                limiter=Limiter(measures.sign_ups),
                clock=clock,
                rendering=rendering,
                same_seconds=measures.same_seconds,
            )
            if form is not None
            else ClosedPages(_contact(house.settings.mail), rendering)
        )
    return groups


def _contact(mail: MailSettings) -> str:
    """Return the address that readers' answers go to; "" for one of this machine alone."""
    found = sender(mail.reply_to or mail.sender)[1]
    return "" if found.endswith("@localhost") else found


def _prefix(web: WebSettings) -> str:
    """Return the path that requests come in under."""
    return (web.path_prefix or urlsplit(web.base_url).path).rstrip("/")
