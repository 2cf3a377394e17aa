"""What opens behind a row of a waterfall: ids, times, attributes, events and links of a span; figures of a group."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from obs_magics.display import markup, times
from obs_magics.display.inline import block, inline
from obs_magics.display.traces import words
from obs_magics.display.traces.folding import Row
from obs_magics.display.traces.trace import Trace
from obs_magics.display.units import count_text, plain

_ATTRIBUTES, _EVENTS, _LINKS = 40, 8, 8
_KEY, _VALUE, _MESSAGE = 80, 400, 2000

Fact = tuple[str, str]


def span_details(trace: Trace, row: Row, zone: str) -> str:
    """A span's own facts as a table, then what it says at length; every text in it is escaped and bounded."""
    facts = [*_facts(trace, row.span, zone), *_attributes(trace, row.span)]
    said = trace.messages[row.span]
    message = block(said, _MESSAGE).html if said else ""
    more = [*_events(trace, row.span, zone), *_links(trace, row.span)]
    return markup.element("div", message + _table(facts) + "".join(more), "obs-more")


def group_details(trace: Trace, row: Row, zone: str) -> str:
    """Figures of spans that are folded together."""
    spans = list(row.spans)
    lasted = trace.end[spans] - trace.start[spans]
    longest = spans[int(lasted.argmax())]
    facts = [
        ("together", f"{words.lasted(int(lasted.sum()))} in {count_text(len(spans), 'span')}"),
        ("each", f"median {words.lasted(int(np.median(lasted)))}, longest {words.lasted(int(lasted.max()))}"),
        ("from, to", _from_to(int(trace.start[spans].min()), int(trace.end[spans].max()))),
        *_critical(trace, int(trace.spent[spans].sum())),
        ("failed", f"{int(trace.failed[spans].sum()):,}"),
        ("longest", words.trace_id(str(trace.frame["span_id"].iloc[longest]))),
    ]
    return markup.element("div", _table(facts), "obs-more")


def _facts(trace: Trace, span: int, zone: str) -> Iterator[Fact]:
    at = trace.frame.iloc[span]
    start, end = int(trace.start[span]), int(trace.end[span])
    yield "span", words.trace_id(_text(at["span_id"]))
    if _text(at["parent_id"]):
        missing = "" if trace.parent[span] >= 0 else words.quiet(" (not in this trace)")
        yield "parent", words.trace_id(_text(at["parent_id"])) + missing
    yield "begins", f"{times.exact(trace.began_ns + start, zone)} {words.quiet(_from_to(start, end))}"
    yield "lasts", f"{words.lasted(end - start)} {words.quiet(f'({plain((end - start) / 1e3, 15)} µs)')}"
    yield from _critical(trace, int(trace.spent[span]))
    yield "kind, status", f"{_text(at['kind']) or words.NOTHING}, {_text(at['status']) or words.NOTHING}"


def _from_to(start: int, end: int) -> str:
    return f"+{words.lasted(start)} to +{words.lasted(end)}"


def _critical(trace: Trace, spent: int) -> list[Fact]:
    if trace.pieces is None:
        return []
    share = f" ({words.percent(trace.share(spent))})" if spent else ""
    return [("on the critical path", f"{words.lasted(spent) if spent else 'not'}{share}")]


def _attributes(trace: Trace, span: int) -> Iterator[Fact]:
    yield from _bounded_pairs(trace.frame["attributes"].iloc[span], _ATTRIBUTES)


def _bounded_pairs(given: Any, most: int) -> Iterator[Fact]:
    """The first pairs of a map, as HTML, and how many there are more."""
    pairs = _pairs(given)
    for name, value in pairs[:most]:
        yield inline(str(name), _KEY).html, inline("" if value is None else str(value), _VALUE).html
    if len(pairs) > most:
        yield "…", f"and {count_text(len(pairs) - most, 'more attribute')}"


def _pairs(given: Any) -> list[tuple[Any, Any]]:
    if isinstance(given, dict):
        return list(given.items())
    return list(given) if isinstance(given, list | tuple) else []


def _events(trace: Trace, span: int, zone: str) -> Iterator[str]:
    events = _items(trace.frame, "events", span)
    for event in events[:_EVENTS]:
        instant = event.get("timestamp")
        when = "" if pd.isna(instant) else times.exact(pd.Timestamp(instant).as_unit("ns").value, zone)
        head = f"event {markup.element('strong', words.bounded(event.get('name')))} {words.quiet(when)}"
        yield markup.element("p", head) + _table(_bounded_pairs(event.get("attributes"), _ATTRIBUTES))
    if len(events) > _EVENTS:
        yield markup.element("p", f"and {count_text(len(events) - _EVENTS, 'more event')}", "obs-quiet")


def _links(trace: Trace, span: int) -> Iterator[str]:
    links = _items(trace.frame, "links", span)
    for one in links[:_LINKS]:
        ids = f"trace {words.trace_id(_text(one.get('trace_id')))} span {words.trace_id(_text(one.get('span_id')))}"
        yield markup.element("p", f"linked to {ids}")
    if len(links) > _LINKS:
        yield markup.element("p", f"and {count_text(len(links) - _LINKS, 'more link')}", "obs-quiet")


def _items(frame: pd.DataFrame, name: str, span: int) -> list[dict[str, Any]]:
    given = frame[name].iloc[span] if name in frame.columns else None
    return [] if given is None or given is pd.NA else [item for item in given if isinstance(item, dict)]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _table(facts: Iterable[Fact]) -> str:
    rows = "".join(f'<tr><th style="text-align:left">{name}</th><td>{value}</td></tr>' for name, value in facts)
    return markup.element("table", rows) if rows else ""
