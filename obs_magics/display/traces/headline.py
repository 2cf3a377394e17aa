"""What stands above a waterfall, and what its rows are called."""

from __future__ import annotations

from obs_magics.display import times
from obs_magics.display.traces import words
from obs_magics.display.traces.bars import together
from obs_magics.display.traces.folding import Row
from obs_magics.display.traces.trace import Trace
from obs_magics.display.units import count_text

BOTTLENECK = "← Bottleneck"
EMPTY = "no spans: there is no trace"


def title_of(trace: Trace, title: str) -> str:
    """The title, else service and operation of the first root."""
    root = int(trace.walk[0])
    named = " ".join(name for name in (trace.services[root], trace.operations[root]) if name)
    return words.text(title or named, words.TITLE)


def facts(trace: Trace) -> str:
    """How long, how much, what failed: "7.2 s, 12 spans in 5 services, 3 errors"."""
    services = len(set(trace.services) - {""})
    parts = [words.lasted(trace.length), f"{count_text(len(trace), 'span')} in {count_text(services, 'service')}"]
    failed = int(trace.failed.sum())
    parts += [f"{words.ERROR} {count_text(failed, 'error')}"] if failed else []
    roots = int((trace.parent < 0).sum())
    parts += [f"{roots:,} roots: parents are missing"] if roots > 1 else []
    return ", ".join(parts)


def began(trace: Trace, zone: str) -> str:
    """When it began, to the nanosecond, with day of the week and zone."""
    end = trace.began_ns + trace.length
    return f"{times.exact(trace.began_ns, zone)} ({words.day_and_zone(trace.began_ns, end, zone)})"


def figures(trace: Trace, row: Row) -> tuple[str, str]:
    """Duration and share of a row; of folded ones the time in which any of them runs."""
    spent = together(trace, row.spans)
    return words.lasted(spent), words.percent(trace.share(spent))


def told(trace: Trace, rows: list[Row]) -> list[str]:
    """The message of each row's failure, where the row above it in the picture has not said the same; else empty."""
    said: list[str] = []
    before = ""
    for row in rows:
        first = next((span for span in row.spans if trace.failed[span] and trace.messages[span]), -1)
        message = trace.messages[first] if first >= 0 else ""
        said.append("" if message == before else message)
        before = message or before
    return said
