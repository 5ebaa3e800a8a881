"""The test letter: a whole digest with an invented paper, by the code that sends real letters, to one address."""

from collections.abc import Iterator
from urllib.parse import urljoin

from digests.transports.smtp import SmtpTransport
from domain.deliveries import Message
from domain.errors import DeliveryError, NotConnected, PaperroundError, TransientDeliveryError, UncertainDelivery
from domain.issues import LetterKind
from paperround.doctor.finding import Finding, ok, shown, unknown, wrong
from paperround.doctor.samples import DIGEST
from paperround.doctor.templates import written
from paperround.doctor.visit import Visit

_LINKS = ("unsubscribe", "preferences", "feedback", "issue", "confirm")


def check(visit: Visit) -> Iterator[Finding]:
    """Send it where one was asked for, and say what the relay answered."""
    if not visit.send_test:
        yield ok("none was asked for", "`paperround doctor --send-test you@example.org` sends one")
        return
    try:
        message = made(visit)
    except PaperroundError as error:
        yield wrong(f"the test letter cannot be written: {shown(str(error))}")
        return
    with SmtpTransport(visit.relay, visit.timeouts, visit.context).connect() as connection:
        try:
            accepted = connection.send(message, lambda: True)
        except DeliveryError as error:
            yield _unsent(error, visit.send_test)
        else:
            said = shown(accepted.reply) if accepted else ""
            yield ok(
                f"the relay took a letter to {visit.send_test}: {said}",
                "look for it there, in the spam folder too; its source says spf=, dkim= and dmarc=pass if all is well",
            )


def made(visit: Visit) -> Message:
    """Return the test letter, signed as real letters are; its links lead to the site but mean nobody."""
    now = visit.clock.now()
    base = visit.settings.web.base_url or "https://paperround.example"
    links = {name: urljoin(f"{base.rstrip('/')}/", f"{name}/test") for name in _LINKS}
    data = written(visit.renderer.digest(DIGEST, shared=False), visit.identity, visit.send_test, now, links)
    if visit.sign is not None:
        data = f"{visit.sign(data, now)}\r\n".encode("ascii") + data
    return Message(
        key="doctor",
        kind=LetterKind.DIGEST,
        sender=visit.envelope_sender,
        recipient=visit.send_test,
        message_id="",
        data=data,
    )


def _unsent(error: DeliveryError, recipient: str) -> Finding:
    said = shown(str(error))
    match error:
        case UncertainDelivery():
            return unknown(f"whether the letter to {recipient} left: {said}", "look for it there")
        case NotConnected():
            return wrong(f"the letter to {recipient} did not leave: {said}", "see the relay above")
        case TransientDeliveryError():
            return unknown(f"the relay did not take the letter to {recipient} yet: {said}", "ask again in an hour")
        case _:
            return wrong(f"the relay refused the letter to {recipient}: {said}", "its words say why")
