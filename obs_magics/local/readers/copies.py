"""What DuckDB reads of a file, and with which database: as it is, without its bad lines, or unpacked."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np

from obs_magics.local.database import connect
from obs_magics.local.readers.base import Complaints, File

Array = np.ndarray[Any, Any]


def good_lines(file: File, complaints: Complaints) -> tuple[Array, bool]:
    """The numbers of the lines that are JSON objects, and whether they can be read where they lie.

    Says what is wrong with the others.
    """
    numbers, whole = [], file.plain
    with file.open() as stream:
        for number, line in enumerate(stream, start=1):
            why = _fault(line)
            if why:
                complaints.add(why, number)
                whole = False
            elif line.strip():
                numbers.append(number)
    return np.asarray(numbers, np.int64), whole


def _fault(line: bytes) -> str:
    """Why a line is not a JSON object; nothing when it is one, or empty."""
    text = line.strip()
    if not text:
        return ""
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except msgspec.DecodeError as problem:
        return f"not JSON: {problem}"
    return "" if text.startswith(b"{") else "not a JSON object"


@contextmanager
def database(file: File, path: Path, zone: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database that may read `path`, which is `file` or a copy of it; times that name no zone are of `zone`."""
    shared = file.database if path == file.path else None
    with shared.cursor() if shared else connect(path, zone) as connection:
        yield connection


@contextmanager
def clean(file: File, whole: bool) -> Iterator[Path]:
    """The file itself when it is whole, else a temporary copy without its bad lines."""
    if whole:
        yield file.path
        return
    with tempfile.TemporaryDirectory(prefix="obs-magics-") as folder:
        path = Path(folder) / "clean.jsonl"
        with file.open() as given, path.open("wb") as kept:
            kept.writelines(line.rstrip(b"\n") + b"\n" for line in given if line.strip() and not _fault(line))
        yield path


@contextmanager
def unpacked(file: File) -> Iterator[Path]:
    """The file itself, or a temporary copy that is not compressed and is UTF-8 without a byte order mark."""
    if file.plain:
        yield file.path
        return
    with tempfile.TemporaryDirectory(prefix="obs-magics-") as folder:
        path = Path(folder) / "unpacked"
        with file.open() as packed, path.open("wb") as plain:
            shutil.copyfileobj(packed, plain)
        yield path
