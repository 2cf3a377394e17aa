"""Hand-made frames with something unusual in them: series, what is expected, what was found, and what happened."""

from __future__ import annotations

import numpy as np
import pandas as pd

from obs_magics.display.anomalies.multiples import Looked
from obs_magics.model.anomalies import Anomaly, Kind, Severity, anomalies_frame
from obs_magics.model.events import Event, EventKind, events_frame
from obs_magics.model.series import short_names, split_series
from support.metrics_frames import SECOND, START, regular

MINUTE = 60 * SECOND
NOW = START + 120 * MINUTE
UNITS = {"latency_p99": "s", "error_rate": "1", "throughput": "{request}/s", "cpu_usage": "1"}
_METHOD = "level against the 7 d before, daily rhythm removed"


def _wave(level: float, *, swing: float = 0.1) -> np.ndarray:
    noise = np.random.default_rng(2).normal(size=120)
    return level * (1 + swing * np.sin(np.arange(120) / 19) + 0.03 * noise)


def shop() -> pd.DataFrame:
    """Two hours of payment-api: slow from minute 45 to 80, failing from 53, more traffic from 44 on."""
    latency, errors, traffic, cpu = _wave(0.4), _wave(0.001, swing=0), _wave(400), _wave(0.4)
    latency[45:80] = 2.3
    errors[53:58], errors[58:78] = 0.12, 0.03
    traffic[44:] *= 1.4
    cpu[70] = 0.99
    values = zip(UNITS, (latency, errors, traffic, cpu), strict=True)
    return regular([({"__name__": name, "service": "payment-api"}, one) for name, one in values])


def expected() -> pd.DataFrame:
    """What would have been normal of each of them."""
    times = pd.DatetimeIndex(START + np.arange(120) * MINUTE, tz="UTC")
    levels = dict(zip(UNITS, (_wave(0.4), _wave(0.001, swing=0), _wave(400), _wave(0.4)), strict=True))
    parts = [
        pd.DataFrame(
            {
                "timestamp": times,
                "series": name,
                "value": level,
                "expected_low": level * 0.85,
                "expected_high": level * 1.15,
            }
        )
        for name, level in levels.items()
    ]
    return pd.concat(parts, ignore_index=True)


def odd(
    series: str,
    minutes: tuple[int, int],
    kind: Kind,
    figures: tuple[float, float, float],
    severity: Severity,
    *,
    score: float = 9.0,
    ongoing: bool = False,
    metric: str = "",
    service: str = "",
) -> Anomaly:
    """An anomaly; minutes count from the start, figures are the value and the expected range."""
    value, low, high = figures
    return Anomaly(
        series=series,
        metric=metric,
        labels={"service": service} if service else {},
        start_ns=START + minutes[0] * MINUTE,
        end_ns=START + minutes[1] * MINUTE,
        kind=kind,
        value=value,
        expected_low=low,
        expected_high=high,
        score=score,
        severity=severity,
        detection_method=_METHOD,
        ongoing=ongoing,
    )


def looked(frame: pd.DataFrame, normal: pd.DataFrame | None = None) -> list[Looked]:
    """The series of a frame as they are drawn."""
    series = split_series(frame)
    return [Looked(one.metric, name, one, normal) for name, one in zip(short_names(series), series, strict=True)]


def found() -> pd.DataFrame:
    """What is unusual in the shop."""
    of = {"service": "payment-api"}
    return anomalies_frame(
        [
            odd("latency_p99", (45, 79), "level_shift", (2.31, 0.36, 0.45), "critical", metric="latency_p99", **of),
            odd("error_rate", (53, 77), "spike", (0.12, 0.0007, 0.0013), "high", metric="error_rate", **of),
            odd("cpu_usage", (70, 70), "spike", (0.99, 0.3, 0.5), "low", metric="cpu_usage", **of),
            odd(
                "throughput",
                (44, 119),
                "level_shift",
                (590.0, 380.0, 440.0),
                "medium",
                ongoing=True,
                metric="throughput",
                **of,
            ),
        ]
    )


_HAPPENED: tuple[tuple[int, EventKind, str | None, str], ...] = (
    (28, "deployment", "recommendation-service", "recommendation-service@v5.0.3: new ranking"),
    (42, "deployment", "payment-api", "payment-api@v2.4.1: refund reasons"),
    (43, "config_change", "payment-api", "redis pool: max connections 100 → 20"),
    (44, "annotation", None, 'Campaign "Early Black Friday" starts'),
    (56, "alert", "payment-api", "p99 of payment-api is above 1 s"),
)


def happened() -> pd.DataFrame:
    """Deployments, a config change, an alert, around the same time."""
    return events_frame(
        [
            Event(start_ns=START + minute * MINUTE, kind=kind, service=service or "", title=title, source="test")
            for minute, kind, service, title in _HAPPENED
        ]
    )


_REASON = "at the service itself; the only one like it in 7 days"


def causes() -> pd.DataFrame:
    """Which of them have to do with the latency."""
    rows = [
        ("latency_p99", 45, 43, "config_change", "redis pool: max connections 100 → 20", "payment-api", 0.91),
        ("latency_p99", 45, 42, "deployment", "payment-api@v2.4.1: refund reasons", "payment-api", 0.7),
    ]
    return pd.DataFrame(
        [
            {
                "anomaly": series,
                "start": pd.Timestamp(START + start * MINUTE, tz="UTC"),
                "event_type": kind,
                "event": title,
                "event_time": pd.Timestamp(START + at * MINUTE, tz="UTC"),
                "service": service,
                "time_offset": pd.Timedelta((at - start) * MINUTE, unit="ns"),
                "confidence": confidence,
                "reason": f"{kind} {start - at} min before the onset; {_REASON}",
            }
            for series, start, at, kind, title, service, confidence in rows
        ]
    )


def moved() -> pd.DataFrame:
    """What moved with the latency."""
    return pd.DataFrame(
        {
            "series": ["error_rate", "throughput", "cpu_usage"],
            "correlation": [0.81, 0.52, -0.4],
            "lag": pd.to_timedelta([480, -60, 0], unit="s"),
            "p_value": [1e-9, 0.0004, 0.01],
            "q_value": [1e-8, 0.002, 0.03],
        }
    )
