"""What is known of a reader's mail, gathered for the answer to "did I get today's letter, and if not, why"."""

from digests.addresses import address_key
from domain.answers import Known
from domain.subscriptions import Subscriber
from paperround.wiring import House
from worker.watch import PUBLISH

_LETTERS = 10  # of a reader's last ones


def known_of(house: House, reader: Subscriber) -> Known:
    """Return what is known of a reader's mail."""
    hold, now = house.installation.hold(), house.clock.now()
    return Known(
        letters=house.silences.letters(reader.id, _LETTERS),
        silences=house.silences.of(reader.id),
        suppressed=house.silences.suppressed(address_key(reader.email)),
        held=hold.reason if hold else "",
        relay=house.silences.relay_shut(now),
        planning=next((each.what for each in house.troubles.all() if each.name == PUBLISH), ""),
    )
