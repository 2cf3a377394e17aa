"""What the evaluation of a node needs to know besides the node: the steps, the store, the version, the way to stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any

import numpy as np

from obs_magics.local.promql.data import Array, SeriesStore
from obs_magics.local.promql.values import DuplicateSeries, Scalar, Text, Value, Vector, format_float, format_labels
from obs_magics.model.errors import QueryError
from obs_magics.syntax.promql import error_at

MAX_CELLS = 50_000_000


class Stopped(Exception):  # noqa: N818 - the way out that the caller asked for, not a failure
    """The caller set the stop event; what was being computed is thrown away."""


@dataclass(frozen=True, slots=True)
class Context:
    """How one node is evaluated.

    Args:
        text: The whole query, for errors.
        store: Where the samples are.
        times_ms: int64 [steps], evenly spaced: the query's own steps, or a subquery's.
        start_ms: Of the whole query; what ``@ start()`` means.
        end_ms: Of the whole query; what ``@ end()`` means.
        version: 3 (left-open ranges) or 2 (closed ones).
        lookback_ms: How old the sample of an instant vector may be.
        stop: When set, the evaluation ends with `Stopped` before its next node.
        evaluator: Evaluates a node in a context.
        warnings: Collects what has to be said, each thing once.
    """

    text: str
    store: SeriesStore
    times_ms: Array
    start_ms: int
    end_ms: int
    version: int
    lookback_ms: int
    stop: Event | None
    evaluator: Callable[[Any, Context], Value]
    warnings: dict[str, None] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return len(self.times_ms)

    def check(self) -> None:
        """Raise `Stopped` when the caller does not want the answer any more."""
        if self.stop is not None and self.stop.is_set():
            raise Stopped

    def check_size(self, series: int) -> None:
        """Raise when so many series at every step are more than fit into memory.

        Raises:
            QueryError: Prometheus has the same limit by default (``--query.max-samples``).
        """
        if series * self.steps > MAX_CELLS:
            raise QueryError(
                f"{series:,} series at {self.steps:,} steps are more than {MAX_CELLS:,} samples",
                query=self.text,
                hint="ask for fewer series, a shorter range, or a longer step",
            )

    def at(self, times_ms: Array) -> Context:
        """The same with other steps."""
        return replace(self, times_ms=times_ms)

    def evaluate(self, node: Any) -> Value:
        """The value of a node."""
        self.check()
        return self.evaluator(node, self)

    def vector(self, node: Any, user: str) -> Vector:
        """The value of a node that is an instant vector of floats.

        Args:
            node: The node.
            user: The function, aggregation or operator that wants it, for the error on native histograms.
        """
        return self.as_vector(self.evaluate(node), user)

    def as_vector(self, value: Value, user: str) -> Vector:
        """The value itself, which must be an instant vector of floats; most of that the parser has checked."""
        if not isinstance(value, Vector):
            raise self.error(user, f"{user} needs an instant vector")
        if value.histograms is not None:
            self.refuse_histograms(user)
        return value

    def scalar(self, node: Any) -> Array:
        """The value of a node that is a scalar: float64 [steps]."""
        value = self.evaluate(node)
        if not isinstance(value, Scalar):
            raise QueryError("a scalar is needed here", query=self.text)
        return value.values

    def string(self, node: Any) -> str:
        """The value of a node that is a string."""
        value = self.evaluate(node)
        if not isinstance(value, Text):
            raise QueryError("a string is needed here", query=self.text)
        return value.text

    def warn(self, message: str) -> None:
        """Say something with the answer."""
        self.warnings[message] = None

    def warn_of_quantiles(self, q: Array) -> None:
        """Say which of the wanted quantiles are none."""
        for value in np.unique(q[~((q >= 0) & (q <= 1))]):
            self.warn(f"PromQL warning: quantile value should be between 0 and 1, got {format_float(value)}")

    def error(self, name: str, message: str, *, hint: str = "") -> QueryError:
        """An error that marks where `name` stands in the query."""
        return error_at(self.text, name, message, hint=hint)

    def refuse_histograms(self, user: str) -> None:
        """Raise: native histograms can be selected, not calculated with."""
        raise self.error(
            user,
            f"{user} on native histograms is not supported by the embedded backend",
            hint="select them without a function, or ask a Prometheus server",
        )

    def duplicate(self, name: str, problem: DuplicateSeries) -> QueryError:
        """The error for series with the same labels that `name` made."""
        hint = f"several series become {format_labels(problem.labels)}: keep a label that tells them apart"
        return self.error(name, str(problem), hint=hint)
