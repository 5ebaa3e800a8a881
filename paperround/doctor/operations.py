"""The operator's page: whether anybody can open it."""

from collections.abc import Iterator

from paperround.doctor.finding import Finding, ok
from paperround.doctor.visit import Visit


def check(visit: Visit) -> Iterator[Finding]:
    """See whether the page has a password; without one nobody gets in, which harms nothing but the operator."""
    web = visit.settings.web
    if web.operator_password:
        yield ok("/operations has a password")
    elif web.base_url:
        yield ok(
            "nobody can open /operations: [web] operator_password is not set",
            "set it, better by operator_password_file, to see there whether readers got today's letters",
        )
    else:
        yield ok("nobody can open /operations, and without a site few would")
