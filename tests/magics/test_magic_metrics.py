"""`%%obs_metrics` in a real shell, asking over HTTP."""

from __future__ import annotations

import _thread
import threading
import time
from datetime import UTC, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from obs_magics.magics.panel import metrics_panel
from obs_magics.model.errors import QueryError, SourceError, UsageError
from obs_magics.model.frames import check_metrics

if TYPE_CHECKING:
    from conftest import FakePrometheus, Shell


def test_a_cell_fills_a_variable_shows_a_panel_and_returns_the_frame(shell: Shell) -> None:
    cell = shell.run("%%obs_metrics errors << --source prom --last 1h\nup\n")
    assert cell.error is None
    frame = shell.variables["errors"]
    assert cell.result is frame
    check_metrics(frame)
    assert list(frame["job"].unique()) == ["api", "cart"]
    chart, panel = cell.outputs
    assert "application/vnd.vegalite.v5+json" in chart.data
    assert set(panel.data) == {"text/html", "text/plain"}
    assert "errors: 2 series" in panel.data["text/plain"]
    assert "average" in panel.data["text/plain"]
    assert cell.stdout.startswith("Out[")
    assert cell.stderr == ""


def test_a_line_does_the_same_and_needs_no_source_when_there_is_one(shell: Shell) -> None:
    assert isinstance(shell.run("%obs_metrics errors << --last 30m up").result, pd.DataFrame)
    assert shell.variables["errors"].attrs["obs"]["question"] == "up"
    assert shell.run('frame = %obs_metrics -o errors -s auto up{job="api"}').error is None
    assert shell.variables["frame"] is shell.variables["errors"]


def test_no_braces_are_lost_when_a_variable_is_called_like_a_label(shell: Shell, server: FakePrometheus) -> None:
    shell.variables["job"] = "wrong"
    shell.run('%obs_metrics up{job="api"} # {job} $job')
    shell.run('%%obs_metrics\nup{job="api"} # {job} $job')
    assert server.queries() == ['up{job="api"} # {job} $job'] * 2


def test_variables_reach_the_query_quoted_and_options_too(shell: Shell, server: FakePrometheus) -> None:
    shell.variables.update(job='a"}', window=timedelta(minutes=7), lookback=timedelta(minutes=30))
    cell = shell.run('%%obs_metrics --last ${lookback}\nrate(up{job="${job}"}[${window}])')
    assert cell.error is None
    assert server.queries() == ['rate(up{job="a\\"}"}[7m])']
    form = next(form for path, form in server.asked if path == "/api/v1/query_range")
    assert float(form["end"]) - float(form["start"]) == pytest.approx(1800, abs=60)


def test_comments_and_several_lines_are_part_of_the_query(shell: Shell, server: FakePrometheus) -> None:
    cell = shell.run("%%obs_metrics\n# how many are there?\nsum(\n  up  # all\n)\n")
    assert cell.error is None
    assert server.queries() == ["# how many are there?\nsum(\n  up  # all\n)"]


def test_no_plot_shows_nothing_and_still_returns_the_frame(shell: Shell) -> None:
    cell = shell.run("%obs_metrics --no-plot up")
    assert cell.outputs == []
    assert isinstance(cell.result, pd.DataFrame)


def test_instant(shell: Shell, server: FakePrometheus) -> None:
    cell = shell.run("%obs_metrics --instant --no-plot up")
    assert len(cell.result) == 2
    assert server.asked[-1][0] != "/api/v1/query_range"


def test_a_dry_run_shows_the_native_query_and_asks_nothing(shell: Shell, server: FakePrometheus) -> None:
    cell = shell.run("%obs_metrics x << --dry-run --last 1h --step 30s sum(rate(up[$__rate_interval]))")
    assert cell.result is None
    assert "sum(rate(up[1m]))" in cell.text
    assert f"prom (prometheus, {server.address})" in cell.text
    assert "30s" in cell.text
    assert server.asked == []
    assert "x" not in shell.variables
    assert "one value per series" in shell.run("%obs_metrics --dry-run --instant up").text


def test_an_empty_answer_says_why_it_is_empty(shell: Shell) -> None:
    cell = shell.run("%obs_metrics empty_up")
    assert cell.error is None
    assert cell.result.empty
    assert "no metric is called empty_up" in cell.text


def test_a_panel_offers_the_next_cells(shell: Shell) -> None:
    cell = shell.run("%%obs_metrics errors << --last 1h\nsum by (job) (up)")
    html = cell.outputs[-1].data["text/html"]
    assert "%obs catalog up" in html
    assert "before" in html
    assert "--source prom --start" in html


@pytest.mark.parametrize(
    ("line", "error", "says"),
    [
        ("%obs_metrics", UsageError, "there is no query"),
        ("%obs_metrics --last 1h", UsageError, "there is no query"),
        ("%%obs_metrics\n# only\n   # comments\n", UsageError, "there is no query"),
        ("%%obs_metrics\n   \n", UsageError, "there is no query"),
        ("%obs_metrics --sorce prom up", UsageError, "did you mean --source"),
        ("%obs_metrics -s prm up", UsageError, "did you mean prom"),
        ("%obs_metrics -s wrong up", UsageError, "prom"),
        ("%obs_metrics --last nonsense up", UsageError, "nonsense"),
        ("%obs_metrics --last 'x up", UsageError, "a quote is opened"),
        ("%obs_metrics -o 1x up", UsageError, "not a variable name"),
        ("%%obs_metrics class <<\nup", UsageError, "Python keyword"),
        ("%obs_metrics up{job='${nobody}'}", UsageError, "no Python variable nobody"),
        ("%obs_metrics --start now --end 1h up", UsageError, ""),
        ("%obs_metrics --agg sum rate(up[5m])", UsageError, "--agg"),
        ("%obs_metrics up --last 1h", UsageError, "options go first"),
    ],
)
def test_wrong_use_is_a_few_lines_and_asks_nothing(
    shell: Shell, server: FakePrometheus, line: str, error: type[Exception], says: str
) -> None:
    cell = shell.run(line)
    assert isinstance(cell.error, error)
    assert says in cell.stdout + cell.stderr
    assert len((cell.stdout + cell.stderr).strip().splitlines()) <= 4
    assert "Traceback" not in cell.stdout
    assert server.queries() == []


def test_an_error_leaves_the_variable_as_it_was(shell: Shell) -> None:
    shell.variables["errors"] = "the old one"
    cell = shell.run("%%obs_metrics errors <<\nup broken")
    assert isinstance(cell.error, QueryError)
    assert "Traceback" not in cell.stdout
    assert len(cell.stdout.strip().splitlines()) <= 6
    assert shell.variables["errors"] == "the old one"


def test_nobody_at_the_address(shell: Shell, unused_address: str) -> None:
    cell = shell.run(f"%obs connect gone {unused_address}")
    assert isinstance(cell.error, SourceError)
    assert unused_address in cell.stdout
    assert len(cell.stdout.strip().splitlines()) <= 4


def test_what_was_fetched_is_kept_when_the_picture_fails(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no picture")

    monkeypatch.setattr("obs_magics.magics.panel.metrics_panel", fail)
    cell = shell.run("%obs_metrics kept << up")
    assert isinstance(cell.error, RuntimeError)
    assert len(shell.variables["kept"]) > 0


def test_an_interrupt_is_one_line_and_leaves_the_shell_usable(shell: Shell, server: FakePrometheus) -> None:
    shell.variables["errors"] = "the old one"

    def interrupt() -> None:
        until = time.monotonic() + 60
        while not any("never" in query for query in server.queries()) and time.monotonic() < until:
            time.sleep(0.01)
        _thread.interrupt_main()

    thread = threading.Thread(target=interrupt)
    thread.start()
    began = time.monotonic()
    cell = shell.run("%obs_metrics errors << never")
    thread.join()
    assert time.monotonic() - began < 90  # the server would not answer before 120 s
    assert isinstance(cell.error, KeyboardInterrupt)
    assert "interrupted: nothing was fetched" in cell.stdout + cell.stderr
    assert len((cell.stdout + cell.stderr).strip().splitlines()) == 1
    assert shell.variables["errors"] == "the old one"
    assert len(shell.run("%obs_metrics --no-plot up").result) > 0


def test_an_interrupt_while_drawing_keeps_the_frame(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("obs_magics.magics.panel.metrics_panel", stop)
    cell = shell.run("%obs_metrics kept << up")
    assert isinstance(cell.error, KeyboardInterrupt)
    assert cell.stdout.strip() == "interrupted while drawing; the frame is in kept"
    assert len(shell.variables["kept"]) > 0


def test_a_frame_of_nobody_has_no_panel() -> None:
    with pytest.raises(ValueError, match="where it comes from"):
        metrics_panel(pd.DataFrame(), "up", name="", options="", zone=UTC)


def test_next_cells_keep_the_options_and_leave_out_what_is_too_long(shell: Shell) -> None:
    html = shell.run("%obs_metrics --step 30s --agg sum up").outputs[-1].data["text/html"]
    assert "--step 30s --agg sum\nup" in html
    assert "&lt;&lt;" not in html
    html = shell.run("%obs_metrics --instant up").outputs[-1].data["text/html"]
    assert "--instant\nup" in html
    long = 'up{job=~"' + "x" * 3000 + '"}'
    html = shell.run(f"%obs_metrics {long}").outputs[-1].data["text/html"]
    assert "<pre>%%obs_metrics" not in html
    assert "%obs catalog up" in html


def test_times_are_shown_in_the_zone_of_the_session(shell: Shell) -> None:
    frame = shell.run("%obs_metrics --no-plot up").result
    frame.attrs["obs"]["notes"] = ["a note"]
    berlin = metrics_panel(frame, "up", name="", options="", zone=ZoneInfo("Europe/Berlin"))
    assert "Europe/Berlin" in str(berlin.chart.spec)
    offset = metrics_panel(frame, "up", name="", options="", zone=timezone(timedelta(hours=3)))
    assert "UTC" in str(offset.chart.spec)
    assert "Note: a note" in offset.to_text()


def test_a_very_long_query(shell: Shell, server: FakePrometheus) -> None:
    query = 'up{job=~"' + "|".join(f"service-{number}" for number in range(20_000)) + '"}'
    assert shell.run(f"%%obs_metrics --no-plot\n{query}").error is None
    assert server.queries() == [query]


def test_help(shell: Shell, server: FakePrometheus) -> None:
    cell = shell.run("%obs_metrics --help")
    assert cell.error is None
    assert cell.result is None
    assert "--rate-interval" not in cell.stdout
    assert "--source" in cell.stdout
    assert server.asked == []
    shown = shell.ip.object_inspect("obs_metrics")
    assert "--dry-run" in shown["docstring"]


@pytest.mark.parametrize("cell", ["%obs_metrics e << --no-plot up;", "%%obs_metrics -o e --no-plot\nup ; \n"])
def test_a_semicolon_hides_the_frame_that_a_variable_holds_and_is_not_asked(
    cell: str, shell: Shell, server: FakePrometheus
) -> None:
    done = shell.run(cell)
    assert done.error is None
    assert done.result is None
    assert server.queries() == ["up"]
    assert not shell.variables["e"].empty


def test_a_semicolon_without_a_variable_loses_nothing(shell: Shell, server: FakePrometheus) -> None:
    assert shell.run("x = %obs_metrics --no-plot up;").error is None
    assert not shell.variables["x"].empty


def test_variables_of_a_function_are_seen_before_those_of_the_notebook(shell: Shell, server: FakePrometheus) -> None:
    shell.variables.update(job="cart", code="500")
    done = shell.run('def ask(job):\n    %obs_metrics --no-plot up{job="${job}", code="${code}"}\nask("api")')
    assert done.error is None
    assert server.queries() == ['up{job="api", code="500"}']


def test_a_value_that_is_none_of_the_few_says_which_there_are(shell: Shell) -> None:
    assert "one of avg, sum, min, max, count" in shell.run("%obs_metrics --agg median up").stdout
