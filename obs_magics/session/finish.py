"""What becomes of an answer before the user has it: secrets hidden, provenance written down."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from obs_magics.model.provenance import ATTRIBUTE, Provenance, content_digest, fingerprint
from obs_magics.model.query import EventsQuery, LogsQuery, MetricsQuery, TracesQuery
from obs_magics.model.sources import Answer
from obs_magics.model.time import SECOND
from obs_magics.session.plan import Plan

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.security.redact import Redactor


def finished(plan: Plan, answer: Answer, now_ns: int, redactor: Callable[[], Redactor]) -> pd.DataFrame:
    """The frame of an answer, redacted, with its provenance."""
    frame, hidden = redacted(answer.frame, redactor)
    hide = redactor().text  # what was typed is kept with the frame, and may hold a secret too
    query = plan.query
    provenance = Provenance(
        signal=answer.signal,
        source=plan.source,
        platform=plan.platform,
        address=plan.address,
        question=hide(plan.question),
        native_query=hide(answer.native_query),
        translated_by=plan.translated_by,
        start=query.range.start.isoformat(),
        end=query.range.end.isoformat(),
        step=_step_ns(query, answer) / SECOND,
        unit=answer.unit,
        fetched_at=clock_text(now_ns),
        rows=len(frame),
        level=query.level or "" if isinstance(query, LogsQuery) else "",
        total=answer.total,
        volume=answer.volume.to_dict() if answer.volume else None,
        truncated=answer.truncated,
        empty_reason=answer.empty_reason,
        notes=(*plan.notes, *answer.notes, *hidden),
        warnings=answer.warnings,
        failed=answer.failed,
        link=answer.link,
        fingerprint=fingerprint(_request(plan, answer)),
    )
    return with_provenance(frame, provenance)


def redacted(frame: pd.DataFrame, redactor: Callable[[], Redactor]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The frame without its secrets, and a sentence on what was hidden."""
    hider = redactor()
    clean = hider.frame(frame)
    return clean, (str(hider.report),) if hider.report.total else ()


def with_provenance(frame: pd.DataFrame, provenance: Provenance) -> pd.DataFrame:
    """The frame with its provenance, which gets the digest of the content."""
    frame.attrs[ATTRIBUTE] = dataclasses.replace(provenance, digest=content_digest(frame)).to_dict()
    return frame


def clock_text(now_ns: int) -> str:
    """ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(now_ns / SECOND, UTC).isoformat(timespec="seconds")


def _step_ns(query: MetricsQuery | LogsQuery | TracesQuery | EventsQuery, answer: Answer) -> int:
    """Distance between points; 0 where the frame has none."""
    if (
        isinstance(query, EventsQuery)
        or answer.signal != "metrics"
        or (isinstance(query, MetricsQuery) and query.instant)
    ):
        return 0
    return query.step_ns


def _request(plan: Plan, answer: Answer) -> Mapping[str, Any]:
    """What was asked, in canonical form: equal requests have equal fingerprints."""
    query = plan.query
    request = {
        "platform": plan.platform,
        "address": plan.address,
        "query": answer.native_query,
        "start_ns": query.range.start_ns,
        "end_ns": query.range.end_ns,
        "step_ns": _step_ns(query, answer),
        "limit": query.limit,
    }
    return {**request, **{name: getattr(query, name) for name in _CONDITIONS.get(type(query), ())}}


# What else a question says beside its text.
_CONDITIONS: Mapping[type, tuple[str, ...]] = {
    LogsQuery: ("level",),
    TracesQuery: ("trace_ids", "service", "operation", "status", "min_duration_ns", "max_duration_ns"),
    EventsQuery: ("text", "kinds", "services"),
}
