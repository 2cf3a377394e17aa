"""What to do next about slow or failing traces, by what was found: a table that anyone can read and add to."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from obs_magics.analysis.spans.summary import summarize_traces
from obs_magics.model.trace_summary import Fault, TraceSummary

_SLOW_SECONDS = 0.1  # of a query on average
_DOMINANT = 0.3  # share of the critical paths
_REPEATED = 3  # calls of one query a trace
_POOL = re.compile(r"\bpool\b|\bacquire\b|get ?connection|checkout connection|connection wait", re.IGNORECASE)
_READ = re.compile(r"\s*(?:select|get|hget|hgetall|mget|find)\b", re.IGNORECASE)
_FILTERED = re.compile(r"\b(?:where|join|order by|group by)\b", re.IGNORECASE)
_WRITE = re.compile(r"\s*(?:insert|update|delete|merge)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TraceRule:
    """Advice that applies when `about` names something in a summary: what it names stands for `{}` in the text."""

    key: str
    advice: str
    about: Callable[[TraceSummary], str | None]


@dataclass(frozen=True, slots=True)
class TraceAdvice:
    """Advice that applies here, and what it is about: a template, an operation, a service or a message."""

    key: str
    text: str
    about: str


def advise_traces(frame: pd.DataFrame, *, summary: TraceSummary | None = None, limit: int = 3) -> list[TraceAdvice]:
    """What to do next, most telling first.

    Args:
        frame: A spans frame.
        summary: Its summary, where somebody has it.
        limit: At most this much advice.
    """
    found = summarize_traces(frame) if summary is None else summary
    pairs = ((rule, rule.about(found)) for rule in TRACE_RULES)
    return [TraceAdvice(rule.key, rule.advice.format(about), about) for rule, about in pairs if about][:limit]


def _slow_query(found: TraceSummary, pattern: re.Pattern[str]) -> str | None:
    step = found.bottleneck.step if found.bottleneck else None
    slow = step is not None and step.kind == "query" and step.average.total_seconds() >= _SLOW_SECONDS
    return step.text if step and slow and pattern.search(step.text) else None


def _missing_index(found: TraceSummary) -> str | None:
    text = _slow_query(found, _FILTERED)
    return text if text and not re.match(r"\s*insert\b", text, re.IGNORECASE) else None


def _pool(found: TraceSummary) -> str | None:
    bottleneck, origin = found.bottleneck, found.origin
    step = bottleneck.step if bottleneck else None
    if step and step.kind == "operation" and step.share >= _DOMINANT / 3 and _POOL.search(step.text):
        return step.text
    return origin.message if origin and _POOL.search(origin.message) else None


def _fault(kind: str) -> Callable[[TraceSummary], str | None]:
    def about(found: TraceSummary) -> str | None:
        return next((_said(one) for one in found.faults if one.kind == kind), None)

    return about


def _said(fault: Fault) -> str:
    if fault.timeout is not None:
        return f"{fault.what} of {fault.service} after {fault.timeout.total_seconds():g} s"
    return fault.what


def _repeated_read(found: TraceSummary) -> str | None:
    step = found.bottleneck.step if found.bottleneck else None
    if step is None or step.kind != "query" or not _READ.match(step.text):
        return None
    return step.text if step.calls >= _REPEATED * found.traces or step.share >= _DOMINANT else None


def _dominant(found: TraceSummary) -> str | None:
    bottleneck = found.bottleneck
    step = bottleneck.step if bottleneck else None
    if bottleneck is None or bottleneck.share < _DOMINANT or (step and (step.kind == "query" or step.outside)):
        return None
    return bottleneck.service or None


def _outside(found: TraceSummary) -> str | None:
    bottleneck = found.bottleneck
    step = bottleneck.step if bottleneck else None
    return f"{step.text} of {bottleneck.service}" if bottleneck and step and step.outside else None


def _origin(found: TraceSummary) -> str | None:
    origin = found.origin
    return f"{origin.operation} of {origin.service}" if origin else None


# In order of how telling they are.
TRACE_RULES: tuple[TraceRule, ...] = (
    TraceRule(
        "missing_index",
        "look at the plan of {} (EXPLAIN): an index on the columns it filters, joins or sorts by may be missing or was"
        " dropped; then at how many rows it reads",
        _missing_index,
    ),
    TraceRule(
        "pool_wait",
        "time goes into waiting for a connection ({}): look at the size of the pool and its last change, and at calls"
        " that hold connections for long",
        _pool,
    ),
    TraceRule(
        "n_plus_one",
        "batch {}: one call for all of them (IN (…), a join, a multi-get) instead of one for each",
        _fault("n_plus_one"),
    ),
    TraceRule(
        "timeout",
        "somebody gives up waiting: {}; look at what answers too late, and give callers a shorter timeout than their"
        " own callers have",
        _fault("timeouts"),
    ),
    TraceRule(
        "retries",
        "{} is repeated after failures: limit retries, let them wait longer each time with jitter, and look at why the"
        " first try fails",
        _fault("retries"),
    ),
    TraceRule(
        "cache",
        "cache what {} reads, if it may be some seconds old: it is read again and again",
        _repeated_read,
    ),
    TraceRule(
        "slow_write",
        "look at what {} waits for: locks of other transactions, indexes to be kept, single rows that could be written"
        " in one statement",
        lambda found: _slow_query(found, _WRITE),
    ),
    TraceRule(
        "fan_out",
        "{} makes very many calls for one request: ask for less, page, or bound how many run at once",
        _fault("fan_out"),
    ),
    TraceRule(
        "error_origin",
        "failures begin in {}: look at its logs at that time, and at what was deployed or changed there just before",
        _origin,
    ),
    TraceRule(
        "outside",
        "{} waits for what no trace shows: look at whether it was reached at all (name resolution, connections,"
        " network), and at the other side's own metrics and logs",
        _outside,
    ),
    TraceRule(
        "slow_code",
        "{} spends the time itself: look at its CPU, garbage collection and locks (a profile), and at what was deployed"
        " there just before",
        _dominant,
    ),
)
