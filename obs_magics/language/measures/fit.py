"""Whether a row of the table fits a service: its metric is there, names the service, and has the labels it needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from obs_magics.language.measures.failures import LABELS as FAILURE_LABELS
from obs_magics.language.measures.failures import failed_matcher
from obs_magics.language.measures.fill import filled, other_metrics, own_matchers
from obs_magics.language.measures.rows import Row
from obs_magics.language.measures.services import Found, find_service
from obs_magics.language.measures.vocabulary import Measure
from obs_magics.model.catalog import Catalog
from obs_magics.model.errors import UsageError, did_you_mean
from obs_magics.syntax.promql import metric_names
from obs_magics.syntax.promql_split import label_text

_SUFFIXES = {"bucket": "_bucket", "count": "_count"}
# What a pattern must not catch: requests that the service makes, and those for its own metrics.
_OUTGOING = ("client", "upstream", "outgoing", "outbound", "promhttp", "webhook", "remote")


@dataclass(frozen=True, slots=True)
class Facts:
    """What the source's catalog says.

    Args:
        catalog: The catalog.
        names: Its metric names.
    """

    catalog: Catalog
    names: frozenset[str]

    def candidates(self, row: Row) -> list[str]:
        """The names that may stand for `$metric`, best first, of those that are there."""
        suffix = _SUFFIXES.get(row.series, "")
        found = []
        for pattern in row.metrics:
            if "*" not in pattern:
                found += [pattern] if pattern + suffix in self.names else []
                continue
            whole = pattern + suffix
            matches = (name for name in sorted(self.names) if fnmatchcase(name, whole))
            found += [name.removesuffix(suffix) for name in matches if not any(word in name for word in _OUTGOING)]
        return list(dict.fromkeys(found))

    def subject(self, row: Row, name: str) -> str:
        """The series that carry the labels: `x_bucket` of a classic histogram `x`."""
        return name + _SUFFIXES.get(row.series, "")

    async def labels(self, metric: str) -> Sequence[str]:
        """Names of the labels of a metric."""
        return await self.catalog.label_names(metric)

    async def values(self, label: str, metric: str) -> Sequence[str]:
        """Values of a label on a metric."""
        return await self.catalog.label_values(label, metric)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A row that fits: everything that fills its query."""

    row: Row
    metric: str
    subject: str
    service: str
    selector: str
    label: str
    failed: str = ""
    quantile: str = ""
    by: tuple[str, ...] = ()
    labels: tuple[str, ...] | None = None

    def query(self, *, selector: str | None = None) -> str:
        """The query; `selector` stands for the matcher of the service when it is given."""
        return filled(
            self.row.query,
            metric=self.metric,
            selector=self.selector if selector is None else selector,
            service=self.service,
            failed=self.failed,
            by=self.by,
            quantile=self.quantile,
            labels=self.labels,
        )

    @property
    def scraped(self) -> str:
        """The series of the metric, as a selector."""
        return filled("$metric{$selector}", metric=self.subject, selector=self.selector)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of a row: a measure (which has the quantile) of a service, with labels to keep apart."""

    measure: Measure
    service: str
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Misfit:
    """A row that does not fit; `reason` is empty when its metric is not there at all."""

    metric: str
    reason: str = ""


async def fit(row: Row, wanted: Wanted, facts: Facts, *, name: str | None = None) -> Fit | Misfit:
    """Whether a row tells of a service.

    Args:
        row: The row; its own labels to keep apart come after those that are wanted.
        wanted: What of whom.
        facts: What there is.
        name: The metric to take; None for the first of the row that names the service.
    """
    if not fnmatchcase(wanted.service, row.only):
        return Misfit(row.name)
    if "$metric" not in row.query:
        return _own_query(row, wanted, facts)
    worst = Misfit(next(iter(row.metrics), row.name))
    for candidate in facts.candidates(row) if name is None else [name]:
        outcome = await _candidate(row, wanted, facts, candidate)
        if isinstance(outcome, Fit):
            return outcome
        worst = outcome
    return worst


async def _candidate(row: Row, wanted: Wanted, facts: Facts, metric: str) -> Fit | Misfit:
    subject = facts.subject(row, metric)
    labels = await facts.labels(subject)
    reason = await _not_stored(row, wanted, subject, facts) or await _lacks(row, subject, labels, facts)
    if reason:
        return Misfit(subject, reason)
    found = await _find(row, wanted.service, subject, facts)
    if found is None:
        return Misfit(subject, f"tells nothing of {wanted.service}")
    failed = await _failed(subject, labels, facts) if "$failed" in row.query else ""
    if "$failed" in row.query and not failed:
        return Misfit(subject, "has no label that tells which requests failed")
    _check_labels(wanted.by, subject, labels)
    return Fit(
        row=row,
        metric=metric,
        subject=subject,
        service=wanted.service,
        selector=found.matcher,
        label=found.label,
        failed=failed,
        quantile=await _quantile(row, wanted.measure, subject, facts),
        by=tuple(dict.fromkeys([*wanted.by, *(label for label in row.by if label in labels)])),
        labels=tuple(labels),
    )


def _own_query(row: Row, wanted: Wanted, facts: Facts) -> Fit | Misfit:
    """A query that names its metrics itself: it fits where they are there."""
    whole = Fit(
        row=row,
        metric="",
        subject="",
        service=wanted.service,
        selector="",
        label="",
        quantile=wanted.measure.quantile,
        by=tuple(dict.fromkeys([*wanted.by, *row.by])),
    )
    names = metric_names(whole.query())
    gone = [one for one in names if one not in facts.names]
    return Misfit(gone[0], "is not here") if gone else replace(whole, subject=next(iter(names), ""))


async def _not_stored(row: Row, wanted: Wanted, subject: str, facts: Facts) -> str:
    """Why a metric is not what the row needs; empty when it is."""
    labels = await facts.labels(subject)
    if row.series == "native":
        info = await facts.catalog.metric(subject)
        classic = f"{subject}_bucket" in facts.names or "quantile" in labels
        untold = info.type == "unknown" and f"{subject}_count" not in facts.names  # not every source tells types
        return "" if not classic and (info.type == "histogram" or untold) else "is no native histogram"
    if row.series == "summary":
        if "quantile" not in labels:
            return "has no quantiles"
        there = await facts.values("quantile", subject)
        if not any(_same(value, wanted.measure.quantile) for value in there):
            return f"has no {wanted.measure.quantile} quantile, only {', '.join(there)}"
    return ""


async def _lacks(row: Row, subject: str, labels: Sequence[str], facts: Facts) -> str:
    """Which metric or label the query needs beside its own metric; empty when all are there."""
    gone = [name for name in other_metrics(row.query) if name not in facts.names]
    if gone:
        return f"needs {gone[0]} too"
    for label, value in own_matchers(row.query):
        if label not in labels or value not in await facts.values(label, subject):
            return f'has no {label}="{value}"'
    return ""


async def _find(row: Row, service: str, subject: str, facts: Facts) -> Found | None:
    """Where the service stands: a label that has its very name, before one that holds it among other things."""
    labels = await facts.labels(subject)
    rough: Found | None = None
    for label in row.services:
        if label not in labels:
            continue
        found = find_service(label, await facts.values(label, subject), service)
        if found is not None and found.exact:
            return found
        rough = rough or found
    return rough


async def _failed(subject: str, labels: Sequence[str], facts: Facts) -> str:
    for label in FAILURE_LABELS:
        if label in labels:
            found = failed_matcher(label, await facts.values(label, subject), shown=label_text(label))
            if found:
                return found
    return ""


async def _quantile(row: Row, measure: Measure, subject: str, facts: Facts) -> str:
    """The quantile as a summary writes it (`0.990`), else as the measure has it."""
    if row.series != "summary":
        return measure.quantile
    there = await facts.values("quantile", subject)
    return next((value for value in there if _same(value, measure.quantile)), measure.quantile)


def _same(text: str, quantile: str) -> bool:
    try:
        return float(text) == float(quantile)
    except ValueError:
        return False


def _check_labels(by: Sequence[str], subject: str, labels: Sequence[str]) -> None:
    for label in by:
        if label not in labels:
            hint = did_you_mean(label, labels) or f"its labels are: {', '.join(labels)}"
            raise UsageError(f"{subject} has no label called {label!r}", hint=hint)
