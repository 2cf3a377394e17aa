"""`%obs catalog`: what a source has, always with how much of it is shown."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeAlias

from obs_magics.display.table import Table
from obs_magics.display.units import count_text
from obs_magics.model.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from obs_magics.api import Session, SyncCatalog
    from obs_magics.magics.arguments import Arguments
    from obs_magics.magics.context import Context
    from obs_magics.model.catalog import MetricInfo

_Part: TypeAlias = tuple[Sequence[str], Table | None]  # all names there are, and those that were asked for
METRICS_SHOWN = 30
VALUES_SHOWN = 8
AT_A_TIME = 5


def catalog(context: Context, arguments: Arguments) -> None:
    """``%obs catalog [PATTERN|METRIC|LABEL]``: metrics, and the labels of log lines."""
    session, source = context.session, arguments.text("source")
    wanted = arguments.words[0] if arguments.words else ""
    offers = session.offers(source)
    names: list[str] = []
    tables: list[Table] = []
    for offer, look in _PARTS.items():
        if offer in offers:
            own_names, table = look(session, source, wanted, arguments.number("limit"))
            names += own_names
            tables += [table] if table else []
    if not tables and wanted:
        what = " and no ".join(_CALLED[offer] for offer in _PARTS if offer in offers) or "metric"
        raise UsageError(f"no {what} has {wanted!r} in its name", hint=did_you_mean(wanted, names) or "%obs catalog")
    context.show(*(table._repr_mimebundle_() for table in tables or [_NOTHING]))


def _metrics_part(session: Session, source: str | None, wanted: str, limit: int | None) -> _Part:
    known = session.catalog(source)
    names = known.metric_names()
    if wanted in names:
        return names, _labels(known, wanted, limit or VALUES_SHOWN)
    fitting = [name for name in names if fits(name, wanted)]
    return names, _metrics(known, fitting, limit or METRICS_SHOWN) if fitting else None


def _logs_part(session: Session, source: str | None, wanted: str, limit: int | None) -> _Part:
    known = session.log_catalog(source)
    names = known.label_names()
    fitting = [name for name in names if fits(name, wanted)]
    rows = [_values_row(label, known.label_values(label), limit or VALUES_SHOWN) for label in fitting]
    return names, Table(("label of logs", "values", "such as"), rows) if rows else None


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
    rows = [_values_row(label, known.label_values(label, metric), limit) for label in known.label_names(metric)]
    facts = [info.type, f"unit {info.unit}" if info.unit else "", info.help]
    caption = f"{metric}: {', '.join(filter(None, facts))}"
    return Table(("label", "values", "such as"), rows, caption=caption, empty="no labels")


def _values_row(label: str, values: Sequence[str], limit: int) -> tuple[str, int, str]:
    more = f", … ({limit} of {len(values):,})" if len(values) > limit else ""
    return label, len(values), ", ".join(values[:limit]) + more


_NOTHING = Table(("metric", "type", "unit", "help"), [], empty="no metrics, and no logs")
_PARTS: Mapping[str, Callable[[Session, str | None, str, int | None], _Part]] = {
    "catalog": _metrics_part,
    "logs": _logs_part,
}
_CALLED = {"catalog": "metric", "logs": "label of logs"}


def _how_many(shown: int, total: int) -> str:
    if shown == total:
        return count_text(total, "metric")
    return f"{shown:,} of {total:,} metrics; --limit shows more, a part of a name fewer"
