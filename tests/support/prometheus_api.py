"""What the Prometheus tests share: questions, sources, requests checked against the vendor's spec."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from obs_magics.adapters.prometheus import PrometheusSettings, open_source
from obs_magics.adapters.prometheus.source import PrometheusSource
from obs_magics.model.query import MetricsQuery
from obs_magics.model.time import SECOND, TimeRange
from support.recordings import Seen

START, END = 1_795_356_000, 1_795_359_600


@contextlib.asynccontextmanager
async def source_at(url: str, **settings: Any) -> AsyncIterator[PrometheusSource]:
    """A source for an address, closed at the end."""
    source = open_source("prom", PrometheusSettings(url=url, **settings))
    try:
        yield source
    finally:
        await source.close()


def question(
    text: str,
    start: float = START,
    end: float = END,
    step: float = 15,
    *,
    instant: bool = False,
    limit: int | None = None,
) -> MetricsQuery:
    """A query with times in seconds."""
    span = TimeRange(round(start * 1000) * SECOND // 1000, round(end * 1000) * SECOND // 1000)
    return MetricsQuery(text=text, range=span, step_ns=round(step * SECOND), instant=instant, limit=limit)


@functools.cache
def specification(path: Path) -> Any:
    """The vendor's OpenAPI file."""
    return yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def check_request(spec: Any, seen: Seen) -> None:
    """Fail when a request is not one that the vendor's specification allows."""
    prefix = "/api/v1"
    assert seen.path.startswith(prefix), seen.path
    path = seen.path.removeprefix(prefix)
    template = "/label/{name}/values" if path.startswith("/label/") else path
    operation = spec["paths"][template][seen.method.lower()]
    if seen.method == "POST":
        assert seen.headers["content-type"].startswith("application/x-www-form-urlencoded")
        (content,) = operation["requestBody"]["content"].values()
        schema = _resolved(spec, content["schema"])
        properties, required = schema["properties"], set(schema.get("required", ()))
    else:
        parameters = [item for item in operation.get("parameters", ()) if item["in"] == "query"]
        properties = {item["name"]: item["schema"] for item in parameters}
        required = {item["name"] for item in parameters if item.get("required")}
    given: dict[str, Any] = {}
    for name, value in seen.parameters:
        if name.endswith("[]"):
            given.setdefault(name, []).append(value)
        else:
            assert name not in given, f"{name} is sent twice"
            given[name] = value
    assert required <= given.keys()
    assert given.keys() <= properties.keys(), f"{seen.path} does not take {given.keys() - properties.keys()}"
    for name, value in given.items():
        validator = Draft202012Validator({**properties[name], "components": spec["components"]})
        assert validator.is_valid(value) or validator.is_valid(_typed(value)), f"{name}={value} of {seen.path}"


def _resolved(spec: Any, schema: Any) -> Any:
    return spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _typed(value: Any) -> Any:
    """A form holds texts only; numbers are what the specification calls numbers."""
    if isinstance(value, str) and value.replace(".", "", 1).lstrip("-").isdigit():
        return float(value) if "." in value else int(value)
    return value
