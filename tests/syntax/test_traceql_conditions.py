"""Conditions in words as TraceQL, alone and beside a query."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.traceql_grammar import queries, texts

from obs_magics.model.errors import QueryError, UsageError
from obs_magics.syntax.traceql import combined, conditions_query, is_metrics, parse, tree, write

SLOW = conditions_query(service="api", min_duration_ns=5 * 10**9)


@pytest.mark.parametrize(
    ("conditions", "text"),
    [
        ({}, "{ }"),
        ({"service": "checkout-api"}, '{ resource.service.name = "checkout-api" }'),
        ({"service": 'a"b\\'}, '{ resource.service.name = `a"b\\` }'),
        ({"operation": "GET /:id"}, '{ span:name = "GET /:id" }'),
        ({"status": "error"}, "{ span:status = error }"),
        ({"status": "ok"}, "{ span:status != error }"),
        ({"min_duration_ns": 0, "max_duration_ns": 1_500_000}, "{ span:duration >= 0s && span:duration <= 1.5ms }"),
        (
            {"service": "a", "operation": "b", "status": "error", "min_duration_ns": 10**9},
            '{ resource.service.name = "a" && span:name = "b" && span:status = error && span:duration >= 1s }',
        ),
        ({"attributes": [("http.method", "GET")]}, '{ .http.method = "GET" }'),
        ({"attributes": [(".http.method", "GET")]}, '{ .http.method = "GET" }'),
        ({"attributes": [("span.http.status_code", 500)]}, "{ span.http.status_code = 500 }"),
        ({"attributes": [("resource.a", 1.5), ("b", True)]}, "{ resource.a = 1.5 && .b = true }"),
        ({"attributes": [("code", "500")]}, '{ .code = "500" || .code = 500 }'),
        ({"attributes": [("a", "x"), ("code", "-5")]}, '{ .a = "x" && (.code = "-5" || .code = -5) }'),
        ({"attributes": [("ratio", "0.5")]}, '{ .ratio = "0.5" || .ratio = 0.5 }'),
        ({"attributes": [("cached", "false")]}, '{ .cached = "false" || .cached = false }'),
        ({"attributes": [("x y", "1e5")]}, '{ ."x y" = "1e5" }'),
        ({"attributes": [("parent.a", "x")]}, '{ .parent.a = "x" }'),
        (
            {"attributes": [("kind", "server"), ("span:status", "unset")]},
            "{ span:kind = server && span:status = unset }",
        ),
        ({"attributes": [("span:id", "0a1b")]}, '{ span:id = "0a1b" }'),
    ],
)
def test_conditions(conditions: Any, text: str) -> None:
    assert conditions_query(**conditions) == text


def test_what_cannot_be_asked() -> None:
    with pytest.raises(UsageError, match="kind cannot be sever") as caught:
        conditions_query(attributes=[("kind", "sever")])
    assert caught.value.hint == "did you mean server?"
    with pytest.raises(UsageError, match="status cannot be zzzzzzz"):
        conditions_query(attributes=[("status", "zzzzzzz")])
    with pytest.raises(QueryError, match="invalid character NUL"):
        conditions_query(attributes=[("a\x00", "x")])


@given(texts, texts, st.integers(0, 2**62), st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=9), texts)
def test_any_text_can_be_asked_for(service: str, operation: str, duration: int, name: str, value: str) -> None:
    text = conditions_query(
        service=service, operation=operation, min_duration_ns=duration, attributes=[(f"span.{name}", value)]
    )
    assert write(parse(text)) == text
    assert text.startswith("{ resource.service.name = ")


COND = '{ resource.service.name = "api" && span:duration >= 5s }'
INNER = COND[2:-2]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", COND),
        (" \n", COND),
        ("{ .a }", f"{{ .a }} && {COND}"),
        ("{ .a } || { .b }", f"{{ .a }} || {{ .b }} && {COND}"),
        ("{ .a } >> { .b }", f"{{ .a }} >> {{ .b }} && {COND}"),
        ("{ .a } | select(.b) with(most_recent=true)", f"{{ .a }} && {COND} | select(.b) with (most_recent=true)"),
        ("{ .a } | count() > 2", f"({{ .a }} | count() > 2) && ({COND})"),
        ("by(.a) | count() > 2", f"(by(.a) | count() > 2) && ({COND})"),
        ("({ .a } | by(.b)) && ({ .c })", f"({{ .a }} | by(.b)) && ({{ .c }}) && ({COND})"),
        ("{ } | rate()", f"{{ {INNER} }} | rate()"),
        ("{ .a || .b } | rate() | topk(5)", f"{{ .a || .b && ({INNER}) }} | rate() | topk(5)"),
        ("{ .a } >> { .b } | rate()", f"{{ .a }} >> {{ .b && ({INNER}) }} | rate()"),
        ("{ .a } && { .b } | rate()", f"{{ .a && ({INNER}) }} && {{ .b && ({INNER}) }} | rate()"),
        ("{ .a } &< { .b } | rate()", f"{{ .a && ({INNER}) }} &< {{ .b && ({INNER}) }} | rate()"),
        ("by(.a) | rate()", f"{COND} | by(.a) | rate()"),
        (
            "100 * ({ .a } | rate()) / (({ } | rate()) + 1)",
            f"100 * ({{ .a && ({INNER}) }} | rate()) / (({COND} | rate()) + 1)",
        ),
    ],
)
def test_a_query_and_conditions(text: str, found: str) -> None:
    assert combined(text, SLOW) == found
    assert parse(found).stages


def test_no_conditions_leave_a_query_as_it_is() -> None:
    assert combined("{  .a  }", conditions_query()) == "{  .a  }"
    assert combined("", conditions_query()) == "{ }"


def test_a_wrong_query_is_refused() -> None:
    with pytest.raises(QueryError, match="unknown identifier: foo"):
        combined("{ foo }", SLOW)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(queries)
def test_conditions_fit_beside_every_query(query: tree.Pipeline) -> None:
    both = parse(combined(write(query), SLOW))
    assert is_metrics(both) == is_metrics(query)
    assert both.hints == query.hints
    assert INNER.split(" && ")[0] in write(both)
