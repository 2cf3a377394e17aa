"""What an error says: what failed, where, and the way out."""

from __future__ import annotations

import inspect
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.model import errors
from obs_magics.model.errors import (
    ObsError,
    QueryError,
    RateLimited,
    SourceError,
    SourceTimeout,
    TranslationError,
    did_you_mean,
)

CLASSES = [found for _, found in inspect.getmembers(errors, inspect.isclass) if issubclass(found, ObsError)]


def test_the_tree_is_the_one_that_is_drawn() -> None:
    drawn = re.findall(r"─ (\w+)", errors.__doc__ or "")
    assert set(drawn) == {found.__name__ for found in CLASSES} - {"ObsError"}
    below_source = re.findall(r" {7}[├└]─ (\w+)", errors.__doc__ or "")
    for found in CLASSES:
        assert issubclass(found, SourceError) == (found.__name__ in {*below_source, "SourceError"})


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_error_says_what_where_and_the_way_out(kind: type[ObsError]) -> None:
    error = kind("the token was refused", where="prom (http://localhost:9090)", hint="check auth.token")
    assert str(error) == "prom (http://localhost:9090): the token was refused\n→ check auth.token"
    assert (error.message, error.hint) == ("the token was refused", "check auth.token")
    assert str(kind("failed")) == "failed"


def test_ipython_shows_a_few_lines() -> None:
    error = SourceTimeout("no answer in 30 s", where="prom", hint="raise timeout")
    assert error._render_traceback_() == ["SourceTimeout: prom: no answer in 30 s", "→ raise timeout"]


def test_candidates_stand_one_a_line() -> None:
    error = TranslationError("which one?", candidates=["up", "sum(up)"], hint="name it")
    assert str(error) == "which one?\n  up\n  sum(up)\n→ name it"


def test_retry_after_is_kept() -> None:
    assert RateLimited("slow down", retry_after=2.5).retry_after == 2.5


@pytest.mark.parametrize(
    ("query", "position", "length", "lines"),
    [
        ("sum(up", 3, 1, ["  sum(up", "     ^"]),
        ("sum(up", 6, 1, ["  sum(up", "        ^"]),
        ("a +\n  bad()\n+ c", 6, 3, ["    bad()", "    ^^^"]),
        ("a\nb", 0, 9, ["  a", "  ^"]),
        ("up", 9, 1, []),
        ("up", -1, 1, []),
        ("up", None, 1, []),
    ],
)
def test_the_place_in_the_query_is_marked(query: str, position: int | None, length: int, lines: list[str]) -> None:
    error = QueryError("parse error", query=query, position=position, length=length, words="1:4: parse error")
    assert list(error.details()) == lines
    assert error.words == "1:4: parse error"
    assert str(error).split("\n") == ["parse error", *lines]


@given(st.text(), st.integers(-5, 50), st.integers(-5, 50))
def test_marking_never_fails(query: str, position: int, length: int) -> None:
    details = QueryError("no", query=query, position=position, length=length).details()
    assert len(details) in {0, 2}


def test_did_you_mean() -> None:
    assert did_you_mean("sorce", ["source", "last"]) == "did you mean source?"
    assert did_you_mean("xyz", ["source", "last"]) == ""
    assert did_you_mean("step", []) == ""
    assert did_you_mean("rat", ["rate", "irate", "range", "up"]).startswith("did you mean rate or ")
