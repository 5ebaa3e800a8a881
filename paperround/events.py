"""What is logged, by name: the words of a line, as a room writes them → the event's name, its fields, what it means.

Rooms log with the standard library and know nothing of names; the log (logs.py) looks up the words before they were
filled in. A line that is not here is "other". docs/logs.md is this table; tests compare it with the rooms and the
document. A name is kept though its words change: what reads the log goes by it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

OTHER = "other"


@dataclass(frozen=True, slots=True)
class Event:
    """One kind of line."""

    name: str
    levels: tuple[str, ...]  #: it comes with one of them
    fields: tuple[str, ...]  #: what the words are filled with, in their order
    means: str
    more: tuple[str, ...] = ()  #: fields that come beside the words, each where it is not 0


_ENDS = ("accepted", "deferred", "rejected", "uncertain", "skipped", "expired")
_SWEPT = (
    "pending",
    "issues",
    "letters",
    "contents",
    "fragments",
    "replies",
    "silences",
    "runs",
    "fetches",
    "bounces",
    "addresses",
)
_I, _W, _E = ("info",), ("warning",), ("error",)

EVENTS: Mapping[str, Event] = MappingProxyType(
    {
        # collect
        "collect %s: %s, %d listed, %d new. %s": Event(
            "collect.source",
            ("info", "warning"),
            ("source", "status", "listed", "new", "error"),
            "A source was asked; a warning where it was not read whole.",
        ),
        "collect %s: %s": Event("collect.unusual", _W, ("source", "what"), "A source was read, and something is odd."),
        "collect %s: %s, the last of %d days is %s": Event(
            "collect.day", _I, ("source", "day", "days", "last_day"), "One of many days of the past is asked for."
        ),
        # match
        "match: %d papers, %d topics, %d matches": Event(
            "match.pass", _I, ("papers", "topics", "matches"), "New papers met the topics."
        ),
        "embed: %d papers were read for their meaning": Event(
            "embed.pass", _I, ("papers",), "The sentence model read papers."
        ),
        "embed: the sentence model failed, and words decide alone until the next start: %s": Event(
            "embed.failed", _W, ("error",), "The sentence model failed while it read papers."
        ),
        "embed: papers could not be read for their meaning just now: %s": Event(
            "embed.later", _W, ("error",), "The database did not answer while papers were read."
        ),
        "the sentence model cannot be used, and words decide alone: %s": Event(
            "meaning.unusable", _W, ("error",), "A sentence model is named and cannot be used; doctor says more."
        ),
        "the sentence model is not used for now, and words decide alone: %s": Event(
            "meaning.later", _W, ("error",), "The database did not answer when the model was loaded."
        ),
        # learn
        "nothing could be learned of reader %d": Event(
            "learn.fault", _E, ("reader",), "One reader's saved papers broke the learning; the others were learned of."
        ),
        # publish
        "publish: %d of %d due readers get a letter, %d a quiet note": Event(
            "publish.pass", _I, ("issues", "due", "quiet"), "Letters were planned."
        ),
        "publish: %d readers are back from a pause": Event("publish.back", _I, ("readers",), "Pauses were over."),
        "publish: %s": Event("publish.unbalanced", _E, ("what",), "The counts of a publish do not add up: a fault."),
        "a letter of subscriber %s could not be composed": Event(
            "letter.broken", _E, ("subscriber",), "One letter failed; its reader is tried again, the others go."
        ),
        "when subscriber %s is due could not be told": Event(
            "reader.broken",
            _E,
            ("subscriber",),
            "One reader's hour or topics cannot be read; looked at again in an hour.",
        ),
        "publish: %d readers could not be written at once": Event(
            "block.broken",
            _E,
            ("readers",),
            "A block of letters could not be stored; its readers are taken one by one.",
        ),
        "publish: what was planned for reader %d could not be written": Event(
            "reader.unwritten", _E, ("reader",), "One reader's letter could not be stored; tried again in an hour."
        ),
        "the quiet note of subscriber %s could not be composed": Event(
            "note.broken", _E, ("subscriber",), "A quiet note failed; there will be none for that slot."
        ),
        "complaints: %s": Event("complaints.held", _E, ("what",), "Too many complaints: everything is held."),
        "complaints: %s; at 0.30 %% and five complaints nothing more is sent": Event(
            "complaints.many", _W, ("what",), "Many complaints; said once a day."
        ),
        # deliver
        "deliver: %s": Event(
            "deliver.pass", ("info", "warning"), ("what",), "What became of letters; a warning: why none leaves.", _ENDS
        ),
        "delivery %d could not be sent": Event("delivery.broken", _E, ("delivery",), "A fault of ours in one letter."),
        "delivery %d goes out again with other bytes than before": Event(
            "delivery.changed", _W, ("delivery",), "A letter that may have left differs from what it was."
        ),
        "delivery %d was taken over, or erased, before it was settled as %s": Event(
            "delivery.lost", _W, ("delivery", "state"), "Another worker has it: it may come twice."
        ),
        "deliveries %s cannot be sent: %s": Event(
            "delivery.unreadable", _E, ("deliveries", "why"), "Letters whose content is damaged were given up."
        ),
        "content %d cannot be read: %s": Event(
            "content.unreadable", _E, ("content", "why"), "A damaged content; `paperround archive check`."
        ),
        "this machine knows no time zone %s: who chose it gets letters by UTC; update its time zones": Event(
            "zone.unknown", _W, ("zone",), "The machine's table of time zones is older than a reader's choice."
        ),
        # what comes back
        "%s: delivery %d, %s %s": Event(
            "bounce.heard", _I, ("source", "delivery", "kind", "status"), "A report of a letter was counted."
        ),
        "bounces: %d messages read, %d not readable": Event(
            "bounces.read", _I, ("taken", "unreadable"), "The mailbox of bounces was read."
        ),
        "bounces: message %s broke the connection again and again and is left alone": Event(
            "bounces.left", _W, ("uid",), "A message in that mailbox is not asked for any more."
        ),
        "bounces: a message cannot be read and is left alone: %s": Event(
            "bounces.unreadable", _W, ("why",), "A message in that mailbox is no report that can be read."
        ),
        "bounces: a message cannot be read, in a way we did not foresee, and is left alone": Event(
            "bounces.broken", _E, (), "The same, by a fault of ours."
        ),
        "bounces: a message cannot be read, in a way we did not foresee: %s": Event(
            "bounce.broken", _W, ("why",), "One report broke its reader: a fault of ours."
        ),
        "webhook %s: %s": Event("webhook.told", _I, ("provider", "what"), "A provider told of letters, or of itself."),
        "webhook %s: a report of a letter that is not ours, or is no longer kept": Event(
            "webhook.unknown", _I, ("provider",), "A provider told of a letter that is not known."
        ),
        "webhook %s: refused, %s": Event(
            "webhook.refused", _W, ("provider", "why"), "A request that proves nothing; said once an hour."
        ),
        "after a webhook: %s": Event("webhook.follow", _W, ("error",), "What follows a report could not be done."),
        # upkeep
        "sweep: %s": Event("sweep.done", _I, ("what",), "What was old was let go, or why no room came back.", _SWEPT),
        "what a pass did could not be kept: %s": Event("tally.lost", _W, ("error",), "Figures miss one pass."),
        # who is told
        "%s works again": Event("trouble.over", _I, ("name",), "What was broken works."),
        "broken for a day (%s): %s": Event(
            "trouble.day", _E, ("told", "what"), "Something was broken for a day, and an alert may not arrive."
        ),
        "the alert to the operator could not be composed": Event("alert.broken", _E, (), "A fault of ours."),
        "how %s went could not be kept: %s": Event("trouble.lost", _W, ("name", "error"), "A trouble is not noted."),
        "ping: %s": Event("ping.failed", _W, ("error",), "The monitor did not answer; the next round pings again."),
        # who does it
        "engine: %s": Event("engine.unusual", ("info", "warning"), ("what",), "Procrastinate warned of something."),
        "engine: queue %s is not served, and tried again in %d s: %s": Event(
            "engine.away",
            _W,
            ("queue", "seconds", "error"),
            "The database is away, or a queue's worker fell; it waits.",
        ),
        "engine: letters were queued and nobody told of them; the next tick will: %s": Event(
            "engine.untold", _W, ("error",), "No task was made for new letters; they leave at most ten seconds later."
        ),
        "engine: %d tasks of workers that are gone were taken over": Event(
            "engine.takeover", _W, ("tasks",), "A worker died; others do what it was at."
        ),
        "engine: the queues are not served any more": Event(
            "engine.ended", _E, (), "A fault of ours; the process ends."
        ),
        "the clock was set back by %d s; the jobs go on at once": Event(
            "clock.back", _W, ("seconds",), "This machine's clock was set back; ticks go on."
        ),
        "engine: how a task ended could not be kept, so it may come again: %s": Event(
            "engine.unkept",
            _W,
            ("error",),
            "The connection was lost at the end of a task; doing it again harms nothing.",
        ),
        "engine: a task of another version of Paperround is not known here, and has failed": Event(
            "engine.unknown", _E, (), "Workers of two versions share one database: restart the older ones."
        ),
        "engine: task %s (%d) ended its worker again and again, and is left alone": Event(
            "engine.deadly", _E, ("task", "number"), "Whoever did this task died: short of memory, most often."
        ),
        "task %s failed: %s": Event("task.failed", _E, ("task", "error"), "A task ended with an error that is known."),
        "task %s failed in a way we did not foresee": Event(
            "task.broken", _E, ("task",), "A task ended with a fault of ours; `exception` has the traceback."
        ),
        "task %s (%s) is not tried any more": Event(
            "task.left", _E, ("task", "number"), "It failed four times; the next tick asks for what is still to do."
        ),
        # every job
        "%s was interrupted and will go on the next time": Event("job.stopped", _I, ("job",), "A stop came meanwhile."),
        "%s failed and will be tried again: %s": Event(
            "job.failed", _E, ("job", "error"), "A job ended with an error that is known."
        ),
        "%s failed in a way we did not foresee and will be tried again": Event(
            "job.broken", _E, ("job",), "A job ended with a fault of ours; `exception` has the traceback."
        ),
    }
)
