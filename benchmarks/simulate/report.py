"""What a simulation found, as plain values, as figures, and as tables in Markdown."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from benchmarks.figures import Figure
from benchmarks.simulate import oracle, plot
from benchmarks.simulate.stages import STAGES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.simulate.bench import Result

#: What one simulation told, ready for JSON.
Told = dict[str, Any]
_AIM = 600.0  # µs of CPU a letter, from matching to the sink, without DKIM


def told(result: Result) -> Told:
    """Return what a simulation found as plain values; times are µs of CPU but where they say otherwise."""
    costs = result.costs
    letters = max(1, costs.accepted)
    hours: Counter[int] = Counter()
    for at, number in result.hours.items():
        hours[at.hour] += number
    backlog: dict[int, int] = {}
    age: dict[int, float] = {}
    memory: dict[int, float] = {}
    for each in costs.moments:
        hour = each.at.hour
        backlog[hour] = max(backlog.get(hour, 0), each.backlog)
        age[hour] = max(age.get(hour, 0.0), each.oldest)
        memory[hour] = max(memory.get(hour, 0.0), each.megabytes)
    return {
        "subscribers": result.subscribers,
        "days": result.days,
        "letters": costs.accepted,
        "due": costs.due,
        "issues": costs.issues,
        "quiet": costs.quiet,
        "papers": costs.papers,
        "matches": costs.matches,
        "stages": {
            stage: {
                "seconds": costs.cpu[stage],
                "wall": costs.wall[stage],
                "letter": costs.cpu[stage] / letters * 1e6,
                "reader": costs.cpu[stage] / result.subscribers / result.days * 1e6,
                "statements": costs.statements[stage],
                "runs": costs.runs[stage],
            }
            for stage in STAGES
        },
        "letter": sum(costs.cpu.values()) / letters * 1e6,
        "reader": sum(costs.cpu.values()) / result.subscribers / result.days * 1e6,
        "hours": [hours[hour] / result.days for hour in range(24)],
        "backlog": [backlog.get(hour, 0) for hour in range(24)],
        "oldest": [age.get(hour, 0.0) for hour in range(24)],
        "memory": [memory.get(hour, 0.0) for hour in range(24)],
        "octets": result.octets,
        "disk": result.disk,
        "peak": result.peak,
        "wall": result.seconds,
        "naive": result.naive,
        "rows": result.rows,
        "verdict": oracle.as_json(result.verdict),
    }


def figures(all_told: Sequence[Told]) -> list[Figure]:
    """Return the figures of one simulation or of a curve."""
    made = []
    for each in all_told:
        of = f"{each['subscribers']:,} readers"
        made.append(Figure(f"{of}: a letter, match to sink", _verbs(each), "µs CPU", _AIM, "the aim at 100,000"))
        if each["naive"]:
            made.append(Figure(f"{of}: the same", _verbs(each), "µs CPU", each["naive"], "the naive loop"))
        if each["rows"]:
            made.append(Figure(f"{of}: the same", _verbs(each), "µs CPU", each["rows"], "bare inserts of its rows"))
        made.append(Figure(f"{of}: a reader a day, all stages", each["reader"], "µs CPU", *_first(all_told, each)))
        made.append(Figure(f"{of}: most memory", each["peak"], "MiB"))
        made.append(Figure(f"{of}: disk a letter", each["disk"], "bytes", each["octets"], "the letter itself"))
        made.append(Figure(f"{of}: lost, doubled or unowed", each["verdict"]["wrong"], "letters"))
    return made


def svg(all_told: Sequence[Told]) -> str:
    """Return the plot of what was told."""
    return plot.drawn(
        [(each["subscribers"], each["reader"], _verbs(each)) for each in all_told],
        all_told[-1]["hours"],
        all_told[-1]["backlog"],
        all_told[-1]["subscribers"],
    )


def table(all_told: Sequence[Told]) -> str:
    """Return the tables in Markdown: by number of readers, then the hours of the largest."""
    heads = ["readers", "letters", *STAGES, "a letter", "a reader", "naive", "rows", "peak MiB", "disk", "wrong"]
    lines = [_row(heads), _row(["---"] * len(heads))]
    for each in all_told:
        stages = [f"{each['stages'][stage]['letter']:,.0f}" for stage in STAGES]
        beside = [f"{each[name]:,.0f}" if each[name] else "" for name in ("naive", "rows")]
        numbers = [f"{each['letter']:,.0f}", f"{each['reader']:,.0f}", *beside, f"{each['peak']:,.0f}"]
        ends = [f"{each['disk']:,.0f}", str(each["verdict"]["wrong"])]
        lines.append(_row([f"{each['subscribers']:,}", f"{each['letters']:,}", *stages, *numbers, *ends]))
    last = all_told[-1]
    lines += ["", _row(["stage", "CPU s", "µs a letter", "µs a reader", "statements", "runs"]), _row(["---"] * 6)]
    for stage, cost in last["stages"].items():
        cells = [f"{cost['seconds']:.2f}", f"{cost['letter']:,.0f}", f"{cost['reader']:,.0f}"]
        lines.append(_row([stage, *cells, f"{cost['statements']:,}", f"{cost['runs']:,}"]))
    lines += ["", _row(["UTC", *(f"{hour:02}" for hour in range(24))]), _row(["---"] * 25)]
    lines.append(_row(["letters an hour", *(f"{each:,.0f}" for each in last["hours"])]))
    lines.append(_row(["most that waited", *(f"{each:,}" for each in last["backlog"])]))
    lines.append(_row(["oldest of them, s", *(f"{each:,.0f}" for each in last["oldest"])]))
    lines.append(_row(["MiB", *(f"{each:,.0f}" for each in last["memory"])]))
    lines += ["", ", ".join(f"{name} {number:,}" for name, number in last["verdict"].items())]
    return "\n".join(lines) + "\n"


def _verbs(each: Told) -> float:
    """Return µs of CPU a letter from matching to the sink."""
    return float(sum(each["stages"][stage]["letter"] for stage in ("match", "plan", "deliver")))


def _first(all_told: Sequence[Told], each: Told) -> tuple[float | None, str]:
    first = all_told[0]
    return (None, "") if first is each else (first["reader"], f"that of {first['subscribers']:,} readers")


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
