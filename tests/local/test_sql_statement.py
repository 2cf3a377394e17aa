"""What may be run: judged by DuckDB's own parser."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.local.sql.problems import explained, judged, located
from obs_magics.local.sql.statement import judge
from obs_magics.model.errors import QueryError

READS = [
    "SELECT 1",
    "select 1;",
    "WITH a AS (SELECT 1 AS x) SELECT * FROM a",
    "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 3) SELECT * FROM r",
    "FROM metrics",
    "TABLE metrics",
    "VALUES (1), (2)",
    "SELECT 1 UNION SELECT 2",
    "DESCRIBE metrics",
    "DESCRIBE SELECT 1",
    "SHOW TABLES",
    "SUMMARIZE metrics",
    "EXPLAIN SELECT 1",
    "explain analyze select 1",
    "EXPLAIN (FORMAT json) SELECT 1",
    "-- why\n/* and\nwhy not */ EXPLAIN ANALYZE\n SELECT 1",
    "EXPLAIN (SELECT 1)",
    "UNPIVOT metrics ON value",
    "PIVOT metrics ON job IN ('a') USING sum(value)",
    "SELECT * FROM range(3), generate_series(1, 2), unnest([1, 2])",
    "SELECT 'DROP TABLE x; COPY y TO z'",
]
WRITES = [
    "INSERT INTO metrics VALUES (1)",
    "UPDATE metrics SET value = 1",
    "DELETE FROM metrics",
    "CREATE TABLE x AS SELECT 1",
    "CREATE TEMP VIEW x AS SELECT 1",
    "DROP TABLE metrics",
    "ALTER TABLE metrics RENAME TO x",
    "COPY metrics TO '/tmp/x.csv'",
    "COPY (SELECT 1) TO '/tmp/x.csv'",
    "COPY metrics FROM '/etc/passwd'",
    "EXPORT DATABASE '/tmp/x'",
    "IMPORT DATABASE '/tmp/x'",
    "ATTACH '/tmp/x.db' AS x",
    "DETACH memory",
    "INSTALL httpfs",
    "LOAD httpfs",
    "PRAGMA database_list",
    "SET memory_limit = '100GB'",
    "RESET memory_limit",
    "USE memory",
    "CALL enable_logging()",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "CHECKPOINT",
    "VACUUM",
    "PREPARE a AS SELECT 1",
    "EXECUTE a",
    "PIVOT metrics ON job USING sum(value)",
    "WITH x AS (INSERT INTO metrics VALUES (1) RETURNING *) SELECT * FROM x",
    "WITH x AS (DELETE FROM metrics RETURNING *) SELECT * FROM x",
    "WITH x AS (UPDATE metrics SET value = 1 RETURNING *) SELECT * FROM x",
    "WITH x AS (COPY metrics TO '/tmp/x' (USE_TMP_FILE false)) SELECT 1",
    "SELECT * FROM (WITH x AS (COPY metrics TO '/tmp/x') SELECT 1)",
    "EXPLAIN INSERT INTO metrics VALUES (1)",
    "EXPLAIN ANALYZE COPY metrics TO '/tmp/x'",
    "EXPLAIN ANALYZE WITH x AS (COPY metrics TO '/tmp/x') SELECT 1",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE metrics",
    "EXPLAIN SELECT 1; COPY metrics TO '/tmp/x'",
]
FORBIDDEN_FUNCTIONS = [
    "read_csv('/etc/passwd')",
    "read_csv_auto('/etc/passwd')",
    "READ_TEXT('/etc/passwd')",
    "read_blob('/etc/*')",
    "read_json('https://example.com/x')",
    "read_parquet('s3://bucket/x')",
    "parquet_metadata('/etc/passwd')",
    "sniff_csv('/etc/passwd')",
    "glob('/*')",
    "query('SELECT 1')",
    "query_table('metrics')",
    "json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
    "duckdb_secrets()",
    "duckdb_settings()",
    "enable_logging()",
    "checkpoint()",
    "arrow_scan(1, 2, 3)",
    "pandas_scan(1)",
    "seq_scan('metrics')",
]


@pytest.mark.parametrize("text", READS)
def test_what_reads_is_run(text: str) -> None:
    assert judge(text).text == text


@pytest.mark.parametrize("text", WRITES)
def test_what_does_more_is_refused(text: str) -> None:
    with pytest.raises(QueryError) as caught:
        judged(text, "demo (here)")
    assert caught.value.query == text
    assert caught.value.where == "demo (here)"
    assert caught.value.hint


@pytest.mark.parametrize("call", FORBIDDEN_FUNCTIONS)
@pytest.mark.parametrize("form", ["SELECT * FROM {}", "EXPLAIN ANALYZE SELECT * FROM {}", "SELECT (SELECT 1 FROM {})"])
def test_table_functions_that_reach_out_are_refused_where_they_stand(call: str, form: str) -> None:
    text = form.format(call)
    with pytest.raises(QueryError, match="cannot be used here") as caught:
        judge(text)
    assert caught.value.position == text.index(call)


def test_the_tables_and_functions_that_are_named() -> None:
    statement = judge(
        "EXPLAIN WITH é AS (SELECT now()) SELECT 'ü', * FROM é, Logs JOIN logs b ON true, main.spans, \"x y\""
    )
    assert {table.name for table in statement.tables} == {"Logs", "x y"}
    (logs,) = [table for table in statement.tables if table.name == "Logs"]
    assert logs.position == statement.text.index("Logs")
    assert "now" in statement.functions


@pytest.mark.parametrize("text", ["", "  \n", "-- only a comment", ";"])
def test_no_statement(text: str) -> None:
    with pytest.raises(QueryError, match="there is no query"):
        judge(text)


def test_a_syntax_error_has_its_place() -> None:
    with pytest.raises(QueryError) as caught:
        judged("SELECT 'é',\n  1 FORM x y", "")
    assert caught.value.query[caught.value.position :].startswith(("FORM", "x", "y"))
    assert "Parser Error" in caught.value.words


@pytest.mark.parametrize(
    ("words", "text", "expected"),
    [
        ("Binder Error: no mark", "SELECT 1", (None, 1)),
        ("Error\n\nLINE 9: x\n        ^", "SELECT 1", (None, 1)),
        ("Error\n\nLINE 1: another text\n        ^^", "SELECT 1", (None, 1)),
        ("Error\n\nLINE 2: ...ab cd...\n              ^^", "SELECT\n12345 ab cd 6789", (16, 2)),
        ("Error\n\nLINE 1: ...x\n           ^", "...x", (3, 1)),
    ],
)
def test_where_duckdb_says_it_is_wrong(words: str, text: str, expected: tuple[int | None, int]) -> None:
    assert located(words, text) == expected


def test_an_error_without_words_is_an_error_all_the_same() -> None:
    assert "refuses" in str(explained(duckdb.Error(""), "SELECT 1", None, {}, where=""))


@given(st.text(max_size=60))
def test_any_text_is_a_statement_or_an_error_of_ours(text: str) -> None:
    try:
        judged(text, "")
    except QueryError:
        return
    assert duckdb.extract_statements(text)[0].type.name in {"SELECT", "EXPLAIN"}
