"""The site of a house, built and served; apart from wiring.py, because loading a web framework takes its time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from digests.mail.webhooks.registry import Keys, configured
from paperround.wiring import House
from web.app import create_app
from web.issues import FrozenPages
from web.server import serve
from web.webhooks import Webhooks


@contextmanager
def serving(house: House, stop: threading.Event) -> Iterator[str]:
    """Serve the site while the context is open; give its address. Raises SettingsError for a port in use."""
    web, bounces = house.settings.web, house.settings.bounces
    keys = Keys(get=house.errands.get, ses_topics=bounces.ses_topics, mailgun_key=bounces.mailgun_key)
    providers = configured(keys) if web.base_url else {}
    app = create_app(
        readers=house.subscribers,
        pages=FrozenPages(house.issues, house.outbox),
        links=house.links,
        farewells=house.farewells,
        clock=house.clock,
        healthy=lambda: bool(house.database.revision),
        prefix=urlsplit(web.base_url).path.rstrip("/"),
        webhooks=Webhooks(providers, house.letter_events, house.gauge.look) if providers else None,
    )
    with serve(app, web.host, web.port, stop) as (host, port):
        yield f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
