"""`%obs catalog`: what a source has, always with how much of it is shown."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from obs_magics.display.table import Table
from obs_magics.display.units import count_text
from obs_magics.model.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from obs_magics.api import SyncCatalog
    from obs_magics.magics.arguments import Arguments
    from obs_magics.magics.context import Context
    from obs_magics.model.catalog import MetricInfo

METRICS_SHOWN = 30
VALUES_SHOWN = 8
AT_A_TIME = 5


def catalog(context: Context, arguments: Arguments) -> None:
    """``%obs catalog [PATTERN|METRIC]``."""
    known = context.session.catalog(arguments.text("source"))
    names = known.metric_names()
    wanted = arguments.words[0] if arguments.words else ""
    if wanted in names:
        table = _labels(known, wanted, arguments.number("limit") or VALUES_SHOWN)
        context.show(table._repr_mimebundle_())
        return
    fitting = [name for name in names if fits(name, wanted)]
    if wanted and not fitting:
        raise UsageError(f"no metric has {wanted!r} in its name", hint=did_you_mean(wanted, names) or "%obs catalog")
    table = _metrics(known, fitting, arguments.number("limit") or METRICS_SHOWN)
    context.show(table._repr_mimebundle_())


def fits(name: str, pattern: str) -> bool:
    """Whether a name has the pattern in it, or matches it where it has ``*`` or ``?``; case does not count."""
    name, pattern = name.lower(), pattern.lower()
    return fnmatch.fnmatchcase(name, pattern) if set(pattern) & set("*?[") else pattern in name


def _metrics(known: SyncCatalog, names: Sequence[str], limit: int) -> Table:
    shown = names[:limit]
    rows = [(info.name, info.type, info.unit, info.help) for info in _described(known, shown)]
    return Table(
        ("metric", "type", "unit", "help"), rows, caption=_how_many(len(shown), len(names)), empty="no metrics"
    )


def _described(known: SyncCatalog, names: Sequence[str]) -> list[MetricInfo]:
    """What each metric is, a few asked for at a time; an interrupt does not wait for those that are under way."""
    pool = ThreadPoolExecutor(AT_A_TIME)
    try:
        return list(pool.map(known.metric, names))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _labels(known: SyncCatalog, metric: str, limit: int) -> Table:
    info = known.metric(metric)
    rows = []
    for label in known.label_names(metric):
        values = known.label_values(label, metric)
        more = f", … ({limit} of {len(values):,})" if len(values) > limit else ""
        rows.append((label, len(values), ", ".join(values[:limit]) + more))
    facts = [info.type, f"unit {info.unit}" if info.unit else "", info.help]
    caption = f"{metric}: {', '.join(filter(None, facts))}"
    return Table(("label", "values", "such as"), rows, caption=caption, empty="no labels")


def _how_many(shown: int, total: int) -> str:
    if shown == total:
        return count_text(total, "metric")
    return f"{shown:,} of {total:,} metrics; --limit shows more, a part of a name fewer"
