"""Amazon SES, which tells through topics of Amazon SNS: a JSON envelope that the topic signs, an SES event inside.

envelope → proven (sns.py) → an event: reports (ses_events.py) · a subscription: confirmed, once · anything else: noted
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from digests.mail.webhooks.arns import topic_of
from digests.mail.webhooks.certificates import Certificates
from digests.mail.webhooks.reading import document, needed
from digests.mail.webhooks.ses_events import reports_of
from digests.mail.webhooks.sns import SUBSCRIPTION, UNSUBSCRIPTION, Proven, prove
from digests.mail.webhooks.told import Told
from domain.errors import CollectError, ForgedWebhook, UnprovenWebhook, UnreadableWebhook

_REMEMBERED = 64  # confirmations


class Ses:
    """Reads what the topics post; `get` fetches https addresses and raises CollectError.

    Raises SettingsError for what is no ARN of a topic.
    """

    def __init__(self, topics: Iterable[str], get: Callable[[str], bytes]) -> None:
        self._topics = {arn: topic_of(arn) for arn in topics}
        self._get = get
        self._certificates = Certificates(get)
        self._confirmed: OrderedDict[str, None] = OrderedDict()

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Told:  # noqa: ARG002 it is all in the body
        """See `Provider`."""
        found = document(body)
        proven = prove(found, self._topics, self._certificates, now)
        if proven.kind == SUBSCRIPTION:
            return self._confirm(proven, found)
        if proven.kind == UNSUBSCRIPTION:
            return Told(note=f"the topic {proven.topic.arn} was unsubscribed from here; nothing more comes from it")
        try:
            event = document(proven.message)
        except UnreadableWebhook:  # a topic carries whatever its owner publishes, first of all SES's own test
            return Told(note="a message of the topic that is no event of SES")
        return Told(reports=reports_of(event))

    def _confirm(self, proven: Proven, found: Mapping[str, Any]) -> Told:
        """Agree to get a topic's messages. The address is made by us: the one in the message is only looked at."""
        note = f"the subscription of the topic {proven.topic.arn} is confirmed"
        if proven.id in self._confirmed:
            return Told(note=note)
        token = needed(found, "Token")
        if not proven.topic.is_action(needed(found, "SubscribeURL")):
            raise ForgedWebhook("its SubscribeURL is not on the topic's host")
        arn, quoted = quote(proven.topic.arn, safe=":"), quote(token, safe="", errors="replace")
        try:
            self._get(f"https://{proven.topic.host}/?Action=ConfirmSubscription&TopicArn={arn}&Token={quoted}")
        except CollectError as error:
            # Without the error's own words: they may hold the address, and with it the token.
            raise UnprovenWebhook("the subscription could not be confirmed: Amazon SNS did not answer well") from error
        self._confirmed[proven.id] = None
        while len(self._confirmed) > _REMEMBERED:
            self._confirmed.popitem(last=False)
        return Told(note=note)
