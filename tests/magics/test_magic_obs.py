"""`%obs` in a real shell."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.error import StdinNotImplementedError

from obs_magics.magics.commands import MAGICS
from obs_magics.magics.commands_anomalies import ANOMALIES, CORRELATE
from obs_magics.magics.commands_ask import LOGS, TRACES
from obs_magics.magics.commands_frames import COMPARE
from obs_magics.magics.commands_incident import INCIDENT, TIMELINE
from obs_magics.magics.commands_obs import SUBCOMMANDS
from obs_magics.magics.commands_rca import RCA, REPORT
from obs_magics.model.errors import ObsError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import FakePrometheus, Shell


def test_at_first_it_says_how_to_begin(bare_shell: Shell) -> None:
    cell = bare_shell.run("%obs")
    assert cell.error is None
    assert "%obs demo" in cell.stdout
    assert "%obs connect NAME URL" in cell.stdout


def test_connect_tests_the_source_makes_it_the_default_and_prints_the_yaml(
    bare_shell: Shell, server: FakePrometheus
) -> None:
    cell = bare_shell.run(f"%obs connect prom {server.address}")
    assert cell.error is None
    assert f"prom: Prometheus 2.42.0 at {server.address}" in cell.stdout
    assert f"url: {server.address}" in cell.stdout.replace('"', "").replace("'", "")
    assert "platforms:" in cell.stdout
    assert bare_shell.session.default == "prom"
    table = bare_shell.run("%obs")
    assert server.address in table.text
    assert "%obs_metrics up" in table.text


def test_a_password_is_asked_for_and_never_shown(
    bare_shell: Shell, server: FakePrometheus, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts: list[str] = []

    def answer(prompt: str) -> str:
        prompts.append(prompt)
        return "geheim-42"

    monkeypatch.setattr(getpass, "getpass", answer)
    cell = bare_shell.run(f"%obs connect prom {server.address} --user me --password")
    assert cell.error is None
    assert prompts == ["Password for prom: "]
    shown = [cell, *(bare_shell.run(line) for line in ("%obs", "%obs config", "%obs sources"))]
    assert not any("geheim-42" in one.text + one.stderr + str(one.outputs) for one in shown)
    monkeypatch.setattr(getpass, "getpass", lambda _: "")
    assert "no token was given" in bare_shell.run(f"%obs connect prom {server.address} --token").stdout


def test_where_nobody_can_type_a_password_the_way_out_is_named(
    bare_shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_keyboard(_: str) -> str:
        raise StdinNotImplementedError("raw_input was called, but this frontend does not support input requests.")

    monkeypatch.setattr(getpass, "getpass", no_keyboard)
    cell = bare_shell.run("%obs connect prom http://localhost:1 --user me --password")
    assert isinstance(cell.error, UsageError)
    assert "--password '${NAME}' reads it" in cell.stdout


def test_an_interrupt_is_one_line(bare_shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(_: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(getpass, "getpass", stop)
    cell = bare_shell.run("%obs connect prom http://localhost:1 --token")
    assert isinstance(cell.error, KeyboardInterrupt)
    assert cell.stdout.strip() == "interrupted"


def test_a_secret_typed_in_a_cell_is_warned_about_and_not_repeated(bare_shell: Shell, server: FakePrometheus) -> None:
    cell = bare_shell.run(f"%obs connect prom {server.address} --token geheim-42")
    assert "is now saved in this cell" in cell.stdout
    assert "geheim-42" not in cell.stdout
    named = bare_shell.run(f"%obs connect prom {server.address} --type prometheus --token '${{HOME}}'")
    assert named.error is None
    assert "saved in this cell" not in named.stdout


def test_verify_and_no_verify_contradict(bare_shell: Shell) -> None:
    cell = bare_shell.run("%obs connect prom http://x --verify a.pem --no-verify")
    assert isinstance(cell.error, UsageError)


def test_sources_and_use(shell: Shell, server: FakePrometheus) -> None:
    shell.session.connect("second", server.address)
    assert shell.run("%obs use prom").stdout == "prom is now the default source\n"
    text = shell.run("%obs sources").text
    assert "second" in text
    assert "ready" in text
    assert "did you mean prom" in shell.run("%obs use prm").stdout


def test_several_sources_and_no_default(shell: Shell, tmp_path: Any, server: FakePrometheus) -> None:
    (tmp_path / "obs.yaml").write_text(
        "observability:\n  platforms:\n"
        f"    a: {{type: prometheus, url: '{server.address}', environment: production}}\n"
        f"    b: {{type: prometheus, url: '{server.address}'}}\n"
        f"    c: {{type: prometheus, url: '{server.address}', enabled: false}}\n"
    )
    from obs_magics.api import Session
    from obs_magics.magics import register, unregister

    unregister(shell.ip)
    register(shell.ip, lambda: Session(tmp_path / "obs.yaml"))
    cell = shell.run("%obs")
    assert "%obs_metrics --source a up" in cell.text
    assert "production" in cell.text
    assert "switched off" in cell.text
    assert "--source NAME" in shell.run("%obs_metrics up").stdout
    config = shell.run("%obs config")
    assert "obs.yaml" in config.text
    assert "production" in config.text


def test_config_without_a_file(bare_shell: Shell) -> None:
    text = bare_shell.run("%obs config").text
    assert "no configuration file" in text
    assert "default_time_range" in text


def test_catalog_lists_names_with_type_and_help_escaped(shell: Shell) -> None:
    cell = shell.run("%obs catalog")
    assert "2 metrics" in cell.text
    assert "counter" in cell.text
    assert "Is it &lt;b&gt;up&lt;/b&gt;?" in cell.outputs[0].data["text/html"]
    assert "1 of 2 metrics" in shell.run("%obs catalog --limit 1 --source prom").text
    assert "1 metric\n" in shell.run("%obs catalog REQ").text
    assert "http_requests_total" in shell.run("%obs catalog 'http*'").text


def test_catalog_of_one_metric_shows_labels_and_values(shell: Shell) -> None:
    text = shell.run("%obs catalog http_requests_total").text
    assert "http_requests_total: counter" in text
    assert "200, 500" in text
    assert "200, … (1 of 2)" in shell.run("%obs catalog http_requests_total --limit 1").text


def test_catalog_of_something_that_is_not_there(shell: Shell) -> None:
    cell = shell.run("%obs catalog http_request_totl")
    assert isinstance(cell.error, UsageError)
    assert "did you mean http_requests_total" in cell.stdout


@pytest.mark.parametrize("line", ["%obs conect a b", "%obs nothing", "%obs use", "%obs help nothing", "%obs config x"])
def test_wrong_use_names_the_way_out(bare_shell: Shell, line: str) -> None:
    cell = bare_shell.run(line)
    assert isinstance(cell.error, UsageError)
    assert "→" in cell.stdout
    assert len(cell.stdout.strip().splitlines()) <= 3


def test_help_lists_every_magic(bare_shell: Shell) -> None:
    cell = bare_shell.run("%obs help")
    assert all(
        f"{command.name}: {command.summary}" in cell.stdout for command in [*MAGICS.values(), *SUBCOMMANDS.values()]
    )
    assert "--tenant" in bare_shell.run("%obs help connect").stdout
    assert "--tenant" in bare_shell.run("%obs connect --help").stdout
    assert "--dry-run" in bare_shell.run("%obs help %obs_metrics").stdout
    assert "%obs use NAME" in bare_shell.run("%obs --help").stdout


EXAMPLES = [example for command in [*MAGICS.values(), *SUBCOMMANDS.values()] for example in command.examples]


ELSEWHERE = {  # those need a source of their own
    "%obs_metrics p99 latency of payment-api since 14:00",
    *LOGS.examples,
    *TRACES.examples,
    *COMPARE.examples,
    *ANOMALIES.examples,
    *CORRELATE.examples,
    *INCIDENT.examples,
    *TIMELINE.examples,
    *RCA.examples,
    *REPORT.examples,
}


@pytest.mark.parametrize("example", [one for one in EXAMPLES if "demo" not in one and one not in ELSEWHERE])
def test_every_example_of_the_help_works(
    shell: Shell, server: FakePrometheus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, example: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "latency.csv").write_text("when,host,note,p50,p99\n2026-11-22T10:00:00Z,a,n1,0.1,0.9\n")
    monkeypatch.setattr(getpass, "getpass", lambda _: "x")
    cell = shell.run(example.replace("http://localhost:9090", server.address))
    assert cell.error is None
    assert cell.result is not None or cell.text.strip()


def test_demo_shows_where_it_stands(bare_shell: Shell, monkeypatch: pytest.MonkeyPatch, server: FakePrometheus) -> None:
    connect = bare_shell.session.connect
    monkeypatch.setattr(type(bare_shell.session), "demo", lambda _self, *, progress: connect("demo", server.address))
    cell = bare_shell.run("%obs demo")
    assert cell.error is None
    assert "now the default source" in cell.stdout
    assert bare_shell.run("%obs use demo").error is None


def test_an_error_of_the_source_reaches_the_user_in_a_few_lines(bare_shell: Shell, unused_address: str) -> None:
    cell = bare_shell.run(f"%obs connect gone {unused_address}")
    assert isinstance(cell.error, ObsError)
    assert len(cell.stdout.strip().splitlines()) <= 4


def test_a_folder_is_told_what_its_columns_mean(bare_shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("when;day;host;p50\n22/11/2026 11:00;2026-11-22;a;1,5\n")
    options = (
        "--timestamp when --time-format '%d/%m/%Y %H:%M' --zone Europe/Berlin --decimal , --value p50 --labels host"
    )
    cell = bare_shell.run(f"%obs connect mine {tmp_path / 'x.csv'} {options} --metric lat --now 2026-11-22T10:01:00Z")
    assert cell.error is None
    assert "time_format: '%d/%m/%Y %H:%M'" in cell.stdout
    frame = bare_shell.session.metrics("lat", instant=True)
    assert frame[["value", "metric", "host"]].to_numpy().tolist() == [[1.5, "lat", "a"]]


def test_options_of_a_folder_are_refused_where_they_mean_nothing(bare_shell: Shell, unused_address: str) -> None:
    cell = bare_shell.run(f"%obs connect gone {unused_address} --type prometheus --timestamp when")
    assert isinstance(cell.error, ObsError)
    assert "timestamp: is not a key that is known here" in cell.stdout
