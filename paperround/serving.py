"""The site of a house, built and served; apart from wiring.py, because loading a web framework takes its time.

Which pages there are: what everyone sees is listed here, the larger groups in the serving_….py beside this file.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from starlette.types import ASGIApp

from digests.mail.webhooks.registry import Keys, configured
from paperround.serving_archive import archive_pages
from paperround.serving_joining import joining_pages
from paperround.serving_operations import operating_pages
from paperround.serving_readers import reader_pages
from paperround.settings_model import Settings, WebSettings
from paperround.wiring import House
from web.api.pages import ApiPages
from web.app import PageGroup, create_app
from web.blocks import Blocks
from web.clients import Clients
from web.costly import Lanes
from web.front import ArchiveNewest, FrontPages
from web.issues import FrozenPages, IssuePages
from web.limits import Limiter, Measures
from web.privacy import PrivacyPages, Promises
from web.rendering import Rendering, SiteFacts
from web.saved.pages import LARGEST_UPLOAD, LIBRARY
from web.server import serve
from web.shared.pages import TopicPages
from web.shelf import Shelf
from web.webhooks import LARGEST_WEBHOOK, WebhookPages, Webhooks


@contextmanager
def serving(house: House, stop: threading.Event) -> Iterator[str]:
    """Serve the site while the context is open; give its address. Raises SettingsError for a port in use."""
    web = house.settings.web
    app = site(house)
    with serve(app, web.host, web.port, stop, peers=Clients(web.trusted_proxies)) as (host, port):
        yield f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def site(house: House, measures: Measures | None = None, *, caching: bool = True) -> ASGIApp:
    """Return the site of a house.

    `measures` are for newcomers, the usual ones unless a test brings its own. Without `caching` each page is made when
    it is asked for.
    """
    web, measures = house.settings.web, measures or Measures()
    rendering = Rendering(
        SiteFacts(
            prefix=_prefix(web),
            base_url=web.base_url.rstrip("/"),
            takes_signups=bool(web.base_url) and web.signup != "closed",
            indexing=web.indexing,
        )
    )
    blocks = Blocks(house.labels, house.settings.digest.abstract_chars, rendering.prefix)
    previews = Limiter(measures.previews)  # on a page or by a program: they cost the same
    searches, lanes = Limiter(measures.searches), Lanes()
    groups: list[PageGroup] = [
        FrontPages(ArchiveNewest(house.archive, house.search), blocks, rendering),
        *archive_pages(house, rendering, searches, lanes),
        IssuePages(FrozenPages(house.issues, house.outbox), house.links, rendering),
        *joining_pages(house, rendering, blocks, measures, previews=previews, lanes=lanes),
        *reader_pages(house, rendering, blocks, previews=previews, lanes=lanes),
        # After /topics/preview, which would else be taken for the address of a topic.
        TopicPages(house.shared_topics, house.previewer.preview, house.labels, lanes, rendering),
        ApiPages(
            finding=house.search,
            keeping=house.archive,
            shared=house.shared_topics,
            look_back=house.previewer.preview,
            lanes=lanes,
            rendering=rendering,
            previews=previews,
            searches=searches,
        ),
        PrivacyPages(_promises(house.settings), rendering),
        *operating_pages(house, rendering),
        *_webhooks(house, rendering),
    ]
    return create_app(
        rendering=rendering,
        groups=groups,
        healthy=lambda: bool(house.database.revision),
        larger={"/webhooks/": LARGEST_WEBHOOK, LIBRARY: LARGEST_UPLOAD},
        listens=web.host,
        clients=Clients(web.trusted_proxies),
        shelf=Shelf(time.monotonic) if caching else None,
    )


def _webhooks(house: House, rendering: Rendering) -> list[PageGroup]:
    if house.links is None:
        return []
    bounces = house.settings.bounces
    keys = Keys(get=house.errands.get, ses_topics=bounces.ses_topics, mailgun_key=bounces.mailgun_key)
    webhooks = Webhooks(configured(keys), house.letter_events, house.gauge.look)
    return [WebhookPages(webhooks, house.clock, rendering)]


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
