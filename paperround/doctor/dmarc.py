"""DMARC: what the sender's domain asks receivers to do, and whether our letters pass (RFC 7489).

A letter passes if its signature, or the domain it comes back to, belongs to the organisation of the sender that readers
see. Which part of a name is the organisation's is told by a rule of thumb, not by the list of public suffixes.
"""

from collections.abc import Iterator

from paperround.doctor import dkim, spf
from paperround.doctor.finding import Finding, Record, Verdict, ok, shown, unknown, wrong
from paperround.doctor.providers import about_return_path, breaks_signatures, has_own_return_path
from paperround.doctor.resolving import Answer
from paperround.doctor.tags import mailto, tags, versioned
from paperround.doctor.visit import Visit, ascii_domain, is_private

_SECOND = frozenset({"ac", "co", "com", "edu", "gob", "gov", "gv", "net", "ne", "nom", "or", "org", "sch"})
_POLICIES = ("none", "quarantine", "reject")
_ONCE = "once the records above are there and say so"
_THUMB = "which part of a name is the organisation's was guessed from its form"


def check(visit: Visit) -> Iterator[Finding]:
    """Look for the policy of the sender's domain, and for what of our letters agrees with it."""
    domain = visit.from_domain
    if visit.is_stray:
        yield wrong(
            f"letters from {domain} do not pass: it is its provider's, and {visit.settings.mail.host} cannot prove "
            "that they are from there",
            "see the sender above",
        )
        return
    if visit.is_guest:
        yield ok(f"{domain} is its provider's, who keeps the DMARC record: see the sender above")
        return
    if is_private(domain):
        yield unknown(f"{domain} is no name that everybody's DNS knows")
        return
    answer = visit.resolver.ask(f"_dmarc.{domain}", "TXT")
    above = organisation(domain)
    inherits = not answer.problem and not versioned(answer.records, "DMARC1") and above != domain
    if inherits:
        answer = visit.resolver.ask(f"_dmarc.{above}", "TXT")
    policy = judged(domain, answer, visit.settings.operator.email, inherits=inherits)
    yield policy
    rules = versioned(answer.records, "DMARC1")
    said = tags(rules[0]) if rules else {}
    yield _passing(visit, said, is_kept=policy.verdict is Verdict.OK)


def judged(domain: str, answer: Answer, operator: str, *, inherits: bool = False) -> Finding:
    """Judge what stands at _dmarc.DOMAIN, or where it `inherits` at that of its organisation.

    Reports go to the `operator` only where that needs no leave of another organisation (RFC 7489 section 7.1).
    """
    ours = operator and organisation(ascii_domain(operator.rpartition("@")[2])) == organisation(domain)
    record = Record(f"_dmarc.{domain}", "TXT", f"v=DMARC1; p=none{f'; rua={mailto(operator)}' if ours else ''}")
    found = versioned(answer.records, "DMARC1")
    if answer.problem:
        return unknown(f"what {domain} asks of receivers: {answer.problem}", "", record)
    if not found:
        return wrong(
            f"{domain} has no DMARC record; Gmail, Yahoo and Outlook.com ask for one of whoever writes to many",
            "",
            record,
        )
    if len(found) > 1:
        return wrong(f"{domain} has {len(found)} DMARC records, and receivers then obey none", "keep one", record)
    said = tags(found[0])
    for name in ("p", "sp") if "sp" in said else ("p",):
        if said.get(name, "").lower() not in _POLICIES:
            return wrong(
                f"the DMARC record of {domain} has no {name}= that receivers know: {shown(found[0])}", "", record
            )
    if not inherits:
        return ok(f"{domain} has a DMARC record (p={said['p'].lower()})")
    name = "sp" if "sp" in said else "p"  # of names below the organisation's (section 6.3)
    return ok(f"{domain} has the DMARC record of {organisation(domain)} ({name}={said[name].lower()})")


def _passing(visit: Visit, said: dict[str, str], *, is_kept: bool) -> Finding:
    mail, domain, signer = visit.settings.mail, visit.from_domain, ascii_domain(visit.settings.mail.dkim_domain)
    if signer and breaks_signatures(mail.host):
        return wrong(f"letters do not pass by our signature: {mail.host} breaks it", "see DKIM above")
    provider = has_own_return_path(mail.host)
    if provider and not signer:
        return unknown(
            f"whether letters from {domain} pass: {provider} puts a return path of its own on them",
            about_return_path(provider),
        )
    proofs = (dkim.check if signer else spf.check)(visit)
    is_there = is_kept and all(each.verdict is Verdict.OK for each in proofs)
    return agreeing(domain, visit.envelope_domain, signer, said, is_there=is_there)


def agreeing(domain: str, envelope: str, signer: str, said: dict[str, str], *, is_there: bool = True) -> Finding:
    """Judge whether letters pass: `signer` is the domain that we sign for, "" where we do not.

    `is_there` says whether the records that this rests on were looked at and are well.
    """
    signed = bool(signer) and _agrees(signer, domain, strict=said.get("adkim", "r").lower() == "s")
    returned = _agrees(envelope, domain, strict=said.get("aspf", "r").lower() == "s")
    if signed:
        guessed = "" if signer == domain else f" ({_THUMB})"
        if not is_there:
            return unknown(f"letters would pass by our signature for {signer}, {_ONCE}{guessed}")
        return ok(f"letters pass by our signature for {signer}{guessed}")
    advice = f"set [mail] dkim_domain to {domain}, or to a name above or below it that the record allows"
    if signer:
        said_so = f"the signature for {signer} does not count for {domain}"
        return wrong(said_so, advice)
    if returned:
        guessed = "" if envelope == domain else f" ({_THUMB})"
        advice = "forwarded letters pass by a signature only: see DKIM above"
        if not is_there:
            return unknown(f"letters come back to {envelope}, so they would pass, {_ONCE}{guessed}", advice)
        return ok(f"letters come back to {envelope}, so they pass where SPF does{guessed}", advice)
    return wrong(
        f"letters come back to {envelope}, which is not of {domain}, and we do not sign them: they do not pass unless "
        f"the relay signs for {domain}",
        f"set [mail] bounce_domain to a name below {organisation(domain)}, or sign for {domain}",
    )


def organisation(domain: str) -> str:
    """Return the part of a name that an organisation registered, by a rule of thumb: lab.example of a.lab.example."""
    labels = domain.lower().rstrip(".").split(".")
    kept = 3 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND else 2
    return ".".join(labels[-kept:])


def _agrees(one: str, other: str, *, strict: bool) -> bool:
    return one == other if strict else organisation(one) == organisation(other)
