"""What Tempo refuses: its words, the place, and the way out."""

from __future__ import annotations

import pytest

from obs_magics.model.errors import QueryError
from obs_magics.syntax.traceql import parse


def refused(text: str) -> QueryError:
    with pytest.raises(QueryError) as caught:
        parse(text)
    error = caught.value
    assert error.words == f"invalid TraceQL query: {error.message}"
    return error


def marked(text: str, error: QueryError) -> str:
    assert error.position is not None
    return text[error.position : error.position + error.length]


@pytest.mark.parametrize(
    ("text", "words", "place"),
    [
        ("{ status = }", "parse error at line 1, col 12: syntax error: unexpected }", "}"),
        ("status = error", "parse error at line 1, col 1: syntax error: unexpected status", "status"),
        ("{ .a = 1\n&& foo }", "parse error at line 2, col 4: unknown identifier: foo", "foo"),
        ("{ .a = 1", "parse error at line 1, col 9: syntax error: unexpected $end", ""),
        ("{ .a }\n| count()\n", "parse error at line 3, col 1: syntax error: unexpected $end", ""),
        ("", "parse error : syntax error: unexpected $end", ""),
        ("{ .a } && && { .b }", "parse error at line 0, col 11: syntax error: unexpected &&, expecting { or (", "&&"),
        ("{ . }", "parse error at line 1, col 3: syntax error: unexpected END_ATTRIBUTE, expecting IDENTIFIER", " "),
        (
            "{ span. }",
            "parse error at line 0, col 3: syntax error: unexpected END_ATTRIBUTE, expecting IDENTIFIER",
            " ",
        ),
        (
            "{ event:id }",
            "parse error at line 1, col 9: syntax error: unexpected id, expecting name or timeSinceStart",
            "id",
        ),
        ("{ } | count = 1", "parse error at line 1, col 13: syntax error: unexpected =, expecting (", "="),
        (
            "{ } | rate() | topk(a)",
            "parse error at line 1, col 21: syntax error: unexpected IDENTIFIER, expecting INTEGER",
            "a",
        ),
        ("{ } with(1=2)", "parse error at line 1, col 10: syntax error: unexpected INTEGER, expecting IDENTIFIER", "1"),
        ("{ .a > nil }", "parse error at line 1, col 12: syntax error: unexpected }, expecting = or !=", "}"),
        ('{ .a = "x }', "parse error at line 1, col 8: literal not terminated", '"x }'),
        ("{ .a = `x }", "parse error at line 1, col 8: literal not terminated", "`x }"),
        ('{ .a = "\\z" }', "parse error at line 1, col 8: invalid char escape", '"\\z"'),
        ('{ .a."\\z" }', "parse error at line 0, col 3: invalid escape sequence", 'a."'),
        ('{ .a."z }', 'parse error at line 0, col 3: unexpected EOF, expecting "', 'a."z }'),
        ("{ /* }", "parse error at line 1, col 3: comment not terminated", "/* }"),
        ("{ .a = 'xy' }", "parse error at line 1, col 8: invalid char literal", "'xy'"),
        ("{ .a = 0x }", "parse error at line 1, col 8: hexadecimal literal has no digits", "0x"),
        ("{ .a = 0x10 }", 'parse error at line 1, col 8: strconv.Atoi: parsing "0x10": invalid syntax', "0x10"),
        (
            "{ .a = 9223372036854775808 }",
            'parse error at line 1, col 8: strconv.Atoi: parsing "9223372036854775808": value out of range',
            "9223372036854775808",
        ),
        (
            "{ .a = 1e400 }",
            'parse error at line 1, col 8: strconv.ParseFloat: parsing "1e400": value out of range',
            "1e400",
        ),
        ("{ \x00 }", "parse error at line 1, col 3: invalid character NUL", "\x00"),
        ('{ .a = "\ud800" }', "parse error at line 1, col 9: invalid UTF-8 encoding", '\ud800"'),
    ],
)
def test_the_words_and_the_place_of_wrong_grammar(text: str, words: str, place: str) -> None:
    error = refused(text)
    assert error.message == words
    assert marked(text, error) == place


@pytest.mark.parametrize(
    "text",
    [
        "[ true ]",
        "{ (.a < 3 }",
        "{ .a }}",
        "{ .a } >= { .b }",
        "{ .a } ^ { .b }",
        "{ .a } { .b }",
        "{ duration > +2s }",
        "{ duration > 5x }",
        "{ span .a = 1 }",
        "{ span :id = `x` }",
        "{ childCount = 1 }",
        "{ nil }",
        "{ .a = (nil) }",
        "{ .a, .b }",
        'max(name) = "foo"',
        "count() > .b",
        "count(.a) > 1",
        "avg() > 1",
        "avg(.field) + 1",
        "count() =~ 1",
        "3",
        "100 * 2",
        "2 % ({ } | rate())",
        "({ } | rate()) % 2",
        "({ } | rate()) + count()",
        "(count() + 1) * ({ } | rate())",
        "({ } | rate()) + ({ })",
        "({ } | rate()) && ({ })",
        "({ .a } | count() > 1) && ({ } | rate())",
        "2 + ({ } | count() > 1)",
        "2 < (by(.a) | count())",
        "count() > 3 && { .a }",
        "by(.a) && { .b }",
        "by(.a, .b)",
        "by()",
        "coalesce()",
        "{ } | coalesce(.a)",
        "{ } | select()",
        "{ } | select(.a + 1)",
        "{ } | select((.a))",
        "{ } | 'x'",
        "{ } | rate() by (.a + 1)",
        "{ } | rate() by ()",
        "{ } | rate(.a)",
        "{ } | rate() | count() > 1",
        "{ } | rate() | rate()",
        "{ } | rate() + ({ } | rate())",
        "{ } | topk(5)",
        "{ } | max_over_time()",
        "{ } | quantile_over_time(duration)",
        "{ } | quantile_over_time(duration, 1s)",
        "{ } | compare({ .a }, 10.5)",
        "{ } | compare({ .a }, 10, 5)",
        "{ } | compare(.a)",
        "{ } with()",
        "{ } with(sample=-1)",
        "({ .a } | count() > 1) && { .b }",
        "({ .a }) && ({ .b } | count() > 1)",
        "({ .a } | count() > 1) | count() > 2",
        "({ .a } && { .b } | count() > 1) > count()",
        "({ .a }) && (count())",
        "({ .a } | count()) > 1",
        "(({ } | rate()) | topk(5))",
        "( true )",
        "{ } | (count() > 1)",
        "{ } | count() > -ok",
        "({ } | rate()) + (3)",
        "({ .a } | by(.b)) && ()",
        "{ trace:status = error }",
        "{ span:rootName = `x` }",
        "{ .a & .b }",
    ],
)
def test_wrong_grammar_is_refused_with_a_place_and_a_way_out(text: str) -> None:
    error = refused(text)
    assert error.message.startswith("parse error")
    assert error.hint
    assert error.position is not None


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ('{ duration = "x" }', "binary operations must operate on the same type: duration = `x`", 'duration = "x"'),
        (
            "{ span:statusMessage = 5 }",
            "binary operations must operate on the same type: statusMessage = 5",
            "span:statusMessage = 5",
        ),
        ("{ .a = 1 = 2 }", "binary operations must operate on the same type: (.a = 1) = 2", ".a = 1 = 2"),
        (
            "{ event:name = duration }",
            "binary operations must operate on the same type: event:name = duration",
            "event:name = duration",
        ),
        ("{ kind = error }", "binary operations must operate on the same type: kind = error", "kind = error"),
        ("{ .a && 1 }", "illegal operation for the given types: .a && 1", "1"),
        ("{ .a > true }", "illegal operation for the given types: .a > true", "true"),
        ("{ status > ok }", "illegal operation for the given types: status > ok", "status"),
        ("{ kind < consumer }", "illegal operation for the given types: kind < consumer", "kind"),
        ("{ span.a =~ 1 }", "illegal operation for the given types: span.a =~ 1", "1"),
        ('{ name + "x" = .a }', "illegal operation for the given types: name + `x`", "name"),
        ("{ .a =~ .b }", "invalid type for =~ or !~: .b", ".b"),
        ('{ .a !~ "[" }', "invalid regex: [", '"["'),
        ("{ !name = .a }", "illegal operation for the given type: !name", "!name"),
        ("{ -true }", "illegal operation for the given type: -true", "-true"),
        ("{ !(.a * 2) = 1s }", None, None),
        ("{ 5 }", "span filter field expressions must resolve to a boolean: { 5 }", "5"),
        ("{ 1m }", "span filter field expressions must resolve to a boolean: { 1m }", "1m"),
        ("{ span:name }", "span filter field expressions must resolve to a boolean: { name }", "span:name"),
        ("{ .a } >> { -.a + 1 }", "span filter field expressions must resolve to a boolean: { (-.a) + 1 }", "-.a + 1"),
        ("{ name = nil }", "name=nil is not valid because intrinsics cannot be nil", "name = nil"),
        ("{ nil = span:id }", "span:id=nil is not valid because intrinsics cannot be nil", "nil = span:id"),
        (
            '{ resource."service.name" = nil }',
            "resource.service.name=nil is not valid because resource.service.name cannot be nil",
            'resource."service.name" = nil',
        ),
        ("{ parent.a = 1 }", "parent not yet supported", "parent.a"),
        ("{ parent.span.a = 1 }", "parent not yet supported", "parent.span.a"),
        ("{ parent.duration > 1s }", "parent not yet supported", "parent.duration"),
        ("{ parent = nil }", "intrinsic (parent) not yet supported", "parent"),
        ("{ } | select(parent.resource.a)", "parent not yet supported", "parent.resource.a"),
        ("{ } | avg(name) > 1", "aggregate field expressions must resolve to a number type: avg(name)", "avg(name)"),
        (
            "{ } | max(.a = 1) > 1",
            "aggregate field expressions must resolve to a number type: max(.a = 1)",
            "max(.a = 1)",
        ),
        ("{ } | avg(1 + 2) > 1", "aggregate field expressions must reference the span: avg(1 + 2)", "1 + 2"),
        ("{ } | sum(-1) > 1", "aggregate field expressions must reference the span: sum(-1)", "-1"),
        ('{ } | by("x")', "grouping field expressions must reference the span: by(`x`)", '"x"'),
        ("{ } | by(.a && 1)", "illegal operation for the given types: .a && 1", "1"),
        ("3 = 2", "scalar filter lhs of type (Static) not yet supported", "3 = 2"),
        ("count() + 1 > 2", "scalar filter lhs of type (ScalarOperation) not yet supported", "count() + 1 > 2"),
        (
            "(count() ^ 2) ^ 3 > 2",
            "scalar filter lhs of type (ScalarOperation) not yet supported",
            "(count() ^ 2) ^ 3 > 2",
        ),
        ("count() > 2 * 3", "scalar filter rhs of type (ScalarOperation) not yet supported", "count() > 2 * 3"),
        ("{ } | max(.a) > min(.b)", "scalar filter rhs of type (AggregateOf) not yet supported", "max(.a) > min(.b)"),
        ("({ .a } | by(1)) && ({ .b })", "grouping field expressions must reference the span: by(1)", "1"),
        ("{ } | rate() by (.a, .b, .c, .d, .e, .f)", "metrics group by 6 values not yet supported", None),
        ("{ } | avg_over_time(.x) by (.a, .b, .c, .d, .e)", "metrics group by 5 values not yet supported", None),
        ("{ } | quantile_over_time(.a, .5, 99)", "quantile must be between 0 and 1: 99", None),
        ("{ } | compare({ 1 })", "span filter field expressions must resolve to a boolean: { 1 }", "1"),
        ("{ } | compare({ .a }, 0)", "compare() top number of values must be integer greater than 0", None),
        ("{ } | compare({ .a }, 1, 0, 5)", "compare() timestamps must be positive integer unix nanoseconds", None),
        ("{ } | compare({ .a }, 1, 5, 5)", "compare() end timestamp must be greater than start timestamp", None),
        ("{ } | compare({ .a }) | topk(3)", "`compare()` cannot be used with second stage functions", "topk(3)"),
        ("{ } | rate() | topk(0)", "limit must be greater than 0", "topk(0)"),
        (
            "2 * (({ 1 } | rate()) / ({ } | rate()))",
            "span filter field expressions must resolve to a boolean: { 1 }",
            "1",
        ),
        ("{ } && { 'x' }", None, None),
        ("{ nestedSetLeft = `x` }", "binary operations must operate on the same type: nestedSetLeft = `x`", None),
        ('{ ."a b" = 1 = 2 }', 'binary operations must operate on the same type: (."a b" = 1) = 2', None),
        ("{ 90m = true }", "binary operations must operate on the same type: 1h30m = true", None),
    ],
)
def test_what_the_validator_refuses(text: str, message: str | None, place: str | None) -> None:
    error = refused(text)
    assert message is None or error.message == message
    assert place is None or marked(text, error) == place
    assert error.hint


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('{ service.name = "x" }', "did you mean resource.service.name or .service.name?"),
        ("{ http.status = 5 }", "did you mean span.http.status or .http.status?"),
        ('{ server.address = "x" }', "did you mean span.server.address or .server.address?"),
        ('{ error.type = "x" }', "did you mean span.error.type or .error.type?"),
        ('{ resuorce.a = "x" }', "did you mean resource.a?"),
        ("{ durration > 5s }", "did you mean duration?"),
        ("{ foo = 1 }", "an attribute has a scope: span.foo, resource.foo, or .foo for either"),
        ("{ trace:status = error }", "did you mean trace:duration or trace:rootName or trace:id?"),
        ("{ link:zzzzz }", "there is link:traceID, link:spanID"),
        ("{ childCount > 1 }", "did you mean span:childCount?"),
        ("{ span .a = 1 }", "the name follows the scope and a dot at once: span.name"),
        ("{ . = 1 }", "the name of the attribute is missing: span.http.method"),
        ("{ .a = checkout.api }", 'put the text in quotes: "checkout.api"'),
        ("{ .a = 'x' }", "a text stands in double quotes or backticks"),
        ("{ .a == 1 }", "equal is a single ="),
        ("{ .a = 1 and .b = 2 }", "write &&"),
        ("{ .a } & { .b }", "write &&"),
        ("{ .a | .b }", "or is ||, and stages stand behind the braces"),
        ("{ status = }", "a value is missing behind ="),
        ("{ duration > 5sec }", "a duration is numbers with units: 100ms, 5s, 1h30m"),
        ("{ .a < nil }", "nil stands alone beside = and !=: { .a != nil }"),
        ("status = error", "conditions stand in braces: { status = error }"),
        ("(status = error)", "conditions stand in braces: { status = error }"),
        ("", "the query is empty: write TraceQL, such as { status = error }"),
        ("{ .a = 1", "the query ends too early: { is not closed"),
        ("100", "the query ends too early"),
        ("{ (.a }", "( is not closed"),
        ("{ .a }}", "} closes what was not opened"),
        ("{ } | count()", "compare what count gives: count(…) > 1"),
        ("{ } | cuont() > 1", "did you mean count?"),
        ("{ } | zzzzzz()", "there is no function zzzzzz"),
        ("{ } | count > 1", "write brackets behind it: count(…)"),
        ("count() > ok", "behind it stands a number or a duration: count() > 3"),
        ("{ } | topk(5)", "topk stands behind a metrics function: | rate() | topk(5)"),
        ("coalesce()", "coalesce() stands behind a set of spans: { … } | by(…) | coalesce()"),
        ("{ } | rate() / ({ } | rate())", "put each metrics query in brackets: ({ … } | rate()) / ({ … } | rate())"),
        ("{ } | rate() | rate()", "behind a metrics function stand topk(5), bottomk(5) and comparisons alone"),
        ("{ } | select(1)", "select takes attributes and intrinsics alone: select(span.http.url, duration)"),
        (
            "{ } | compare(1)",
            "it takes a filter, a number of values, and a window: compare({ status = error }, 10, start, end)",
        ),
        ("({ .a } | by(.b)) && { .c }", "put the filter in brackets too: ( … ) && ({ … })"),
        ("count() > 3 && { .a }", "pipelines are combined in brackets: ( … ) && ( … )"),
        ("{ .a = 0x10 }", "write a plain whole number: 1000"),
        ("{ .a = 089 }", "look at the marked number"),
        ("{ > }", "look at the marked place"),
        ('{ duration = "5s" }', "a duration has a unit and no quotes: duration > 5s"),
        ('{ status = "error" }', "a status is error, ok or unset, without quotes"),
        ('{ kind = "server" }', "a kind is server, client, producer, consumer or internal, without quotes"),
        ("{ name = 5 }", "a text stands in quotes"),
        ("{ 1 = true }", "compare values of one type"),
        ("{ duration }", "compare it: { duration > 1s }"),
        ("{ trace:id }", 'compare it: { trace:id = "…" }'),
        ("{ .a + 1 }", "compare it: { .a + 1 = … }"),
        ("{ `x` }", "compare it: { span.x = `x` }"),
        ("{ !name }", '! stands before what is true or false: !(name = "…")'),
        ("{ -name = 1 }", "only numbers and durations have a minus"),
        ("{ .a =~ 5 }", "regular expressions match texts alone"),
        ("{ .a || 5 }", "&& and || stand between conditions: { .a = 1 && .b = 2 }"),
        ("{ status > ok }", "a status is compared with = and != alone"),
        ("{ name * `x` = .a }", "* does not work on a string"),
        ('{ .a =~ "(" }', "correct the regular expression (RE2): missing closing ): `(`"),
        ("{ parent = nil }", "roots are { nestedSetParent < 0 }; for the parent's id: span:parentID"),
    ],
)
def test_the_way_out(text: str, hint: str) -> None:
    assert refused(text).hint == hint
