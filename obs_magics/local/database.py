"""DuckDB on a short leash: it may read one folder, reaches no network, and cannot be talked out of either."""

from __future__ import annotations

from pathlib import Path

import duckdb

_SETTINGS = (
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET python_enable_replacements = false",
    "SET enable_progress_bar = false",
    "SET preserve_insertion_order = true",
)
_LOCKS = ("SET enable_external_access = false", "SET lock_configuration = true")


def quoted(text: str) -> str:
    """An SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """An SQL identifier in quotes."""
    return '"' + name.replace('"', '""') + '"'


def connect(path: Path, zone: str = "UTC") -> duckdb.DuckDBPyConnection:
    """A database in memory that may read the file or what lies under the folder `path`, and nothing else.

    Times without a zone are read as times of `zone`, in its cursors too.
    """
    connection = duckdb.connect()
    for setting in (*_SETTINGS, f"SET GLOBAL TimeZone = {quoted(zone)}"):
        connection.execute(setting)
    place = f"allowed_directories = [{quoted(str(path) + '/')}]" if path.is_dir() else _only_file(path)
    connection.execute(f"SET {place}")
    for lock in _LOCKS:
        connection.execute(lock)
    return connection


def _only_file(path: Path) -> str:
    return f"allowed_paths = [{quoted(str(path))}]"
