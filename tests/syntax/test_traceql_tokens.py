"""TraceQL as pieces, finished or not."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.traceql_grammar import queries

from obs_magics.syntax.traceql import tokens, tree, write


def kinds(text: str) -> list[tuple[str, str]]:
    return [(piece.kind, text[piece.start : piece.end]) for piece in tokens(text)]


def test_pieces() -> None:
    text = '{ span.http.url =~ "x" && trace:id != nil } | by(.a) | rate() > 1.5 with(sample=true) // end'
    assert kinds(text) == [
        ("brace", "{"),
        ("scope", "span."),
        ("attribute", "http.url"),
        ("operator", "=~"),
        ("string", '"x"'),
        ("operator", "&&"),
        ("intrinsic", "trace:"),
        ("intrinsic", "id"),
        ("operator", "!="),
        ("value", "nil"),
        ("brace", "}"),
        ("pipe", "|"),
        ("stage", "by"),
        ("bracket", "("),
        ("scope", "."),
        ("attribute", "a"),
        ("bracket", ")"),
        ("pipe", "|"),
        ("function", "rate"),
        ("bracket", "("),
        ("bracket", ")"),
        ("operator", ">"),
        ("number", "1.5"),
        ("keyword", "with"),
        ("bracket", "("),
        ("name", "sample"),
        ("operator", "="),
        ("value", "true"),
        ("bracket", ")"),
        ("comment", "// end"),
    ]


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ('{ span."a', ("attribute", '"a')),
        ("{ span.", ("scope", "span.")),
        ("{ parent.resource.a", ("attribute", "a")),
        ('{ .a = "x', ("string", '"x')),
        ("{ .a = 5m", ("duration", "5m")),
        ("{ .a = minInt", ("value", "minInt")),
        ("{ .a # ", ("odd", "#")),
        ("{ /* x", ("comment", "/* x")),
        ("select(.a,", ("punctuation", ",")),
        ("{ foo", ("name", "foo")),
        ("{ nestedSetLeft", ("intrinsic", "nestedSetLeft")),
    ],
)
def test_what_is_not_finished_has_pieces_too(text: str, last: tuple[str, str]) -> None:
    assert kinds(text)[-1] == last


@given(st.one_of(st.text(), st.text().map("{{ .a = {}".format)))
def test_pieces_of_any_text_follow_each_other(text: str) -> None:
    pieces = tokens(text)
    assert all(before.end <= after.start for before, after in itertools.pairwise(pieces))
    assert all(0 <= piece.start < piece.end <= len(text) for piece in pieces)


@given(queries)
def test_a_written_query_is_pieces_and_spaces(query: tree.Pipeline) -> None:
    text = write(query)
    gaps = list(text)
    for piece in tokens(text):
        gaps[piece.start : piece.end] = " " * (piece.end - piece.start)
    assert not "".join(gaps).strip()
