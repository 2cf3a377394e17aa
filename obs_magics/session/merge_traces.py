"""Traces that several sources have: each once, with the spans of all, and said which came from where."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from obs_magics.model.errors import QueryError
from obs_magics.model.frames import STRING_DTYPE
from obs_magics.model.sources import Answer
from obs_magics.model.spans import empty_spans

SOURCE = "source"


def merged(answers: Mapping[str, Answer]) -> Answer:
    """One answer of several sources' spans.

    Traces are joined by their id, spans by their own; of a span that several have, the first source's stands. A column
    `source` names where each span came from.

    Args:
        answers: By the source's name, in the order of precedence.

    Raises:
        QueryError: The question gave numbers over time, which cannot be merged.
    """
    if any(answer.signal == "metrics" for answer in answers.values()):
        raise QueryError("numbers over time come from one source at a time", hint="name one with --source")
    reasons = [f"{name}: {answer.empty_reason}" for name, answer in answers.items() if answer.empty_reason]
    frames = [answer.frame.assign(**{SOURCE: name}) for name, answer in answers.items() if len(answer.frame)]
    everything = _joined(frames)
    return Answer(
        everything,
        "; ".join(dict.fromkeys(answer.native_query for answer in answers.values())),
        warnings=tuple(f"{name}: {text}" for name, answer in answers.items() for text in answer.warnings),
        truncated="; ".join(f"{name}: {answer.truncated}" for name, answer in answers.items() if answer.truncated),
        failed=tuple(f"{name}: {text}" for name, answer in answers.items() for text in answer.failed),
        empty_reason="; ".join(reasons),
        signal="traces",
    )


def _joined(frames: list[pd.DataFrame]) -> pd.DataFrame:
    if not frames:
        return empty_spans().assign(**{SOURCE: pd.Categorical([], categories=pd.Index([], dtype=STRING_DTYPE))})
    whole = pd.concat(frames, ignore_index=True).drop_duplicates(["trace_id", "span_id"], keep="first")
    for name in ("service", "operation", SOURCE):  # concatenated categories that differ become plain text
        whole[name] = whole[name].astype(STRING_DTYPE).astype("category")
    first = whole.groupby("trace_id")["start"].transform("min")
    order = whole.assign(first=first).sort_values(["first", "trace_id", "start"], kind="stable").index
    return whole.loc[order].reset_index(drop=True)


def where_from(frame: pd.DataFrame) -> str:
    """Which traces came from where: ``2 traces from tempo, 1 from jaeger, 1 of both (tempo 12 spans, jaeger 3)``."""
    if SOURCE not in frame.columns or frame.empty:
        return ""
    per_trace = frame.groupby("trace_id", observed=True)[SOURCE].agg(lambda names: " and ".join(sorted(set(names))))
    counted = per_trace.value_counts()
    return ", ".join(
        f"{count:,} {'trace' if count == 1 else 'traces'} from {names}" for names, count in sorted(counted.items())
    )
