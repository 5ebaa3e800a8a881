"""DKIM: whether the key in the DNS is the one that letters are signed with (RFC 6376)."""

from collections.abc import Iterator
from pathlib import Path

from domain.errors import SettingsError
from paperround.doctor.finding import Finding, Record, ok, unknown, wrong
from paperround.doctor.providers import breaks_signatures
from paperround.doctor.resolving import Answer
from paperround.doctor.tags import tags
from paperround.doctor.visit import SigningKey, Visit, ascii_domain

_LARGEST = 65_536  # bytes of a key file
_LONG = (
    "a value of more than 255 characters goes in as several strings in quotes, one after another; most providers' "
    "forms do that by themselves"
)


def check(visit: Visit) -> Iterator[Finding]:
    """Compare the private key of the settings with the public one that receivers will find."""
    mail = visit.settings.mail
    if not mail.dkim_key_file:
        yield _unsigned(visit)
        return
    try:
        key = read(visit.folder / mail.dkim_key_file, visit)
    except SettingsError as error:
        yield wrong(
            f"[mail] dkim_key_file {mail.dkim_key_file}: {error}",
            f"make one: openssl genrsa -out {mail.dkim_key_file} 2048",
        )
        return
    if breaks_signatures(mail.host):
        yield wrong(
            f"{mail.host} changes Date and Message-ID after we have signed them, so our signature is broken on arrival",
            "let Amazon SES sign (Easy DKIM, in its console at your domain), and remove [mail] dkim_domain, "
            "dkim_selector and dkim_key_file",
        )
        return
    name = f"{mail.dkim_selector}._domainkey.{ascii_domain(mail.dkim_domain)}"
    yield judged(name, visit.resolver.ask(name, "TXT"), key)


def read(file: Path, visit: Visit) -> SigningKey:
    """Return the key of a file; raises SettingsError."""
    try:
        with file.open("rb") as opened:
            pem = opened.read(_LARGEST)
    except OSError as error:
        raise SettingsError(f"it cannot be read: {error.strerror}") from error
    return visit.read_key(pem)


def judged(name: str, answer: Answer, key: SigningKey) -> Finding:
    """Judge what stands at SELECTOR._domainkey.DOMAIN."""
    return next(_judgements(name, answer, key))


def _judgements(name: str, answer: Answer, key: SigningKey) -> Iterator[Finding]:
    # The first is what is said; each rests on the ones before it.
    record = Record(name, "TXT", key.record)
    if answer.problem:
        yield unknown(f"whether receivers can check our signatures: {answer.problem}", _LONG, record)
    if not answer.records:
        yield wrong(
            f"there is no key at {name}, so receivers take our signatures for forged or ignore them", _LONG, record
        )
    if len(answer.records) > 1:
        yield wrong(
            f"there are {len(answer.records)} TXT records at {name}, and receivers may take either",
            "remove all but this one",
            record,
        )
    found = tags(answer.records[0])
    if not _bare(found.get("p", "")):
        yield wrong(f"the key at {name} is revoked: its p= is empty", _LONG, record)
    if found.get("v", "DKIM1") != "DKIM1" or found.get("k", "rsa").lower() != "rsa":
        yield wrong(f"the record at {name} is not one of an RSA key", "replace it", record)
    if _bare(found["p"]) != _bare(tags(key.record).get("p", "")):
        yield wrong(f"the key at {name} is another one than letters are signed with", "replace it", record)
    if not _fits(found.get("h", ""), "sha256") or not _fits(found.get("s", "*"), "email", "*"):
        yield wrong(f"the record at {name} does not let its key sign mail with SHA-256", "replace it", record)
    if "y" in found.get("t", "").split(":"):
        yield ok(
            f"the key at {name} is the one that letters are signed with ({key.bits} bits), but it says t=y, testing: "
            "receivers may ignore it",
            "take the t=y out",
            record,
        )
    yield ok(f"the key at {name} is the one that letters are signed with ({key.bits} bits)")


def _unsigned(visit: Visit) -> Finding:
    if visit.is_stray:
        return wrong(
            f"nobody signs our letters for {visit.from_domain}: it is its provider's, whose relay alone can, and they "
            f"leave through {visit.settings.mail.host}",
            "see the sender above",
        )
    if visit.is_guest:
        return ok(f"{visit.from_domain} is its provider's, whose own relay signs letters: see the sender above")
    if visit.delivers_directly:
        return unknown(
            "whether the mail server of this machine signs letters: we do not, and many mailbox providers refuse "
            "letters that nobody signed",
            "openssl genrsa -out dkim.pem 2048, set [mail] dkim_domain, dkim_selector and dkim_key_file, and run "
            "this again: it then says what to publish",
        )
    return unknown(
        f"whether {visit.settings.mail.host} signs letters for {visit.from_domain}: we do not",
        "switch DKIM on where you set up that relay; a test letter shows dkim=pass in its source if it does. Or sign "
        "here: set [mail] dkim_domain, dkim_selector and dkim_key_file",
    )


def _bare(text: str) -> str:
    return "".join(text.split())


def _fits(said: str, *wanted: str) -> bool:
    """Whether a list with colons, where there is one, has one of these."""
    return not said or any(each.strip().lower() in wanted for each in said.split(":"))
