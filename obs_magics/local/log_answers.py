"""A question for logs over a folder, answered with lines or, where it asks for them, with numbers over time."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Sequence

import numpy as np

from obs_magics.local.logql.context import Context
from obs_magics.local.logql.evaluate import FoundLines, FoundSeries, evaluate_lines, evaluate_metric
from obs_magics.local.logs.diagnosis import why_empty
from obs_magics.local.logs.frames import frame_of, volume_of
from obs_magics.local.logs.store import LogStore
from obs_magics.model.errors import QueryError
from obs_magics.model.frames import metrics_frame
from obs_magics.model.query import LogsQuery, LogWords
from obs_magics.model.sources import Answer
from obs_magics.syntax.logql import parse, quote
from obs_magics.syntax.logql.tree import LogQuery

Warnings = Callable[[Collection[str]], Sequence[str]]
# Every line has it: where no service is known, Loki calls it `unknown_service`.
_EVERYTHING = '{service_name=~".+"}'
_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")


def answer_logs(store: LogStore, query: LogsQuery, where: str, *, warnings: Warnings, stop: threading.Event) -> Answer:
    """The answer to a question in LogQL.

    Args:
        store: The lines.
        query: The question.
        where: Name and address of the source, for errors.
        warnings: What has to be said with an answer from the lines of some files.
        stop: When set, the evaluation ends soon with `Stopped`.

    Raises:
        QueryError: The query is not LogQL, or asks for what the engine cannot do.
    """
    span = query.range
    try:
        tree = parse(query.text)
        if isinstance(tree, LogQuery):
            return _of_lines(
                evaluate_lines(
                    tree,
                    query.text,
                    store,
                    start_ns=span.start_ns,
                    end_ns=span.end_ns,
                    limit=query.limit,
                    level=query.level,
                    stop=stop,
                ),
                query,
                warnings,
            )
        found = evaluate_metric(
            tree,
            query.text,
            store,
            start_ns=span.start_ns,
            end_ns=span.end_ns,
            step_ns=query.step_ns,
            level=query.level,
            stop=stop,
        )
        return _of_series(found, query, warnings)
    except QueryError as problem:
        problem.where = problem.where or where
        raise


def _of_lines(found: FoundLines, query: LogsQuery, warnings: Warnings) -> Answer:
    shown, total = len(found.lines), len(found.times_ns)
    return Answer(
        frame_of(found.lines, found.context.store),
        query.text,
        warnings=(*_notes(found.context), *warnings(found.context.files())),
        truncated=f"the newest {shown:,} of {total:,} lines (--limit)" if shown < total else "",
        empty_reason="" if total else why_empty(found.context),
        signal="logs",
        total=total,
        volume=volume_of(found.times_ns, found.levels, query.range, query.volume_step_ns),
    )


def _of_series(found: FoundSeries, query: LogsQuery, warnings: Warnings) -> Answer:
    vector = found.vector
    times = np.broadcast_to(found.times_ns, vector.present.shape)[vector.present]
    frame = metrics_frame(vector.labels, vector.present.sum(axis=1), times, vector.values[vector.present])
    return Answer(
        frame,
        query.text,
        warnings=(*_notes(found.context), *warnings(found.context.files())),
        empty_reason="" if len(frame) else why_empty(found.context),
        signal="metrics",
    )


def _notes(context: Context) -> list[str]:
    if not context.unknown:
        return []
    lines = f"{context.unknown:,} {'line' if context.unknown == 1 else 'lines'}"
    return [f"{lines} of unknown level left out (--level {context.level})"]


def words_query(words: LogWords) -> str:
    """The query for lines of these services with all of these phrases, in any case of letters."""
    filters = "".join(f" |~ {quote('(?i)' + '|'.join(map(_escaped, group)))}" for group in words.groups)
    if not words.services:
        return _EVERYTHING + filters
    if len(words.services) == 1:
        return f"{{service={quote(words.services[0])}}}{filters}"
    return f"{{service=~{quote('|'.join(map(_escaped, words.services)))}}}{filters}"


def _escaped(text: str) -> str:
    """A text as a regular expression (RE2) for just itself; spaces and letters stay readable."""
    return _SPECIAL.sub(lambda found: "\\" + found[0], text)
