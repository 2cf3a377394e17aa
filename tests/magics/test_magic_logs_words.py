"""Completion, the catalog and Python variables where logs are asked for; `¦` marks the cursor."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.completer import provisionalcompleter
from support.fake_logs import FAKE_LOGS

from obs_magics.api import Session
from obs_magics.api import base as base_module
from obs_magics.magics.log_completion import LogsCompleter
from obs_magics.magics.log_variables import expand_logs
from obs_magics.magics.names import Names
from obs_magics.model.errors import UsageError

if TYPE_CHECKING:
    from conftest import Shell


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every session here knows the fake platform."""
    monkeypatch.setattr(base_module, "ADAPTERS", (*base_module.ADAPTERS, FAKE_LOGS))


@pytest.fixture
def shell(make_shell: Callable[[], Shell], bare_session: Session) -> Shell:
    """A shell whose default source is a fake one with logs."""
    bare_session.connect("f", "http://fake", type="fakelogs")
    made = make_shell()
    made.ip.push({"wanted": "payment-api"})
    return made


def completions(shell: Shell, marked: str) -> list[str]:
    position = marked.index("¦")
    text = marked.replace("¦", "")
    with provisionalcompleter():
        found = list(shell.ip.Completer.completions(text, position))
    return [text[: one.start] + one.text + "¦" + text[one.end :] for one in found]


@pytest.mark.parametrize(
    ("marked", "first"),
    [
        ("%%obs_logs --le¦", "%%obs_logs --level¦"),
        ("%%obs_logs --level e¦", "%%obs_logs --level error¦"),
        ("%obs_logs --no-pa¦", "%obs_logs --no-patterns¦"),
        ("%%obs_logs\n{na¦", "%%obs_logs\n{namespace¦"),
        ('%%obs_logs\n{app="pay¦', '%%obs_logs\n{app="payment-api¦'),
        ('%%obs_logs\n{app=~"x|ca¦"}', '%%obs_logs\n{app=~"x|cart-service¦"}'),
        ('%%obs_logs\n{app="x"} | js¦', '%%obs_logs\n{app="x"} | json¦'),
        ('%%obs_logs\n{app="x"} | dur¦', '%%obs_logs\n{app="x"} | duration_ms¦'),
        ("%%obs_logs\ncount_o¦", "%%obs_logs\ncount_over_time(¦"),
        ("%%obs_logs\nsum by (pa¦", "%%obs_logs\nsum by (path¦"),
        ('%%obs_logs\nrate({app="x"}[¦', '%%obs_logs\nrate({app="x"}[$__rate_interval¦'),
        ("%obs_logs errors in pay¦", "%obs_logs errors in payment-api¦"),
        ("%obs_logs err¦", "%obs_logs errors¦"),
        ('%%obs_logs\n{app="${wan¦', '%%obs_logs\n{app="${wanted¦'),
    ],
)
def test_what_fits_comes_first(shell: Shell, marked: str, first: str) -> None:
    assert completions(shell, marked)[:1] == [first]


LINES = '%%obs_logs\n{app="x"} | json | '


@pytest.mark.parametrize(
    ("marked", "first"),
    [
        ('line_format "{{.dur¦', 'line_format "{{.duration_ms¦'),
        ('line_format "{{.app}} {{ .na¦ }}"', 'line_format "{{.app}} {{ .namespace¦ }}"'),
        ("line_format `{{ .app | lo¦", "line_format `{{ .app | lower¦"),
        ("line_format `{{ __l¦", "line_format `{{ __line__¦"),
        ("line_format `{{ el¦", "line_format `{{ else¦"),
        ("line_format `{{¦", "line_format `{{.app¦"),
        ("line_format `{{.¦", "line_format `{{.app¦"),
        ("label_format one=`{{.app | upper}}`, two=`{{.pa¦", "label_format one=`{{.app | upper}}`, two=`{{.path¦"),
    ],
)
def test_templates_complete_labels_and_functions(shell: Shell, marked: str, first: str) -> None:
    assert completions(shell, LINES + marked)[:1] == [LINES + first]


@pytest.mark.parametrize(
    "marked",
    ['line_format "{{.app}} na¦', 'line_format `{{ .app | replace "lo¦', 'app="{{.na¦', 'label_format one="na¦'],
)
def test_outside_of_an_action_nothing_is_offered(shell: Shell, marked: str) -> None:
    assert completions(shell, LINES + marked) in ([], [LINES + marked])


def test_inside_a_text_that_is_looked_for_nothing_is_offered(shell: Shell) -> None:
    assert completions(shell, '%%obs_logs\n{app="x"} |= "pay¦') in ([], ['%%obs_logs\n{app="x"} |= "pay¦'])


@given(st.text(alphabet='{}()[]|="\\ ab~!${,\n'), st.integers(0, 40))
def test_any_text_can_be_completed(text: str, place: int) -> None:
    class Quiet(LogsCompleter):
        def _asked(self, question: object, ask: Any) -> list[str]:
            return []

    nobody = SimpleNamespace(default_source=None, shell=SimpleNamespace(user_ns={}, user_ns_hidden={}))
    found = Quiet(nobody, Names(), None).complete(text, min(place, len(text)))  # type: ignore[arg-type]
    assert text[: min(place, len(text))].endswith(found.fragment)


def test_the_catalog_of_logs_shows_labels_and_values(shell: Shell) -> None:
    text = shell.run("%obs catalog").text
    assert "cart-service, payment-api" in text
    assert "1 metric" not in text
    assert "namespace" in shell.run("%obs catalog name").text
    error = shell.run("%obs catalog namespce").error
    assert "no label of logs has 'namespce' in its name" in str(error)
    assert "did you mean namespace" in str(error)


@pytest.mark.parametrize(
    ("text", "language", "expanded"),
    [
        ('{app="${one}"} |= "${phrase}"', "logql", '{app="payment-api"} |= "say \\"hi\\""'),
        ('{app=~"${many}"}', "logql", '{app=~"payment-api|cart\\\\.service"}'),
        ('{app="x"} |~ "${many}"', "logql", '{app="x"} |~ "payment-api|cart\\\\.service"'),
        ('{app="x"} | status >= ${number}', "logql", '{app="x"} | status >= 500'),
        ("errors in ${one} last ${number} minutes", "logql", "errors in payment-api last 500 minutes"),
        ("app:${one} ${phrase}", "logsql", 'app:"payment-api" "say \\"hi\\""'),
        ("app:${many}", "logsql", 'app:in("payment-api","cart.service")'),
        ('app:"${one}" status:>${number}', "logsql", 'app:"payment-api" status:>500'),
        ("${query}", "logql", '{app="x"}'),
        ("errors with ${query}", "logql", """errors with '{app="x"}'"""),
        ("errors in ${many}", "logql", "errors in payment-api or cart.service"),
        ("since ${noon} for ${span} $__range", "logql", "since 2026-11-22T12:00:00 for 5m $__range"),
        ("plain $${one}", "logql", "plain ${one}"),
    ],
)
def test_variables_are_written_for_their_place(text: str, language: Any, expanded: str) -> None:
    names = {
        "one": "payment-api",
        "many": ["payment-api", "cart.service"],
        "phrase": 'say "hi"',
        "number": 500,
        "query": '{app="x"}',
        "noon": datetime(2026, 11, 22, 12),
        "span": timedelta(minutes=5),
    }
    assert expand_logs(text, names, zone=UTC, language=language) == expanded


def test_a_variable_that_is_no_word_is_refused() -> None:
    with pytest.raises(UsageError, match=r"\$\{it\} is None, which is no word"):
        expand_logs("errors in ${it}", {"it": None}, zone=UTC, language="logql")
    with pytest.raises(UsageError, match="holds a dict, which is no word"):
        expand_logs("errors in ${it}", {"it": [{}]}, zone=UTC, language="logql")
    with pytest.raises(UsageError, match="is an empty list"):
        expand_logs("errors in ${it}", {"it": []}, zone=UTC, language="logql")
    with pytest.raises(UsageError, match="quotation marks of every kind"):
        expand_logs("errors in ${it}", {"it": "\"'`"}, zone=UTC, language="logql")


def test_a_variable_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match="did you mean service"):
        expand_logs("errors in ${servce}", {"service": "x"}, zone=UTC, language="logql")


def test_examples_of_a_source_without_catalog(make_shell: Callable[[], Shell], bare_session: Session) -> None:
    cell = make_shell().run("%obs_logs")
    assert "there is no source to ask" in str(cell.error)
