"""Bodies of traces as Jaeger and OTLP write them, made up deterministically, and how fast they become frames.

Every span has attributes of its own (ids, addresses, statements), some with quotation marks in them, so that nothing
can be gained by remembering values.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
import pandas as pd

from obs_magics.syntax.spans import read_jaeger, read_otlp

START_NS = 1_795_356_000_000_000_000
SPANS = 100  # of each trace
_SERVICES = tuple(f"service-{number}" for number in range(20))
_NAMES = ("GET /cart", "POST /charge", "SELECT shop.stock", "orders process")
_KINDS = ("internal", "server", "client", "producer", "consumer")
_TYPES = {"string": "stringValue", "int64": "intValue", "float64": "doubleValue", "bool": "boolValue"}
_RUNS = 5


def jaeger_body(traces: int = 400, seed: int = 7) -> bytes:
    """An answer of Jaeger's legacy API; tags have their types."""
    found = [_jaeger_trace(spans) for spans in _traces(traces, seed)]
    return json.dumps({"data": found, "total": traces, "errors": None}, separators=(",", ":")).encode()


def otlp_body(traces: int = 400, seed: int = 7) -> bytes:
    """The same spans as OTLP JSON: one block per service of each trace."""
    blocks = []
    for spans in _traces(traces, seed):
        for service in _SERVICES:
            own = [_otlp_span(span) for span in spans if span["service"] == service]
            if own:
                resource = {
                    "attributes": [_pair("service.name", "string", service), _pair("k8s.pod.name", "string", service)]
                }
                scope = {"scope": {"name": "made.up", "version": "1.0"}, "spans": own}
                blocks.append({"resource": resource, "scopeSpans": [scope]})
    return json.dumps({"resourceSpans": blocks}, separators=(",", ":")).encode()


def run(quick: bool) -> dict[str, Any]:
    """Measure both formats; `ratio` is the time to a frame over that of `orjson.loads`, `gain` that of a plain loop."""
    traces = 120 if quick else 400  # below some 7 MB orjson works in the cache, which no real answer fits into
    return {
        "otlp": _measure(otlp_body(traces), lambda body: read_otlp(body).frame(), otlp_loop),
        "jaeger": _measure(jaeger_body(traces), lambda body: read_jaeger(body).frame(), jaeger_loop),
    }


def otlp_loop(body: bytes) -> pd.DataFrame:
    """What one would write in a notebook for the same columns: a row of a dictionary per span."""
    rows = []
    for block in json.loads(body)["resourceSpans"]:
        resource = {pair["key"]: _text(pair["value"]) for pair in block["resource"]["attributes"]}
        for scope in block["scopeSpans"]:
            lent = {
                **resource,
                "otel.scope.name": scope["scope"]["name"],
                "otel.scope.version": scope["scope"]["version"],
            }
            for span in scope["spans"]:
                start = int(span["startTimeUnixNano"])
                own = {pair["key"]: _text(pair["value"]) for pair in span["attributes"]}
                row = {
                    "trace_id": span["traceId"].zfill(32),
                    "span_id": span["spanId"].zfill(16),
                    "parent_id": span.get("parentSpanId") or None,
                    "service": resource["service.name"],
                    "operation": span["name"],
                    "kind": _KINDS[span["kind"] - 1],
                    "start": pd.Timestamp(start, unit="ns", tz="UTC"),
                    "duration": pd.Timedelta(int(span["endTimeUnixNano"]) - start, unit="ns"),
                    "status": ("unset", "ok", "error")[span["status"].get("code", 0)],
                    "status_message": span["status"].get("message"),
                    "attributes": {**lent, **own},
                }
                rows.append(row)
    return pd.DataFrame(rows)


def jaeger_loop(body: bytes) -> pd.DataFrame:
    """Likewise."""
    rows = []
    for trace in json.loads(body)["data"]:
        for span in trace["spans"]:
            process = trace["processes"][span["processID"]]
            lent = {tag["key"]: _written(tag["value"]) for tag in process["tags"]}
            own = {tag["key"]: _written(tag["value"]) for tag in span["tags"]}
            row = {
                "trace_id": span["traceID"].zfill(32),
                "span_id": span["spanID"].zfill(16),
                "parent_id": next((one["spanID"] for one in span["references"] if one["refType"] == "CHILD_OF"), None),
                "service": process["serviceName"],
                "operation": span["operationName"],
                "kind": own.pop("span.kind", None),
                "start": pd.Timestamp(span["startTime"], unit="us", tz="UTC"),
                "duration": pd.Timedelta(span["duration"], unit="us"),
                "status": "error" if own.pop("error", None) == "true" else "unset",
                "status_message": own.pop("otel.status_description", None),
                "attributes": {**lent, "service.name": process["serviceName"], **own},
            }
            rows.append(row)
    return pd.DataFrame(rows)


def _measure(body: bytes, ours: Callable[[bytes], Any], loop: Callable[[bytes], Any]) -> dict[str, Any]:
    """CPU seconds, best of several runs.

    The garbage collector is off where orjson is compared, since it costs a parser of dictionaries most; it is on, as in
    every notebook, where the loop is.
    """
    rows = len(ours(body))
    gc.collect()
    gc.disable()
    try:
        quick = {"orjson": _best(lambda: orjson.loads(body), _RUNS), "ours": _best(lambda: ours(body), _RUNS)}
    finally:
        gc.enable()
    usual = {"ours_usual": _best(lambda: ours(body), _RUNS), "loop": _best(lambda: loop(body), 2)}
    return {
        "megabytes": round(len(body) / 1e6, 1),
        "spans": rows,
        "seconds": {name: round(value, 4) for name, value in {**quick, **usual}.items()},
        "ratio": round(quick["ours"] / quick["orjson"], 2),
        "gain": round(usual["loop"] / usual["ours_usual"], 1),
    }


def _best(work: Callable[[], Any], runs: int) -> float:
    found = []
    for _ in range(runs):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)


def _traces(traces: int, seed: int) -> list[list[dict[str, Any]]]:
    random = np.random.default_rng(seed)
    return [[_span(random, number, place) for place in range(SPANS)] for number in range(traces)]


def _span(random: np.random.Generator, trace: int, place: int) -> dict[str, Any]:
    a, b, c = (int(number) for number in random.integers(0, 1 << 62, 3))
    return {
        "trace": f"{trace + 1:032x}",
        "span": f"{trace * SPANS + place + 1:016x}",
        "parent": f"{trace * SPANS + a % place + 1:016x}" if place else "",
        "service": _SERVICES[b % len(_SERVICES)],
        "name": _NAMES[c % len(_NAMES)],
        "kind": a % len(_KINDS),
        "start_us": START_NS // 1000 + trace * 1_000_000 + place * 1_000,
        "duration_us": b % 900_000,
        "failed": c % 20 == 0,
        "tags": [
            ("http.request.method", "string", "GET"),
            ("http.response.status_code", "int64", 500 if c % 20 == 0 else 200),
            ("url.full", "string", f"https://shop.example/cart/{a:x}?item={b}"),
            ("request.id", "string", f"{a:016x}{b:016x}"),
            ("user.id", "int64", c),
            ("db.statement", "string", f"SELECT * FROM \"stock\" WHERE sku = '{b:x}' AND qty > {a % 100}"),
            ("cache.hit", "bool", bool(a % 2)),
            ("cache.ratio", "float64", a / (1 << 62)),
        ],
    }  # fmt: skip


def _jaeger_trace(spans: list[dict[str, Any]]) -> dict[str, Any]:
    services = sorted({span["service"] for span in spans})
    processes = {
        f"p{_SERVICES.index(service)}": {"serviceName": service, "tags": [_tag("k8s.pod.name", "string", service)]}
        for service in services
    }
    return {"traceID": spans[0]["trace"], "spans": [_jaeger_span(span) for span in spans], "processes": processes}


def _jaeger_span(span: dict[str, Any]) -> dict[str, Any]:
    parent = {"refType": "CHILD_OF", "traceID": span["trace"], "spanID": span["parent"]}
    tags = [*span["tags"], ("span.kind", "string", _KINDS[span["kind"]])]
    tags += [("error", "bool", True)] if span["failed"] else []
    return {
        "traceID": span["trace"],
        "spanID": span["span"],
        "operationName": span["name"],
        "references": [parent] if span["parent"] else [],
        "startTime": span["start_us"],
        "duration": span["duration_us"],
        "tags": [_tag(*tag) for tag in tags],
        "logs": [],
        "processID": f"p{_SERVICES.index(span['service'])}",
        "warnings": None,
    }


def _otlp_span(span: dict[str, Any]) -> dict[str, Any]:
    return {
        "traceId": span["trace"],
        "spanId": span["span"],
        "parentSpanId": span["parent"],
        "name": span["name"],
        "kind": span["kind"] + 1,
        "startTimeUnixNano": str(span["start_us"] * 1000),
        "endTimeUnixNano": str((span["start_us"] + span["duration_us"]) * 1000),
        "attributes": [_pair(*tag) for tag in span["tags"]],
        "status": {"code": 2} if span["failed"] else {},
    }


def _tag(key: str, kind: str, value: Any) -> dict[str, Any]:
    """An int64 that JavaScript could not hold is a text."""
    return {"key": key, "type": kind, "value": str(value) if kind == "int64" and value > 2**53 else value}


def _pair(key: str, kind: str, value: Any) -> dict[str, Any]:
    return {"key": key, "value": {_TYPES[kind]: str(value) if kind == "int64" else value}}


def _text(value: dict[str, Any]) -> str:
    return next((_written(content) for content in value.values()), "")


def _written(content: Any) -> str:
    return {True: "true", False: "false"}[content] if isinstance(content, bool) else str(content)
