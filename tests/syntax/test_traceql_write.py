"""Trees as text and back."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from support.traceql_grammar import queries

from obs_magics.syntax.traceql import parse, tree, write


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(queries)
def test_what_is_written_is_read_back_as_the_same_tree(query: tree.Pipeline) -> None:
    text = write(query)
    assert parse(text) == query
    assert write(parse(text)) == text


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("{}", "{ }"),
        ("{true}", "{ true }"),
        ("{name=`x`&&duration>90s}", '{ span:name = "x" && span:duration > 1m30s }'),
        ("{ (.a||.b)&&(.c&&.d) }", "{ .a || .b && (.c && .d) }"),
        ("{ (-.a)*-(.b) > 1. }", "{ (-.a) * (-.b) > 1.0 }"),
        ("{ -(.a + 1)>-(.b * 2) }", "{ -(.a + 1) > -.b * 2 }"),
        ("{ (.a^.b)^(.c^2) > 1e22 }", "{ (.a ^ .b) ^ .c ^ 2 > 1e+22 }"),
        ("{ minInt<.a && .a<maxInt }", "{ minInt < .a && .a < 9223372036854775807 }"),
        ('{ span."a b"="say \\"x\\"" || ."5a" }', '{ span."a b" = `say "x"` || ."5a" }'),
        ("{.a}&&{.b}>{.c}", "{ .a } && { .b } > { .c }"),
        ("({.a}&&{.b})>({.c}>>{.d})", "({ .a } && { .b }) > ({ .c } >> { .d })"),
        ("({.a}|by(.b))&&({.c})", "({ .a } | by(.b)) && ({ .c })"),
        ("({.a}|by(.b))&&(({.c})||{.d})", "({ .a } | by(.b)) && ({ .c } || { .d })"),
        ("{}|by(name)|coalesce()|avg(.a + 1)>-1.5", "{ } | by(span:name) | coalesce() | avg(.a + 1) > -1.5"),
        ("{}|select(.a,trace:id)", "{ } | select(.a, trace:id)"),
        (
            "{}|quantile_over_time(duration,.99,1)by(.a,.b)",
            "{ } | quantile_over_time(span:duration, 0.99, 1) by (.a, .b)",
        ),
        ("{}|compare({status=error})", "{ } | compare({ span:status = error }, 10)"),
        ("{}|rate()|topk(5)>1s with(sample=true,x=`y`)", '{ } | rate() | topk(5) > 1 with (sample=true, x="y")'),
        ("2*({}|rate())/(({}|rate())/3)", "2 * ({ } | rate()) / (({ } | rate()) / 3)"),
        ("({}|rate())-(({}|rate())-({}|rate()))", "({ } | rate()) - (({ } | rate()) - ({ } | rate()))"),
        ("(({}|rate())+1)*2", "(({ } | rate()) + 1) * 2"),
    ],
)
def test_canonical_text(text: str, canonical: str) -> None:
    assert write(parse(text)) == canonical
    assert parse(canonical) == parse(text)


@pytest.mark.parametrize("text", ["{ " + " || ".join([".a = 1"] * 100) + " }", " && ".join(["{ .a }"] * 100)])
def test_long_chains_need_little_of_the_stack(text: str) -> None:
    def from_below(frames: int) -> str:
        return write(parse(text)) if frames == 0 else from_below(frames - 1)

    assert from_below(400) == text


def test_what_tempo_does_not_take_yet_can_be_written() -> None:
    of_parent = tree.Attribute("", "span.a", parent=True)
    assert write(of_parent) == 'parent."span.a"'
    assert write(tree.Attribute("resource", "a", parent=True)) == "parent.resource.a"
    assert write(tree.Intrinsic("span:duration", parent=True)) == "parent.duration"
    one, two = (tree.Static("int", number) for number in (1, 2))
    sum_of_both = tree.ScalarOperation("+", one, tree.AggregateOf("count"))
    product = tree.ScalarOperation("*", sum_of_both, tree.ScalarOperation("^", one, two))
    assert write(tree.ScalarFilter(">", product, two)) == "(1 + count()) * 1 ^ 2 > 2"
