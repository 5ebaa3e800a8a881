"""The domain that undeliverable letters come back to: whether mail reaches it, and what more it could say."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from paperround.doctor.finding import Finding, Record, ok, shown, unknown, wrong
from paperround.doctor.providers import has_own_return_path
from paperround.doctor.resolving import Answer
from paperround.doctor.tags import mailto, tags, versioned
from paperround.doctor.visit import Visit, is_private


def check(visit: Visit) -> Iterator[Finding]:
    """Look for a mail server of [mail] bounce_domain."""
    domain = visit.bounce_domain
    if provider := has_own_return_path(visit.settings.mail.host):
        said = f"undeliverable letters come back to {provider}, which puts a return path of its own on them"
        yield ok(said, f"nothing comes back to {domain}: see bounces below" if domain else "see bounces below")
    elif not domain:
        yield ok(
            f"undeliverable letters come back to {visit.identity.address}, where you see them yourself",
            "set [mail] bounce_domain, and dead addresses are noticed and left out by themselves",
        )
    elif is_private(domain):
        yield wrong(f"[mail] bounce_domain {domain} is no name that everybody's DNS knows: nothing comes back to it")
    else:
        answer = visit.resolver.ask(domain, "MX")
        alone = visit.resolver.ask(domain, "A") if not answer.records and not answer.problem else Answer()
        site = urlsplit(visit.settings.web.base_url).hostname or ""
        is_name = "." in site and not site.rpartition(".")[2].isdigit()
        yield judged(domain, site if is_name else f"mail.{domain}", answer, alone)


def check_sts(visit: Visit) -> Iterator[Finding]:
    """Look for MTA-STS, by which a domain asks for encryption (RFC 8461); nobody needs it."""
    record = Record(f"_mta-sts.{visit.bounce_domain}", "TXT", "v=STSv1; id=1")
    advice = (
        f"nobody needs it; with the record goes a file at https://mta-sts.{visit.bounce_domain}/.well-known/mta-sts.txt"
    )
    yield _extra(visit, "asks others to encrypt what they send to it (MTA-STS)", advice, record)


def check_reports(visit: Visit) -> Iterator[Finding]:
    """Look for TLS-RPT, by which a domain is told of failed encryption (RFC 8460); nobody needs it."""
    reader = visit.settings.operator.email or visit.identity.address
    record = Record(f"_smtp._tls.{visit.bounce_domain}", "TXT", f"v=TLSRPTv1; rua={mailto(reader)}")
    yield _extra(visit, "asks for reports where encryption failed (TLS-RPT)", "nobody needs it", record)


def judged(domain: str, server: str, answer: Answer, alone: Answer) -> Finding:
    """Judge the MX records of a domain, and its A records (`alone`) where it has none (RFC 5321 section 5.1).

    `server` is a machine that could take its mail.
    """
    record = Record(domain, "MX", f"10 {server}")
    advice = "in place of that name write the machine that takes mail for the domain, if it is another one"
    if answer.problem or alone.problem:
        return unknown(f"whether mail reaches {domain}: {answer.problem or alone.problem}", advice, record)
    servers = [each.split(" ", 1)[-1] for each in answer.records]
    if servers == ["."]:
        return wrong(f"{domain} says that it takes no mail at all (a null MX)", advice, record)
    if servers:
        return ok(f"mail for {domain} goes to {shown(', '.join(servers[:3]))}")
    if alone.records:
        return ok(f"mail for {domain} goes to the machine of that name", "an MX record would say so clearly", record)
    return wrong(f"nothing can come back to {domain}: it has no mail server", advice, record)


def _extra(visit: Visit, what: str, advice: str, record: Record) -> Finding:
    domain = visit.bounce_domain
    if not domain:
        return ok("there is no bounce domain that would need it")
    answer = visit.resolver.ask(record.name, "TXT")
    if answer.problem:
        return unknown(f"whether {domain} {what}: {answer.problem}", advice, record)
    if versioned(answer.records, tags(record.value)["v"]):
        return ok(f"{domain} {what}")
    return ok(f"nothing {what.replace('asks', f'at {domain} asks')}, and nothing need", advice, record)
