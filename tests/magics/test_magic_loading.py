"""Loading is light, harmless to repeat, and can be undone without a trace."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from obs_magics.magics import register, unregister

if TYPE_CHECKING:
    from conftest import FakePrometheus, Shell

HEAVY = [
    "pandas",
    "numpy",
    "altair",
    "sklearn",
    "duckdb",
    "pyarrow",
    "httpx",
    "pydantic",
    "msgspec",
    "yaml",
    "rapidfuzz",
    "promql_parser",
    "jinja2",
]

LOAD = """
import sys
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

config = Config()
config.HistoryManager.enabled = False
shell = InteractiveShell.instance(config=config)
before, names = set(sys.modules), set(shell.user_ns)
shell.run_cell("%load_ext obs_magics")
shell.run_cell("1 + 1")
{more}
print(*sorted(set(sys.modules) - before))
print(*sorted(set(shell.user_ns) - names))
"""


def imported(more: str = "") -> tuple[set[str], set[str]]:
    """Modules and variables that come with loading the extension in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", LOAD.format(more=more)], capture_output=True, text=True, check=True, timeout=60
    )
    modules, names = done.stdout.split("\n")[-3:-1]
    return set(modules.split()), set(names.split())


def test_loading_imports_nothing_heavy_and_gives_the_user_no_names() -> None:
    modules, names = imported()
    assert "obs_magics.magics" in modules
    assert not {name.partition(".")[0] for name in modules} & set(HEAVY)
    assert {name for name in names if not name.startswith("_")} <= {"Out", "In", "exit", "quit", "get_ipython"}
    assert len([name for name in modules if name.startswith("obs_magics")]) < 16


def test_completing_in_cells_of_others_imports_nothing_of_ours() -> None:
    modules, _ = imported("shell.complete('impo'); shell.complete('%tim')")
    assert "obs_magics.magics.completion" not in modules


def test_help_needs_neither_pandas_nor_a_session() -> None:
    modules, _ = imported("shell.run_cell('%obs_metrics?')")
    assert "pandas" not in modules


def test_loading_twice_is_harmless_and_unloading_leaves_no_trace(ipython: Any) -> None:
    matchers = list(ipython.Completer.custom_matchers)
    magics = {kind: set(names) for kind, names in ipython.magics_manager.magics.items()}
    register(ipython)
    register(ipython)
    assert len(ipython.Completer.custom_matchers) == len(matchers) + 1
    assert ipython.find_line_magic("obs")
    assert ipython.find_cell_magic("obs_metrics")
    unregister(ipython)
    unregister(ipython)
    assert ipython.Completer.custom_matchers == matchers
    assert {kind: set(names) for kind, names in ipython.magics_manager.magics.items()} == magics
    assert not hasattr(ipython.magics_manager.user_magics, "obs_metrics")


def test_the_extension_commands_do_it_too(ipython: Any) -> None:
    ipython.run_cell("%load_ext obs_magics")
    assert ipython.find_line_magic("obs")
    ipython.run_cell("%reload_ext obs_magics")
    assert ipython.find_line_magic("obs")
    ipython.run_cell("%unload_ext obs_magics")
    assert ipython.find_line_magic("obs") is None


def test_a_shell_without_completion_has_the_magics_all_the_same() -> None:
    class Manager:
        def __init__(self) -> None:
            self.magics: dict[str, dict[str, Any]] = {"line": {}, "cell": {}}
            self.user_magics = self

    class Plain:
        Completer = None
        magics_manager = Manager()

        def register_magic_function(self, function: Any, kind: str, name: str) -> None:
            self.magics_manager.magics[kind][name] = function

    shell = Plain()
    register(shell)
    assert set(shell.magics_manager.magics["cell"]) == {
        *("obs_anomalies", "obs_correlate", "obs_events", "obs_logs"),
        *("obs_metrics", "obs_sql", "obs_timeline", "obs_traces"),
    }
    unregister(shell)
    assert shell.magics_manager.magics == {"line": {}, "cell": {}}


def test_one_session_is_made_when_first_needed_and_closed_with_the_shell(ipython: Any) -> None:
    class Recorded:
        default = None
        sources: list[Any] = []  # noqa: RUF012 - nothing is ever added

        def __init__(self) -> None:
            made.append(self)
            self.closed = False

        def close(self) -> None:
            self.closed = True

    made: list[Recorded] = []
    opened: Callable[[], Any] = Recorded
    register(ipython, opened)
    assert made == []
    ipython.run_cell("%obs")
    ipython.run_cell("%obs sources")
    assert len(made) == 1
    unregister(ipython)
    assert made[0].closed


@pytest.mark.usefixtures("server")
def test_without_a_configuration_the_session_is_the_ordinary_one(shell: Shell, server: FakePrometheus) -> None:
    unregister(shell.ip)
    register(shell.ip)
    assert "No source yet" in shell.run("%obs").stdout
    assert server.queries() == []
