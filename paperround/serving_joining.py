"""The pages by which one tries topics and becomes a reader, of a house."""

from digests.addresses import sender
from paperround.readers import wished_topic
from paperround.settings_model import MailSettings
from paperround.wiring import House
from web.app import PageGroup
from web.blocks import Blocks
from web.confirming import ConfirmPages
from web.costly import Lanes
from web.limits import Limiter, Measures
from web.previews import PreviewPages
from web.rendering import Rendering
from web.signup import ClosedPages, SignupForm, SignupPages, domains_of
from web.signup_form import Stamps


def joining_pages(
    house: House, rendering: Rendering, blocks: Blocks, measures: Measures, *, previews: Limiter, lanes: Lanes
) -> list[PageGroup]:
    """Return the groups; a personal installation has a page to try topics on, and no sign-up."""
    web, clock = house.settings.web, house.clock
    form = None
    if rendering.site.takes_signups:
        allowed = domains_of(web.allowed_domains) if web.signup == "domains" else None
        form = SignupForm(Stamps(web.secret_key), allowed, clock)
    trying = PreviewPages(
        look_back=house.previewer.preview,
        read=wished_topic,
        blocks=blocks,
        form=form,
        limiter=previews,
        lanes=lanes,
        rendering=rendering,
    )
    if house.links is None:
        return [trying]
    if form is None:
        confirming = ConfirmPages(house.subscribers, house.links, clock, rendering)
        return [trying, confirming, ClosedPages(_contact(house.settings.mail), rendering)]
    limiter = Limiter(measures.sign_ups)
    confirming = ConfirmPages(house.subscribers, house.links, clock, rendering, desk=house.desk, limiter=limiter)
    signup = SignupPages(
        desk=house.desk,
        read=wished_topic,
        form=form,
        limiter=limiter,
        clock=clock,
        rendering=rendering,
        same_seconds=measures.same_seconds,
    )
    return [trying, confirming, signup]


def _contact(mail: MailSettings) -> str:
    """Return the address that readers' answers go to; "" for one of this machine alone."""
    found = sender(mail.reply_to or mail.sender)[1]
    return "" if found.endswith("@localhost") else found
