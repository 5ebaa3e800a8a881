"""The site: whether it answers at the address that stands in every letter."""

from collections.abc import Iterator

from paperround.doctor.finding import Finding, ok, shown, unknown, wrong
from paperround.doctor.visit import Visit
from paperround.doctor.web import WebAnswer


def check(visit: Visit) -> Iterator[Finding]:
    """Ask [web] base_url whether it is well."""
    base = visit.settings.web.base_url
    if not base:
        yield ok("there is no site: [web] base_url is not set")
    elif visit.is_offline:
        yield unknown(f"whether {base} answers: --offline")
    else:
        yield judged(base, visit.web.ask(f"{base.rstrip('/')}/healthz"))


def judged(base: str, answer: WebAnswer) -> Finding:
    """Judge what /healthz answered."""
    if answer.missed is not None:
        said = f"{base} cannot be reached from here: {answer.missed.reason}"
        if answer.missed.is_offline:
            return unknown(said)
        return wrong(said, "is `paperround web` or `run` running, and does the proxy before it hand on to it?")
    if answer.status == 200 and answer.start.strip() == "ok":
        return ok(f"{base} answers")
    if answer.status == 200:
        return wrong(
            f"something else than Paperround answers at {base}: {shown(answer.start[:80])!r}",
            "let [web] base_url be the address under which the proxy hands on to Paperround",
        )
    return wrong(
        f"{base} answers with status {answer.status} instead of 200",
        "look at the proxy before it: /healthz must reach Paperround as it is, without a log-in or a redirect",
    )
