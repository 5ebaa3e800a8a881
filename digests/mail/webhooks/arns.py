"""Topics of Amazon SNS and the one host that each of them speaks through.

Every address that a message names is compared with this host, made from the topic that the operator set. Nothing in a
message can therefore lead us to another host, whatever its form: another port, a user part, a look-alike in Unicode.
"""

import re
from dataclasses import dataclass

from domain.errors import SettingsError

_ARN = re.compile(
    r"arn:(?P<partition>aws|aws-cn|aws-us-gov):sns:(?P<region>[a-z]{2}(?:-[a-z]{2,12}){1,3}-[0-9]):[0-9]{12}:[A-Za-z0-9_-]{1,256}"
)


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic whose messages are taken."""

    arn: str
    region: str  #: such as "eu-west-1"
    suffix: str  #: "amazonaws.com", in China "amazonaws.com.cn"

    @property
    def host(self) -> str:
        """Return where the topic's certificates and confirmations are fetched from."""
        return f"sns.{self.region}.{self.suffix}"

    @property
    def signers(self) -> frozenset[str]:
        """Return the names that a certificate of this topic may be made out to.

        Amazon uses one name for its older regions and names of their own for later ones; the AWS SDK for Java keeps
        the list (SnsHostProvider). GovCloud East signs as GovCloud West.
        """
        regions = {self.region, "us-gov-west-1"} if self.region.startswith("us-gov-") else {self.region}
        named = {f"{form}{region}.{self.suffix}" for form in ("sns.", "sns-", "sns-signing.") for region in regions}
        return frozenset(named | {f"sns.{self.suffix}"})

    def is_certificate(self, url: str) -> bool:
        """Whether `url` is where this topic's certificates are."""
        return (
            re.fullmatch(rf"https://{re.escape(self.host)}/SimpleNotificationService-[0-9a-f]{{16,64}}\.pem", url)
            is not None
        )

    def is_action(self, url: str) -> bool:
        """Whether `url` is a request to this topic's host, as the links of its messages are."""
        return url.startswith(f"https://{self.host}/?")


def topic_of(arn: str) -> Topic:
    """Return the topic of an ARN. Raises SettingsError."""
    found = _ARN.fullmatch(arn)
    if found is None:
        raise SettingsError(
            f"{arn!r} is not the ARN of an SNS topic, such as arn:aws:sns:eu-west-1:123456789012:letters"
        )
    suffix = "amazonaws.com.cn" if found["partition"] == "aws-cn" else "amazonaws.com"
    return Topic(arn=arn, region=found["region"], suffix=suffix)
