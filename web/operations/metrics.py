"""GET /metrics: the same figures for Prometheus, counted anew for each scrape; nothing is kept between two.

The operator may read it and, where the site is this machine's alone, this machine without a password. Behind a proxy on
this machine every request comes from loopback, and its Host may be whatever a stranger wrote: so with a `base_url` that
others reach the password is always asked for.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from domain.deliveries import DeliveryState
from domain.operations import Sizes
from domain.papers import FetchStatus
from domain.subscriptions import SubscriberState
from web.clients import client_of
from web.operations.sign_in import Door
from web.operations.values import Desk, View

_SAFE = ["GET", "HEAD"]
_HANDED_ON = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")
_OPEN = frozenset(
    {
        DeliveryState.PLANNED,
        DeliveryState.LEASED,
        DeliveryState.SENDING,
        DeliveryState.DEFERRED,
        DeliveryState.UNCERTAIN,
    }
)

#: Every figure: its name, without "paperround_" → its labels, and what it says.
FIGURES: Mapping[str, tuple[tuple[str, ...], str]] = MappingProxyType(
    {
        "papers": ((), "Papers in the archive."),
        "sightings": ((), "Times that a paper stood on a list."),
        "topics": ((), "Distinct topics."),
        "readers": (("state",), "Readers by state."),
        "today": (("fate",), "Readers whose hour came in the last 24 hours, by what became of their letter."),
        "deliveries": (("state",), "Letters by state: open ones all, ended ones of the last 24 hours."),
        "oldest_open_delivery_seconds": ((), "Age of the oldest letter that has not ended; 0 for none."),
        "undecided": ((), "Letters that may have left and wait for the operator's word."),
        "bounces": ((), "Bounces heard of in the last 24 hours."),
        "complaints": ((), "Complaints heard of in the last 24 hours."),
        "suppressed": (("reason",), "Addresses that are not mailed."),
        "source_status": (("source", "status"), "1 for the status of a source's last visit."),
        "source_last_success_timestamp_seconds": (("source",), "When a source was last read in full."),
        "run_last_finished_timestamp_seconds": (("job",), "When the newest run of a job ended."),
        "run_last_duration_seconds": (("job",), "How long that run took."),
        "held": ((), "1 while nothing is sent until the operator says so."),
        "relay_shut": ((), "1 while the relay is not tried."),
        "trouble": (("name",), "1 for each thing that does not work."),
    }
)


class MetricsPages:
    """Serves the figures."""

    def __init__(self, desk: Desk, door: Door, *, public: bool) -> None:
        """`public`: others than this machine reach the site."""
        self._public = public
        self._desk = desk
        self._door = door

    def mount(self, app: FastAPI, root: str) -> None:
        """Add the route to an application, also without the site's prefix, as with the probes."""
        for path in sorted({"", root}):
            app.add_api_route(f"{path}/metrics", self.show, methods=_SAFE)

    def show(self, request: Request) -> Response:
        """Show the figures to whoever may read them."""
        is_open = not self._public and _is_local(request)
        if not is_open and (refused := self._door.refused(request)) is not None:
            return refused
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Figures(self._desk.view(), self._desk.sizes()))
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Figures(Collector):
    """One look, as Prometheus wants it."""

    def __init__(self, view: View, sizes: Sizes) -> None:
        self._view = view
        self._sizes = sizes

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Give each figure."""
        found = dict(_figures(self._view, self._sizes))
        for name, (labels, says) in FIGURES.items():
            family = GaugeMetricFamily(f"paperround_{name}", says, labels=labels)
            for values, figure in found[name].items():
                family.add_metric(values, figure)
            yield family


def _figures(view: View, sizes: Sizes) -> Iterator[tuple[str, Mapping[tuple[str, ...], float]]]:
    look, today = view.look, view.today
    waiting = {each.state: each for each in look.waiting}
    oldest = min((each.oldest for each in look.waiting), default=view.now)
    fates = {
        "got": today.got,
        "waiting": today.waiting,
        "unplanned": today.unplanned,
        "refused": today.turned_away,
        "undecided": today.undecided,
        "expired": today.expired,
        "nothing_matched": today.nothing_matched,
    }
    yield "papers", {(): sizes.papers}
    yield "sightings", {(): sizes.sightings}
    yield "topics", {(): sizes.topics}
    yield "readers", {(state.value,): look.readers.get(state, 0) for state in SubscriberState}
    yield "today", {(fate,): number for fate, number in fates.items()}
    states = {each: waiting[each].number if each in waiting else 0 for each in _OPEN}
    ended = {each: look.ended.get(each, 0) for each in DeliveryState if each not in _OPEN}
    yield "deliveries", {(each.value,): {**states, **ended}[each] for each in DeliveryState}
    yield "oldest_open_delivery_seconds", {(): max(0.0, (view.now - oldest).total_seconds())}
    yield "undecided", {(): sum(each.held for each in look.waiting)}
    yield "bounces", {(): look.day.bounces}
    yield "complaints", {(): look.day.complaints}
    yield "suppressed", {(reason,): number for reason, number in look.suppressed.items()}
    yield (
        "source_status",
        {(each.name, status.value): each.status == status for each in view.sources for status in FetchStatus},
    )
    yield (
        "source_last_success_timestamp_seconds",
        {(each.name,): _seconds(each.last_good) for each in view.sources if each.last_good},
    )
    yield "run_last_finished_timestamp_seconds", {(each.job,): _seconds(each.finished_at) for each in sizes.runs}
    yield "run_last_duration_seconds", {(each.job,): each.seconds for each in sizes.runs}
    yield "held", {(): view.hold is not None}
    yield "relay_shut", {(): bool(look.shut)}
    yield "trouble", {(each.name,): 1 for each in view.troubles}


def _seconds(at: datetime | None) -> float:
    return at.timestamp() if at else 0.0


def _is_local(request: Request) -> bool:
    """Whether this machine asks for itself."""
    if any(name in request.headers for name in _HANDED_ON):
        return False
    return _is_loopback(client_of(request)) and _is_loopback(request.url.hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
