"""`Session` waits and `AsyncSession` is awaited: the same calls, with the same parameters and words."""

from __future__ import annotations

import inspect

import pytest

from obs_magics import AsyncSession, Session

AWAITED = [name for name, _ in inspect.getmembers(AsyncSession, inspect.iscoroutinefunction) if name[0] != "_"]


@pytest.mark.parametrize("name", AWAITED)
def test_a_call_has_the_same_parameters_and_words_in_both_faces(name: str) -> None:
    waits, awaits = getattr(Session, name), getattr(AsyncSession, name)
    assert inspect.signature(waits) == inspect.signature(awaits)
    assert inspect.getdoc(waits) == inspect.getdoc(awaits)


def test_what_is_not_awaited_asks_nobody() -> None:
    functions = {name for name, _ in inspect.getmembers(AsyncSession, inspect.isfunction) if name[0] != "_"}
    catalogs = {"catalog", "log_catalog", "trace_catalog"}
    asks_nobody = {"use", "offers", "log_language", "now_ns", "ignore", "ignored", "unignore", "report"}
    assert functions == {*AWAITED, *catalogs, *asks_nobody}
