"""`%%obs_sql` in a real shell, over a real folder and frames of the notebook."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.long_statement import LONG, interrupted_when, statement_begun
from support.sql_folders import native_folder

from obs_magics.api import Session
from obs_magics.magics.completion import Completer
from obs_magics.magics.context import Context
from obs_magics.magics.names import Names
from obs_magics.magics.sql import notebook_frames
from obs_magics.magics.sql_variables import expand_sql
from obs_magics.model.errors import QueryError, SourceTimeout, UsageError
from obs_magics.model.logs import LEVEL_DTYPE

if TYPE_CHECKING:
    from conftest import Shell


@pytest.fixture
def shell(make_shell: Callable[[], Shell], bare_session: Session, tmp_path: Path) -> Shell:
    """With the source `here`, a native folder."""
    bare_session.connect("here", str(native_folder(tmp_path / "here")))
    return make_shell()


def test_a_cell_fills_a_variable_and_returns_the_frame(shell: Shell) -> None:
    cell = shell.run(
        "%%obs_sql ups << --source here\nSELECT job_1, count(*) AS n\nFROM metrics -- all\nGROUP BY ALL ORDER BY 1"
    )
    assert cell.error is None
    assert shell.variables["ups"] is cell.result
    assert cell.result["n"].tolist() == [30, 9]
    assert "ups: 2 rows, 2 columns from here (folder)" in cell.text


def test_a_line_works_over_frames_without_any_source(bare_shell: Shell) -> None:
    bare_shell.variables["errors"] = pd.DataFrame({"service": pd.Categorical(["a", "b", "a"])})
    cell = bare_shell.run("%obs_sql -o counts SELECT service, count(*) AS n FROM errors GROUP BY ALL ORDER BY ALL")
    assert cell.error is None
    assert bare_shell.variables["counts"].to_dict("list") == {"service": ["a", "b"], "n": [2, 1]}
    assert "from notebook (duckdb)" in cell.text


def test_what_is_missing_is_said(shell: Shell) -> None:
    cell = shell.run("%obs_sql --limit 3 SELECT * FROM range(10)")
    assert len(cell.result) == 3
    assert "Not complete: the first 3 rows of more (limit)" in cell.text
    assert "SQL: 3 rows, 1 column" in cell.text


LEVELS_ASKED = {
    "level >= 'error'": "def",
    "'error' <= level": "def",
    "e.level > 'warn' AND e.m <> 'f'": "de",
    "level BETWEEN 'debug' AND 'info'": "bg",
    "level NOT BETWEEN 'debug' AND 'error'": "aef",
    "level < 'info'": "ag",
    "level = 'info' OR level IN ('error')": "bd",
    "level IS NULL": "h",
    "level::VARCHAR > 'trace'": "c",
}


@pytest.mark.parametrize("asked", LEVELS_ASKED)
def test_levels_rank(bare_shell: Shell, asked: str) -> None:
    words = ["trace", "info", "warn", "error", "fatal", "fatal", "debug", None]
    bare_shell.variables["e"] = pd.DataFrame({"level": pd.Series(words, dtype=LEVEL_DTYPE), "m": list("abcdefgh")})
    cell = bare_shell.run(f"%obs_sql SELECT m FROM e WHERE /* Größe */ {asked} ORDER BY m")
    assert cell.error is None
    assert "".join(cell.result["m"]) == LEVELS_ASKED[asked]
    assert "no level" not in cell.text


def test_levels_come_back_in_order_of_rank(bare_shell: Shell) -> None:
    words = ["info", "fatal", "error", None]
    bare_shell.variables["e"] = pd.DataFrame(
        {"level": pd.Categorical(words, dtype=LEVEL_DTYPE)}, index=pd.Index([1, 2, 3, 4], name="n")
    )
    found = bare_shell.run("%obs_sql SELECT * FROM e ORDER BY level DESC NULLS FIRST").result
    assert found["n"].tolist() == [4, 2, 3, 1]
    assert found["level"].dtype == LEVEL_DTYPE
    assert bare_shell.run("%obs_sql SELECT max(level) AS worst FROM e").result["worst"].tolist() == ["fatal"]
    assert "errors" not in bare_shell.run("%obs_sql SHOW TABLES").result["name"].tolist()


def test_a_level_that_is_unknown_stays_and_a_word_that_is_none_is_said(bare_shell: Shell) -> None:
    bare_shell.variables["e"] = pd.DataFrame({"level": ["info", "notice", "warn"], "n": [1, 2, 3]})
    cell = bare_shell.run("%obs_sql SELECT level FROM e WHERE level >= 'notice' ORDER BY n")
    assert cell.result["level"].tolist() == ["notice", "warn"]
    assert "'notice' is no level (trace < debug < info < warn < error < fatal)" in cell.text
    wrong = bare_shell.run("%obs_sql SELECT n FROM e WHERE level > 'info' AND nn > 2").error
    assert isinstance(wrong, QueryError)
    assert wrong.query[wrong.position :] == "nn > 2"


def test_levels_of_a_folder_rank(make_shell: Callable[[], Shell], bare_session: Session, tmp_path: Path) -> None:
    words = pa.array(["info", "error", None, "fatal"]).dictionary_encode()
    lines = pa.table({"level": words, "n": [1, 2, 3, 4]})
    odd = pa.table({"Level": ["info", "NOTICE"]})
    (tmp_path / "f").mkdir()
    for name, table in {"lines": lines, "odd": odd}.items():
        pq.write_table(table, tmp_path / "f" / f"{name}.parquet")
    (tmp_path / "f" / "up.prom").write_text("up 1 1795363200000\n")
    bare_session.connect("f", str(tmp_path / "f"))
    shell = make_shell()
    assert shell.run("%obs_sql SELECT n FROM lines WHERE level >= 'error' ORDER BY level DESC").result[
        "n"
    ].tolist() == [4, 2]
    assert shell.run("%obs_sql SELECT Level FROM odd WHERE Level < 'a'").result["Level"].tolist() == ["NOTICE"]


def test_variables_become_literals(shell: Shell) -> None:
    shell.variables.update(jobs=["api", "o'neil"], least=5)
    cell = shell.run(
        "%obs_sql SELECT count(*) AS n FROM metrics WHERE job_1 IN ${jobs} AND value >= ${least} AND metric = 'up'"
    )
    assert cell.error is None
    assert cell.result["n"][0] == 5
    assert shell.run("%obs_sql --limit 1 SELECT '{jobs}' AS x, $$ {least} $$ AS y").result.iloc[0].tolist() == [
        "{jobs}",
        " {least} ",
    ]


def test_a_dry_run_runs_nothing(shell: Shell) -> None:
    shell.variables["mine"] = pd.DataFrame({"x": [1]})
    cell = shell.run("%%obs_sql x << --dry-run --timeout 5s\nSELECT *\nFROM metrics, mine, nobody")
    assert cell.result is None
    assert "x" not in shell.variables
    for text in ("here (folder, ", "metrics (table), mine (frame), nobody (unknown)", "10,000 rows, 5s"):
        assert text in cell.text
    assert "notebook (duckdb)" not in cell.text
    assert "no table" in shell.run("%obs_sql --dry-run SELECT 1").text


def test_help(bare_shell: Shell) -> None:
    assert "--timeout" in bare_shell.run("%obs_sql --help").stdout
    assert "%%obs_sql busy" in bare_shell.run("%obs help obs_sql").stdout


@pytest.mark.parametrize(
    ("line", "error", "says"),
    [
        ("%obs_sql", UsageError, "there is no query"),
        ("%%obs_sql\n  \n", UsageError, "there is no query"),
        ("%%obs_sql\n-- nothing", QueryError, "there is no query"),
        ("%obs_sql --sorce here SELECT 1", UsageError, "did you mean --source"),
        ("%obs_sql -s hre SELECT 1", UsageError, "did you mean here"),
        ("%obs_sql --limit 0 SELECT 1", UsageError, "--limit"),
        ("%obs_sql --timeout soon SELECT 1", UsageError, "soon"),
        (f"%obs_sql --timeout 100ms {LONG}", SourceTimeout, "100ms"),
        ("%obs_sql SELECT ${nobody}", UsageError, "no Python variable nobody"),
        ("%obs_sql COPY metrics TO 'x'", QueryError, "COPY does more than read"),
        ("%obs_sql SELECT * FROM read_csv('/etc/passwd')", QueryError, "no files"),
        ("%obs_sql SELECT servce FROM series", QueryError, "not found"),
    ],
)  # fmt: skip
def test_errors(shell: Shell, line: str, error: type[Exception], says: str) -> None:
    shell.variables["kept"] = 1
    cell = shell.run(line.replace("%obs_sql", "%obs_sql kept <<", 1) if "\n" not in line else line)
    assert type(cell.error) is error
    assert says in str(cell.error)
    assert shell.variables["kept"] == 1


def test_an_interrupt_stops_the_statement(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    with interrupted_when(statement_begun(monkeypatch)):
        cell = shell.run(f"%obs_sql --timeout 15m {LONG}")
    assert isinstance(cell.error, KeyboardInterrupt)
    assert "the statement was stopped" in str(cell.error)
    assert shell.run("%obs_sql SELECT 1 AS one").result["one"][0] == 1


VALUES: dict[str, Any] = {
    "text": "it's",
    "number": 3,
    "half": np.float64(0.5),
    "nan": float("nan"),
    "huge": float("-inf"),
    "money": Decimal("1.50"),
    "yes": True,
    "nothing": None,
    "when": datetime(2026, 11, 22, 14, 5),
    "stamp": pd.Timestamp("2026-11-22 14:05:00.123456789", tz="UTC"),
    "day": date(2026, 11, 22),
    "span": timedelta(minutes=5),
    "names": ["a", "o'b", "a"],
    "numbers": np.array([1, 2]),
    "empty": [],
    "frame": pd.DataFrame({"service": ["x", "y"]}),
    "gone": pd.NaT,
    "nul": "a\x00",
    "query": "SELECT '${text}'",
    "back": "a\\b'c",
    "thing": object(),
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT ${text}", "SELECT 'it''s'"),
        ("SELECT '%${text}%'", "SELECT '%it''s%'"),
        ('SELECT "${text}"', 'SELECT "it\'s"'),
        ("SELECT E'\\'${back}'", "SELECT E'\\'a\\\\b''c'"),
        ("SELECT ${number}, ${half}, '${number}'", "SELECT 3, 0.5, '3'"),
        ("SELECT ${nan}, ${huge}", "SELECT 'NaN'::DOUBLE, '-Infinity'::DOUBLE"),
        ("SELECT ${money}, ${yes}, '${yes}', ${nothing}", "SELECT 1.50, TRUE, 'true', NULL"),
        ("SELECT ${when}, '${day}'", "SELECT TIMESTAMPTZ '2026-11-22T14:05:00.000000+00:00', '2026-11-22'"),
        ("SELECT ${stamp}", "SELECT TIMESTAMPTZ '2026-11-22T14:05:00.123456+00:00'"),
        ("SELECT ${day}, ${span}", "SELECT DATE '2026-11-22', INTERVAL '300000000 microseconds'"),
        ("x IN ${names}", "x IN ('a', 'o''b')"),
        ("x IN ( ${names} )", "x IN ( 'a', 'o''b' )"),
        ("x IN ${numbers} AND y IN ${frame.service}", "x IN (1, 2) AND y IN ('x', 'y')"),
        ("SELECT 1 -- ${nobody}\n/* ${nobody} */", "SELECT 1 -- ${nobody}\n/* ${nobody} */"),
        ("SELECT '$${text}', ${__from}", "SELECT '${text}', ${__from}"),
        ("SELECT 'it''s -- ${text}'", "SELECT 'it''s -- it''s'"),
        (" ${query} ", "SELECT '${text}'"),
    ],
)
def test_how_values_are_written(text: str, expected: str) -> None:
    assert expand_sql(text, VALUES, zone=UTC) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("FROM ${frame} x", "FROM frame"),
        ("SELECT 1 IN ${empty}", "is empty"),
        ("SELECT '${names}'", "quotes hold one value"),
        ('SELECT "${number}"', "no name"),
        ("SELECT '${nothing}'", "is None"),
        ("SELECT ${gone}", "NaTType"),
        ("SELECT ${nul}", "characters that no query can carry"),
        ("SELECT ${thing}", "can stand in SQL"),
        ("SELECT '${span}'", "timedelta"),
        ("SELECT ${frame.servce}", "has no attribute servce"),
    ],
)
def test_what_cannot_stand_there_is_said(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=r".") as caught:
        expand_sql(text, VALUES, zone=UTC)
    assert says in str(caught.value)


_DATABASE = duckdb.connect()


@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=30))
def test_any_text_reaches_duckdb_as_it_is(text: str) -> None:
    for form in (
        "SELECT ${t} AS t",
        "SELECT '${t}' AS t",
        "SELECT E'${t}' AS t",
        "SELECT t FROM (SELECT ${t} AS t) WHERE t IN ${l}",
    ):
        query = expand_sql(form, {"t": text, "l": [text]}, zone=UTC)
        assert _DATABASE.execute(query).fetchall() == [(text,)]


@pytest.fixture
def complete(shell: Shell) -> Callable[[str], list[str]]:
    shell.variables["errors"] = pd.DataFrame({"status": [1]})
    completer = Completer(Context(shell.ip, lambda: shell.session), Names(deadline_seconds=60))

    def ask(text: str) -> list[str]:
        before, _, after = text.partition("|")
        found = completer.complete(before + after, len(before))
        assert found is not None
        return list(found.names)

    return ask


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("%%obs_sql\nSELECT * FROM |", ["errors", "metrics", "series", "spans"]),
        ("%%obs_sql\nSELECT * FROM met|", ["metrics"]),
        ("%%obs_sql\nSELECT * FROM series s, sp|", ["spans"]),
        ('%%obs_sql\nSELECT * FROM series JOIN "sp|', ["spans"]),
        ("%%obs_sql\nDESCRIBE err|", ["errors"]),
        ("%%obs_sql\nSELECT dur| FROM spans", ["duration"]),
        ("%%obs_sql\nSELECT spans.tr| FROM spans", ["trace_id"]),
        ("%%obs_sql\nSELECT stat| FROM errors", ["status"]),
        ("%%obs_sql\nSELECT e.stat| FROM errors e", ["status"]),
        ("%%obs_sql\nsel|", ["SELECT"]),
        ("%%obs_sql\nSELECT 'FROM |", []),
        ("%%obs_sql\nSELECT 1 -- FROM |", []),
        ("%%obs_sql\nSELECT ${erro|", ["errors"]),
        ("%obs_sql --limit 5 SELECT * FROM spa|", ["spans"]),
        ("%%obs_sql --source her|\n", ["here"]),
        ("%%obs_sql --ti|\n", ["--timeout"]),
    ],
)
def test_completion(complete: Callable[[str], list[str]], text: str, names: list[str]) -> None:
    assert complete(text) == names


def test_without_pandas_there_are_no_frames_and_it_is_not_imported(
    bare_shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "pandas")
    assert notebook_frames(Context(bare_shell.ip)) == {}
    assert "pandas" not in sys.modules


def test_completion_without_a_source_knows_the_frames(bare_shell: Shell) -> None:
    bare_shell.variables["errors"] = pd.DataFrame({"status": [1]})
    completer = Completer(Context(bare_shell.ip, lambda: bare_shell.session), Names(deadline_seconds=60))
    found = completer.complete("%%obs_sql\nFROM ", 15)
    assert found is not None
    assert list(found.names) == ["errors"]


def test_frames_and_variables_of_a_function_are_seen(bare_shell: Shell) -> None:
    cell = bare_shell.run(
        "import pandas as pd\ndef ask(own, least):\n    return get_ipython().run_line_magic("
        "'obs_sql', 'SELECT sum(x) AS s FROM own WHERE x >= ${least}')\nask(pd.DataFrame({'x': [1, 2, 3]}), 2)"
    )
    assert cell.error is None
    assert cell.result["s"].tolist() == [5]
