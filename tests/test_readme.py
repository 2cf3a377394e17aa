"""What the README shows works as it stands there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import ROOT
from IPython.core.interactiveshell import InteractiveShell

README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.chdir(tmp_path)
    InteractiveShell.clear_instance()
    made = InteractiveShell.instance()
    made.run_line_magic("load_ext", "obs_magics")
    yield made
    made.run_line_magic("unload_ext", "obs_magics")
    InteractiveShell.clear_instance()


def block(start: str) -> str:
    """The one block of Python that begins so."""
    (found,) = [text for text in PYTHON if text.startswith(start)]
    return found


def test_the_cell_of_the_readme_gives_a_frame(shell: Any) -> None:
    assert shell.run_cell("%obs demo").success
    result = shell.run_cell(block("%%obs_metrics"))
    assert result.success
    assert list(shell.user_ns["errors"].columns) == ["timestamp", "value", "metric", "service"]


def test_the_question_about_logs_says_what_the_readme_says(shell: Any) -> None:
    assert shell.run_cell("%obs demo").success
    assert shell.run_cell(block("%%obs_logs")).success
    said = re.sub(r"\s+", " ", README)
    for service, count in shell.user_ns["failed"]["service"].value_counts().items():
        assert f"{service} ({count}): “" in said.replace("> ", "")


def test_the_question_about_traces_says_what_the_readme_says(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert shell.run_cell("%obs demo").success
    assert shell.run_cell(block("%obs_traces")).success
    told = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert "inventory-service is the bottleneck: 93 % of the time on the critical path" in told
    assert "5.18 s on average" in told
    assert "since 12:40" in told


def test_from_the_incident_to_the_report_as_the_readme_says(
    shell: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shell.run_cell("%obs demo").success
    assert shell.run_cell(block("%obs_incident")).success
    told = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert "payment-api: redis pool: max connections 100 → 20 – very likely" in told
    assert "which did not help" in told
    assert (tmp_path / "postmortem.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_the_question_about_what_is_unusual_says_what_the_readme_says(
    shell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shell.run_cell("%obs demo").success
    assert shell.run_cell(block("%obs_anomalies")).success
    latency = shell.user_ns["odd"].query("metric == 'latency_p99'").iloc[0]
    assert 2.315 <= latency["value"] < 2.325
    assert latency["value"] > 5 * latency["expected_high"]
    told = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert re.search(r"[34] min before, 14:13: config change payment-api: redis pool: max connections 100 → 20", told)


def test_the_session_of_the_readme_works() -> None:
    names: dict[str, Any] = {}
    exec(compile(block("from obs_magics import Session"), "README", "exec"), names)
    frame = names["p99"]
    assert isinstance(frame, pd.DataFrame)
    assert frame["value"].max() > 2


def test_the_example_configuration_is_valid(tmp_path: Path) -> None:
    from obs_magics import Session

    (text,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    file = tmp_path / "obs.yaml"
    file.write_text(text)
    assert [source.name for source in Session(file, environ={}).sources] == ["prometheus"]


def test_what_the_readme_points_at_is_there() -> None:
    links = re.findall(r"\]\(((?!http)[^)]+)\)", README) + re.findall(r'src(?:set)?="([^"]+)"', README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_what_happened_says_what_the_readme_says(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert shell.run_cell("%obs demo").success
    assert shell.run_cell(block("%obs_events")).success
    told = re.sub(r"\s+", " ", capsys.readouterr().out)
    (said,) = re.findall(r"(in the 30 min before .*?)\.\n", README.replace("\n> ", " "), re.DOTALL)
    assert said in told
