"""The site of a house, built and served; apart from wiring.py, because loading a web framework takes its time."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from starlette.types import ASGIApp

from digests.mail.webhooks.registry import Keys, configured
from paperround.settings_model import Settings, WebSettings
from paperround.wiring import House
from web.app import PageGroup, create_app
from web.clients import Clients
from web.front import FrontPages
from web.issues import FrozenPages, IssuePages
from web.privacy import PrivacyPages, Promises
from web.readers import ReaderPages
from web.rendering import Rendering, SiteFacts
from web.server import serve
from web.shelf import Shelf
from web.webhooks import LARGEST_WEBHOOK, WebhookPages, Webhooks


@contextmanager
def serving(house: House, stop: threading.Event) -> Iterator[str]:
    """Serve the site while the context is open; give its address. Raises SettingsError for a port in use."""
    web = house.settings.web
    app = site(house)
    with serve(app, web.host, web.port, stop) as (host, port):
        yield f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def site(house: House, *, caching: bool = True) -> ASGIApp:
    """Return the site of a house. Without `caching` each page is made when it is asked for."""
    web, bounces = house.settings.web, house.settings.bounces
    rendering = Rendering(
        SiteFacts(
            prefix=_prefix(web),
            base_url=web.base_url.rstrip("/"),
            takes_signups=bool(web.base_url) and web.signup != "closed",
            indexing=web.indexing,
        )
    )
    groups: list[PageGroup] = [
        FrontPages(rendering),
        IssuePages(FrozenPages(house.issues, house.outbox), house.links, rendering),
        PrivacyPages(_promises(house.settings), rendering),
    ]
    larger = {}
    if house.links is not None:
        groups.append(ReaderPages(house.subscribers, house.links, house.farewells, house.clock, rendering))
        keys = Keys(get=house.errands.get, ses_topics=bounces.ses_topics, mailgun_key=bounces.mailgun_key)
        webhooks = Webhooks(configured(keys), house.letter_events, house.gauge.look)
        groups.append(WebhookPages(webhooks, house.clock, rendering))
        larger = {"/webhooks/": LARGEST_WEBHOOK}
    return create_app(
        rendering=rendering,
        groups=groups,
        healthy=lambda: bool(house.database.revision),
        larger=larger,
        listens=web.host,
        clients=Clients(web.trusted_proxies),
        shelf=Shelf(time.monotonic) if caching else None,
    )


def _promises(settings: Settings) -> Promises:
    """Return what the page of privacy promises: what the sweeps keep."""
    keep, mail = settings.keep, settings.mail
    return Promises(
        pending_days=keep.pending_days,
        issues_days=keep.issues_days,
        replies_days=keep.replies_days,
        bounces_days=keep.bounces_days,
        write_to=mail.reply_to or settings.collect.contact,
        postal_address=mail.postal_address,
    )


def _prefix(web: WebSettings) -> str:
    """Return the path that requests come in under."""
    return (web.path_prefix or urlsplit(web.base_url).path).rstrip("/")
