"""Every recorded exchange with Prometheus 2.42, 3.12 and VictoriaMetrics, through the public surface of the source."""

from __future__ import annotations

import dataclasses
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.prometheus_api import check_request, question, source_at, specification
from support.recordings import Recording, Seen, load, replay

from obs_magics.adapters.prometheus.source import PrometheusSource
from obs_magics.model.errors import BadAnswer, LimitExceeded, ObsError, QueryError, SourceTimeout
from obs_magics.model.frames import check_metrics, label_column
from obs_magics.model.sources import Answer, CatalogSource, MetricsSource

pytestmark = pytest.mark.contract

FOLDERS = ("prometheus", "prometheus-3", "prometheus-limited", "victoria-metrics")

# What each recording is for, by its name without the number.
FRAME = [
    "query-vector",
    "query-vector-rfc3339",
    "query-scalar",
    "query-empty",
    "query-range-selector-matrix",
    "range-p99",
    "range-step-duration",
    "range-empty",
    "range-gaps",
    "range-nan",
    "range-0-div-0",
    "error-dup-labelset",
    "range-stats-all",
    "query-lookback-delta",
    "query-double-count-after-deploy",
    "query-offset-at",
    "query-absent",
    "query-topk-names-dropped",
    "native-histogram-instant",
    "native-histogram-vector",
    "native-histogram-rate",
    "native-histogram-quantile",
    "native-histogram-mixed",
    "native-histogram-range",
    "native-histogram-last-over-time",
    "stale-and-special-values",
    "stale-gone-instant",
    "alerts-series-range",
    "query-subquery",
    "range-step-unaligned",
    "range-nan-inf",
    "native-histogram-avg",
    "native-histogram-plus-float",
    "warning-bucket-monotonicity",
    "info-rate-of-gauge",
    "info-mixed",
    "utf8-label-value",
    "query-3x-left-open",
    "range-post-form",
    "range-no-start",
    "query-limit-param",
    "prometheus-prefix",
    "metricsql-range-median",
    "nocache",
    "extra-label",
]
ERRORS: dict[str, type[ObsError]] = {
    "query-string": QueryError,
    "range-11000-ok": BadAnswer,  # the recorder cut these bodies
    "gzip-accept": BadAnswer,
    "metricsql-only": BadAnswer,
    "range-11001-too-many": LimitExceeded,
    "range-step-zero": QueryError,
    "range-end-before-start": QueryError,
    "error-unknown-function": QueryError,
    "error-empty-query": QueryError,
    "error-many-to-many": QueryError,
    "error-matches-everything": QueryError,
    "error-timeout": SourceTimeout,
    "error-bad-time": QueryError,
    "error-parse": QueryError,
    "too-many-samples": LimitExceeded,
    "too-many-samples-instant": QueryError,
    "bad-json-body": QueryError,
    "not-found": BadAnswer,
    "rules-unreachable-path": BadAnswer,
}
# A different answer by server: an error in one, points in another.
MIXED: dict[str, type[ObsError]] = {
    "range-no-step": QueryError,
    "error-rate-of-instant": QueryError,
    "long-post": LimitExceeded,
}
MIXED_METHOD = "method-not-allowed"  # 405 from Prometheus; VictoriaMetrics takes it for an empty query
LABELS = ("labels", "labels-match", "labels-limit")
VALUES = (
    "label-values-service", "label-values-name", "label-values-unknown", "label-values-invalid",
    "label-values-no-range", "label-values-limit", "utf8-label-name-escaped",
)  # fmt: skip
SERIES = ("series", "series-two-matchers", "series-no-match", "series-empty", "series-limit")
METADATA = ("metadata", "metadata-metric")
HEALTH = ("status-buildinfo",)
UNUSED = {
    "long-get-url": "the recorder's own client refused the URL; we send forms",
    "head-query": "we do not send HEAD",
    "options-cors": "we do not send OPTIONS",
    "export": "raw samples are asked for by range selectors",
    "export-nan": "raw samples are asked for by range selectors",
    "export-csv": "raw samples are asked for by range selectors",
    "query-exemplars": "exemplars come with traces",
    "query-exemplars-empty": "exemplars come with traces",
    "federate": "not an API for questions",
    "scrape-metrics": "not an API for questions",
    "remote-read-bad": "remote read is not used",
} | dict.fromkeys(
    [
        "status-tsdb",
        "format-query",
        "rules-bad-type",
        "targets",
        "targets-metadata",
        "alertmanagers",
        "ready",
        "healthy",
        "features",
        "openapi",
        "parse-query",
        "status-tsdb-blocks",
        "search-metric-names",
        "health",
        "rules",
        "alerts",
        "active-queries",
    ],
    "an endpoint that this adapter does not ask",
)


def all_recordings() -> list[Any]:
    root = Path(__file__).resolve().parents[3] / "shared" / "contracts" / "recordings"
    return [
        pytest.param(folder, item, id=f"{folder}-{item.file.removesuffix('.json')}")
        for folder in FOLDERS
        for item in (load(root / folder) if root.is_dir() else ())
    ]


def of_kind(*names: str) -> list[Any]:
    return [item for item in all_recordings() if kind_of(item.values[1].file) in names]


def kind_of(file: str) -> str:
    return re.sub(r"^\d+-|\.json$", "", file)


def test_every_recording_is_accounted_for(shared: Path) -> None:
    listed = {*FRAME, *ERRORS, *MIXED, MIXED_METHOD, *LABELS, *VALUES, *SERIES, *METADATA, *HEALTH, *UNUSED}
    files = [path for folder in FOLDERS for path in (shared / "contracts/recordings" / folder).glob("*.json")]
    assert {kind_of(path.name) for path in files} == listed


@pytest.fixture
def build_info(shared: Path) -> Any:
    """The build information of one folder's server."""

    def find(folder: str) -> Recording:
        name = "prometheus" if folder == "prometheus-limited" else folder
        found = load(shared / "contracts/recordings" / name)
        return next(item for item in found if kind_of(item.file) == "status-buildinfo")

    return find


async def ask(folder: str, item: Recording, build: Recording) -> tuple[Answer, list[Seen]]:
    path = item.path if item.path.endswith(("/query", "/query_range")) and "v2" not in item.path else "/api/v1/query"
    prefix = path.partition("/api/v1")[0]
    parameters = item.parameters
    text = str(parameters.get("query") or "")
    at = parameters.get("time", 1_795_357_500)
    instant = path.endswith("/query")
    start, end = (float(parameters.get(key, 1_795_356_000)) for key in ("start", "end"))
    end = float(at) if instant and isinstance(at, int | float) else max(start, end)
    asked = question(text, end if instant else start, end, instant=instant)
    with replay({path: item, f"{prefix}/api/v1/status/buildinfo": build}) as (url, seen):
        async with source_at(url + prefix) as source:
            assert isinstance(source, MetricsSource)
            assert isinstance(source, CatalogSource)
            return await source.metrics(asked), seen


def rows_of(body: bytes) -> list[tuple[Any, ...]]:
    """Series (sorted labels), nanoseconds, value or histogram of every point, read with the standard library."""
    data = json.loads(body, parse_float=Decimal, parse_int=Decimal)["data"]
    if data["resultType"] == "scalar":
        data["result"] = [{"metric": {}, "value": data["result"]}]
    found = []
    for series in data["result"]:
        labels = tuple(sorted(series["metric"].items()))
        pairs = [*series.get("values", ()), *([series["value"]] if "value" in series else ())]
        found += [(labels, int(time * 10**9), float(value), None) for time, value in pairs]
        pairs = [*series.get("histograms", ()), *([series["histogram"]] if "histogram" in series else ())]
        found += [(labels, int(time * 10**9), np.nan, float(value["count"])) for time, value in pairs]
    return found


def frame_rows(frame: pd.DataFrame, names: set[str]) -> list[tuple[Any, ...]]:
    columns = {name: frame["metric" if name == "__name__" else label_column(name)].tolist() for name in sorted(names)}
    histograms = frame["histogram"].tolist() if "histogram" in frame else [None] * len(frame)
    times, values = frame["timestamp"].astype("int64").tolist(), frame["value"].tolist()
    return [
        (
            tuple((name, column[row]) for name, column in columns.items() if pd.notna(column[row])),
            times[row],
            values[row],
            histograms[row]["count"] if isinstance(histograms[row], dict) else None,
        )
        for row in range(len(frame))
    ]


@pytest.mark.parametrize(("folder", "item"), of_kind(*FRAME))
async def test_answers_become_frames(folder: str, item: Recording, build_info: Any, shared: Path) -> None:
    answer, seen = await ask(folder, item, build_info(folder))
    check_metrics(answer.frame)
    expected = rows_of(item.body)
    names = {name for labels, *_ in expected for name, _ in labels}
    np.testing.assert_equal(frame_rows(answer.frame, names), expected)
    told = json.loads(item.body)
    assert answer.warnings == (*told.get("warnings", ()), *told.get("infos", ()))
    assert not answer.failed
    for request in seen:
        if not request.path.endswith("/metrics"):
            plain = [pair for pair in request.parameters if pair[0] != "nocache"]
            path = request.path.removeprefix("/prometheus")
            check_request(
                specification(shared / "contracts/specs/prometheus_3.1.yaml"),
                dataclasses.replace(
                    request, parameters=_without_start(plain) if folder == "victoria-metrics" else plain, path=path
                ),
            )


def _without_start(parameters: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [pair for pair in parameters if pair != ("start", "0")]


@pytest.mark.parametrize(("folder", "item"), of_kind(*ERRORS, *MIXED, MIXED_METHOD))
async def test_refusals_become_errors(folder: str, item: Recording, build_info: Any) -> None:
    kind = kind_of(item.file)
    if item.status == 200 and kind in MIXED:
        answer, _ = await ask(folder, item, build_info(folder))
        assert len(answer.frame) == len(rows_of(item.body))
        return
    expected = {**ERRORS, **MIXED}.get(kind) or (BadAnswer if item.status == 405 else QueryError)
    with pytest.raises(expected) as caught:
        await ask(folder, item, build_info(folder))
    error = caught.value
    assert type(error) is expected
    assert error.where.startswith("prom (http://127.0.0.1:")
    assert error.hint, str(error)
    assert len(str(error).splitlines()) <= 5


async def catalog_of(item: Recording, build: Recording, ask: Any) -> Any:
    answers = {item.path: item, "/api/v1/status/buildinfo": build}
    with replay(answers) as (url, seen):
        async with source_at(url) as source:
            found = await ask(source)
    assert seen[-1].path == item.path
    return found


@pytest.mark.parametrize(("folder", "item"), of_kind(*LABELS))
async def test_label_names(folder: str, item: Recording, build_info: Any) -> None:
    metric = item.parameters.get("match[]")
    found = await catalog_of(item, build_info(folder), lambda source: source.catalog.label_names(metric))
    assert found == [name for name in json.loads(item.body)["data"] if name != "__name__"]


@pytest.mark.parametrize(("folder", "item"), of_kind(*VALUES))
async def test_label_values(folder: str, item: Recording, build_info: Any) -> None:
    label = item.path.split("/")[4]
    real = {"U__service_2e_name": "service.name"}.get(label, label)
    if label == "bad-name" and folder != "victoria-metrics":  # we send the escaped name, which is legal everywhere
        item = dataclasses.replace(item, path="/api/v1/label/U__bad_2d_name/values")

    async def values(source: PrometheusSource) -> Any:
        return await (source.catalog.metric_names() if real == "__name__" else source.catalog.label_values(real))

    if item.status == 400:
        with pytest.raises(QueryError, match="invalid label name"):
            await catalog_of(item, build_info(folder), values)
    else:
        assert await catalog_of(item, build_info(folder), values) == sorted(json.loads(item.body)["data"])


@pytest.mark.parametrize(("folder", "item"), of_kind(*SERIES))
async def test_series(folder: str, item: Recording, build_info: Any) -> None:
    match = item.parameters.get("match[]", [])
    texts = [match] if isinstance(match, str) else match

    def series(source: PrometheusSource) -> Any:
        return source.catalog.series(texts, "1795341600", "1795363200", 5)

    if item.status == 400 or item.truncated:
        with pytest.raises(BadAnswer if item.truncated else QueryError):
            await catalog_of(item, build_info(folder), series)
    else:
        assert await catalog_of(item, build_info(folder), series) == json.loads(item.body)["data"]


@pytest.mark.parametrize(("folder", "item"), of_kind(*METADATA))
async def test_metadata(folder: str, item: Recording, build_info: Any) -> None:
    known = json.loads(item.body)["data"]
    for name in known or ["http_requests_total"]:
        info = await catalog_of(item, build_info(folder), lambda source, name=name: source.catalog.metric(name))
        assert info.name == name
        assert info.help == (known[name][0]["help"] if known else "")
        assert info.type == (known[name][0]["type"] if known else "counter")


@pytest.mark.parametrize(("folder", "item"), of_kind(*HEALTH))
async def test_health_tells_product_and_version(folder: str, item: Recording) -> None:
    with replay({item.path: item}) as (url, _):
        async with source_at(url) as source:
            health = await source.health()
    expected = {
        "prometheus": "Prometheus 2.42.0",
        "prometheus-3": "Prometheus 3.12-lab",
        "victoria-metrics": "VictoriaMetrics",
    }
    assert health.ok
    assert health.version == expected[folder]
    assert health.seconds > 0
