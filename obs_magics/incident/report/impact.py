"""What an incident cost: how long, how many requests, how many of them failed, how much of an error budget."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from obs_magics.display.clock import MS, clock_text
from obs_magics.display.units import format_value, seconds_text
from obs_magics.incident.enriched import Enriched
from obs_magics.model.durations import DAY, MINUTE, SECOND, format_duration, parse_duration
from obs_magics.model.errors import UsageError

Array = np.ndarray[Any, Any]

_SLO = re.compile(r"^\s*(?P<target>\d+(?:\.\d+)?)\s*%?\s*(?:(?:/|over|in|per)\s*(?P<window>\S+))?\s*$")
_DEFAULT_WINDOW = "30d"


@dataclass(frozen=True, slots=True)
class Slo:
    """A service level objective: the share of requests that must succeed, over a window.

    Args:
        target: Between 0 and 1: 0.999.
        window_ns: In nanoseconds.
    """

    target: float
    window_ns: int

    @classmethod
    def parse(cls, text: str) -> Slo:
        """Read ``99.9%/30d``; without a window it is 30 days.

        Raises:
            UsageError: It is none, or the target is not between 0 and 100 %.

        >>> Slo.parse("99.9% / 28d").target
        0.999
        """
        found = _SLO.match(text)
        target = float(found["target"]) / 100 if found else 0.0
        if found is None or not 0 < target < 1:
            raise UsageError(f"{text!r} is no service level objective", hint="for example: --slo 99.9%/30d")
        return cls(round(target, 12), parse_duration(found["window"] or _DEFAULT_WINDOW))

    def __str__(self) -> str:
        return f"{100 * self.target:.10g} % in {format_duration(self.window_ns)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """What an incident cost the service in question.

    Args:
        duration_ns: From onset to recovery; None while it goes on.
        requests: Between the two; None where no source tells the rate.
        failed: Of them; None where no source tells the error rate.
        usual_failed: As many as would have failed of them on an ordinary day.
        worst_share: Failed requests of all in the minute in which most of them failed.
        worst_ns: When that minute begins.
        slo: The objective that was given.
        open_because: Why it has no duration; empty where it has one.
        budget_share: How much of the error budget of its whole window the failed requests used, 1 is all of it; the
            window's requests are taken at the rate that was usual before.
    """

    duration_ns: int | None = None
    requests: float | None = None
    failed: float | None = None
    usual_failed: float | None = None
    worst_share: float | None = None
    worst_ns: int | None = None
    slo: Slo | None = None
    budget_share: float | None = None
    open_because: str = ""

    @property
    def share(self) -> float | None:
        """Failed requests of all."""
        return self.failed / self.requests if self.requests and self.failed is not None else None

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {**asdict(self), "slo": str(self.slo) if self.slo else None}

    def facts(self, zone: str = "UTC") -> list[tuple[str, str]]:
        """Names and values for people.

        Args:
            zone: IANA name of the zone in which times are written.
        """
        length = None if self.duration_ns is None else seconds_text(self.duration_ns / SECOND)
        told = [("Duration", length or self.open_because or "not known")]
        if self.requests is None:
            told.append(("Requests", "not known: no source tells how many there were"))
        else:
            told.append(("Requests in that time", _count(self.requests)))
        if self.failed is None and self.requests is not None:
            told.append(("Failed requests", "not known: no source tells the error rate"))
        if self.failed is not None:
            share = f" ({format_value(self.share, '1')})" if self.share is not None else ""
            usual = f"; about {_count(self.usual_failed)} in an ordinary time" if self.usual_failed is not None else ""
            told.append(("Failed requests", f"{_count(self.failed)}{share}{usual}"))
        if self.worst_share is not None:
            told.append(("Worst minute", self._worst_text(zone)))
        if self.slo is not None:
            told.append(("Objective", f"{100 * self.slo.target:.10g} % of requests succeed over {self._window()}"))
        if self.budget_share is not None:
            told.append(("Error budget used", self.budget_text()))
        return told

    def failed_text(self, zone: str = "UTC") -> str:
        """How many requests failed, of how many, the worst minute, and how many would have failed anyway."""
        share = f" ({format_value(self.share, '1')})" if self.share is not None else ""
        of = f" of {_count(self.requests)}" if self.requests is not None else ""
        told = [f"{_count(self.failed)}{of} requests failed{share}"]
        if self.usual_failed is not None and self.failed is not None and self.failed <= self.usual_failed:
            return f"{told[0]}, no more than in an ordinary time (about {_count(self.usual_failed)})"
        if self.worst_share is not None:
            told.append(f"in the worst minute {self._worst_text(zone)}")
        if self.usual_failed is not None:
            usual = f"about {_count(self.usual_failed)}" if round(self.usual_failed) else "hardly any"
            told.append(f"in an ordinary time {usual} would have")
        return "; ".join(told)

    def _worst_text(self, zone: str) -> str:
        long = self.duration_ns is None or self.duration_ns >= DAY
        when = "" if self.worst_ns is None else f" at {clock_text(self.worst_ns // MS, zone, day=long)}"
        return f"{format_value(self.worst_share or 0.0, '1')}{when}"

    def budget_text(self) -> str:
        """How much of the error budget they used: "3.17 % of the error budget of 30 d"."""
        return f"{format_value(self.budget_share or 0.0, '1')} of the error budget of {self._window()}"

    def _window(self) -> str:
        return "" if self.slo is None else seconds_text(self.slo.window_ns / SECOND)


def impact_of(enriched: Enriched, slo: Slo | None = None) -> Impact:
    """Count what an incident cost from the rate of requests and the error rate of its service.

    Each point counts for the time to the next one. Where the incident goes on, it is counted until the data ends.

    Args:
        enriched: What was gathered.
        slo: The service's objective, where there is one.
    """
    incident = enriched.incident
    end_ns = incident.end_ns
    span = (incident.start_ns, incident.windows["metrics"].end_ns if end_ns is None else end_ns)
    rate, errors = (_series(enriched, measure) for measure in ("throughput", "error_rate"))
    requests = failed = usual_failed = budget = None
    worst: tuple[float, int] | None = None
    if rate is not None:
        during = _within(rate, span)
        requests = _integral(during, span[1])
        if errors is not None and len(during):
            failing = during * errors.reindex(during.index, method="nearest").to_numpy()
            failed = _integral(failing, span[1])
            worst = _worst(during, failing)
            usual = errors[errors.index < span[0]]
            usual_failed = float(np.nanmedian(usual)) * requests if len(usual.dropna()) else None
            budget = _budget(rate[rate.index < span[0]], failed, slo)
    return Impact(
        duration_ns=None if end_ns is None else end_ns - incident.start_ns,
        open_because="" if end_ns is not None else incident.end_because,
        requests=requests,
        failed=failed,
        usual_failed=usual_failed,
        worst_share=None if worst is None else worst[0],
        worst_ns=None if worst is None else worst[1],
        slo=slo,
        budget_share=budget,
    )


def _series(enriched: Enriched, measure: str) -> pd.Series[float] | None:
    """A measure of the service by nanoseconds, without the points that are no numbers."""
    frame = enriched.metrics
    if frame.empty:  # without rows there may be no columns either
        return None
    own = frame[(frame["metric"] == measure) & (frame["service"] == enriched.service)]
    if own.empty:
        return None
    index = own["timestamp"].astype("int64").to_numpy()
    series = pd.Series(own["value"].to_numpy(dtype=np.float64), index=index)
    found = series[np.isfinite(series)].groupby(level=0).sum().sort_index()
    return found if len(found) else None


def _within(series: pd.Series[float], span: tuple[int, int]) -> pd.Series[float]:
    return series[(series.index >= span[0]) & (series.index < span[1])]


def _integral(rates: pd.Series[float], end_ns: int) -> float:
    """Of a rate a second, each point until the next."""
    times: Array = np.append(rates.index.to_numpy(dtype=np.int64), end_ns)
    return float(np.sum(rates.to_numpy() * np.diff(times) / SECOND)) if len(rates) else 0.0


def _worst(rates: pd.Series[float], failing: pd.Series[float]) -> tuple[float, int] | None:
    """The largest share of requests that failed within one minute, and when it begins; None where none failed."""
    minutes, places = np.unique(rates.index.to_numpy(dtype=np.int64) // MINUTE, return_inverse=True)
    every, failed = (np.bincount(places, weights=one.to_numpy(dtype=np.float64)) for one in (rates, failing))
    shares: Array = np.divide(failed, every, out=np.zeros_like(failed), where=every > 0)
    worst = int(np.argmax(shares))
    return (float(shares[worst]), int(minutes[worst]) * MINUTE) if shares[worst] > 0 else None


def _budget(before: pd.Series[float], failed: float, slo: Slo | None) -> float | None:
    if slo is None or before.empty:
        return None
    allowed = (1 - slo.target) * float(np.median(before)) * slo.window_ns / SECOND
    return failed / allowed if allowed > 0 else None


def _count(number: float | None) -> str:
    return "unknown" if number is None else f"{round(number):,}"
