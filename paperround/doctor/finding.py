"""What a check found: one of three words, one sentence, what to do, and the record to publish."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_LONGEST = 600  # characters of a sentence: what others say is part of some


class Verdict(StrEnum):
    """How a check ended."""

    OK = "ok"
    WRONG = "wrong"
    UNKNOWN = "could not check"


@dataclass(frozen=True, slots=True)
class Record:
    """One line for the DNS of a domain."""

    name: str  #: without the dot at its end
    kind: str  #: "TXT", "MX", "PTR"
    value: str  #: whole; a TXT of more than 255 characters is given in several strings by whoever publishes it

    def __str__(self) -> str:
        """As an instruction."""
        return f"Publish this {self.kind} record at {self.name}: {self.value}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    verdict: Verdict
    sentence: str  #: what was found, without a dot at its end
    advice: str = ""  #: what to do; "" for nothing
    record: Record | None = None
    subject: str = ""  #: a name of the table in checks.py, which puts it here

    def as_json(self) -> dict[str, Any]:
        """Return it as scripts read it."""
        record = self.record
        return {
            "subject": self.subject,
            "verdict": self.verdict.value,
            "sentence": self.sentence,
            "advice": self.advice,
            "record": {"name": record.name, "type": record.kind, "value": record.value} if record else None,
        }


def ok(sentence: str, advice: str = "", record: Record | None = None) -> Finding:
    """All is well, though `advice` may say what would be better."""
    return Finding(Verdict.OK, sentence, advice, record)


def wrong(sentence: str, advice: str = "", record: Record | None = None) -> Finding:
    """Something must be mended."""
    return Finding(Verdict.WRONG, sentence, advice, record)


def unknown(sentence: str, advice: str = "", record: Record | None = None) -> Finding:
    """Nobody could tell."""
    return Finding(Verdict.UNKNOWN, sentence, advice, record)


def shown(text: str) -> str:
    """Return what somebody else said as one line of bounded length without control characters."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text[: _LONGEST + 1]).split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
