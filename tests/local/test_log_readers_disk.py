"""Files as they lie on disks: compressed, cut short, in archives, in other encodings, with holes, behind links."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from support.log_files import log_rows, problems, read_log, write_log

from obs_magics.local.readers import read_files
from obs_magics.local.readers.base import Mapping

LINES = "".join(
    f"2026-11-22T14:{n // 60 % 60:02d}:{n % 60:02d}Z ERROR {hashlib.md5(b'%d' % n).hexdigest()}\n"
    for n in range(30_000)
).encode()


def zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("logs/pay.log", content)
        archive.writestr("__MACOSX/._pay.log", "junk")
        archive.writestr(".hidden", "junk")
        archive.writestr("cart.jsonl", '{"time":"2026-11-22T14:00:00Z","msg":"hello"}\n')
    return packed.getvalue()


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda content: pa.compress(content, codec="zstd", asbytes=True),
}


@pytest.mark.parametrize("ending", PACKED)
def test_of_a_compressed_file_that_is_cut_or_damaged_what_can_be_read_is_kept(tmp_path: Path, ending: str) -> None:
    packed = PACKED[ending](LINES)
    name = f"pay.log.{ending}"
    assert len(log_rows(read_log(tmp_path / name, packed))) == 30_000
    cut = read_log(tmp_path / name, packed[: len(packed) * 3 // 4])
    found = [message for *_, message in log_rows(cut)]
    assert 10_000 < len(found) < 30_000
    whole = {*LINES.decode().splitlines()}
    assert sum(message not in whole for message in found) <= 1  # the line where it was cut
    assert len(problems(cut)) == 1
    assert problems(cut)[0].startswith(f"{name}: it is cut short or damaged (")
    assert problems(cut)[0].endswith("): read as far as it goes")
    nothing = read_log(tmp_path / name, packed[:12])
    assert not nothing.logs
    assert problems(nothing)[0].endswith("): nothing of it can be read")


def test_of_a_table_of_numbers_that_is_cut_the_last_line_is_not_believed(tmp_path: Path) -> None:
    body = "".join(f"{1795356000 + n},{n * 1_000_003}\n" for n in range(40_000))
    packed = gzip.compress(f"t,value\n{body}".encode())
    reading = read_log(tmp_path / "m.csv.gz", packed[: len(packed) // 2])
    (rows,) = reading.rows
    assert np.array_equal(rows.values, np.arange(len(rows.values)) * 1_000_003.0)
    assert 1000 < len(rows.values) < 40_000
    assert problems(reading)[0].startswith("m.csv.gz: it is cut short or damaged")
    text = "".join(f'up{{n="{n}"}} {n * 1_000_003} 1795356000000\n' for n in range(20_000))
    packed = gzip.compress(text.encode())
    reading = read_log(tmp_path / "m.prom.gz", packed[: len(packed) // 2])
    (rows,) = reading.rows
    assert all(value == int(labels["n"]) * 1_000_003.0 for labels, value in zip(rows.labels, rows.values, strict=True))


def test_the_files_of_a_zip_archive_are_read(tmp_path: Path) -> None:
    reading = read_log(tmp_path / "export.zip", zipped(LINES))
    assert {name for table in reading.logs for name in table["filename"].unique().to_pylist()} == {
        "export.zip/cart.jsonl",
        "export.zip/logs/pay.log",
    }
    assert {service for _, _, service, _ in log_rows(reading)} == {"pay", "cart"}
    broken = read_log(tmp_path / "broken.zip", zipped(LINES)[:200])
    assert problems(broken)[0].startswith("broken.zip: ")
    with tarfile.open(tmp_path / "all.tgz", "w:gz") as archive:
        archive.add(tmp_path / "export.zip", "export.zip")
    assert problems(read_files(tmp_path / "all.tgz", Mapping())) == [
        "all.tgz: it is a tar archive: unpack it, and open the folder"
    ]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig", "utf-32", "latin-1"])
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_files_in_other_encodings(tmp_path: Path, encoding: str, ending: str) -> None:
    text = "2026-11-22 14:00:00 ERROR Größe überschritten\r\n2026-11-22 14:00:01 INFO x\r\n" * 3
    content = text.encode(encoding)
    reading = read_log(tmp_path / f"pay.log{ending}", gzip.compress(content) if ending else content)
    assert log_rows(reading)[0] == ("14:00:00", "error", "pay", "2026-11-22 14:00:00 ERROR Größe überschritten")
    assert len(log_rows(reading)) == 6
    told = [f"pay.log{ending}: 3 lines are no UTF-8: read as Windows-1252 where that may be"]
    assert problems(reading) == (told if encoding == "latin-1" else [])


def test_what_this_user_may_not_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pay.log", "secret.log"):
        write_log(tmp_path / name, "2026-11-22T14:00:00Z ERROR boom\n")
    own = Path.open

    def refuse(path: Path, *how: Any, **more: Any) -> Any:
        if path.name == "secret.log":
            raise PermissionError(13, "Permission denied", str(path))
        return own(path, *how, **more)

    monkeypatch.setattr(Path, "open", refuse)
    reading = read_files(tmp_path, Mapping())
    assert [table["filename"][0].as_py() for table in reading.logs] == ["pay.log"]
    assert problems(reading) == ["secret.log: cannot be read: Permission denied"]


@pytest.mark.parametrize(
    "content",
    [
        b'{"time":"2026-11-22T14:00:00Z","msg":"caf\xe9"}\n' * 3,
        b'[{"time":"2026-11-22T14:00:00Z","msg":"caf\xe9"}]',
        b'{\n"time":"2026-11-22T14:00:00Z",\n"msg":"caf\xe9"}',
        b'{"data":{"resultType":"streams","result":[{"stream":{"a":"\xff"},"values":[["1","x"]]}]}}',
        b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1","body":{"stringValue":"\xff"}}]}]}]}',
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"\xff"}]}]}]}',
        b'{"data":[{"traceID":"\xff","spans":[]}]}',
        b'[{"traceId":"\xff","id":"1"}]',
        b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"\xff"},"values":[]}]}}',
        b'[{"time":"2026-11-22T14:00:00Z","kind":"deployment","title":"\xff"}]',
        b" 5\n 6\n",
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_one_odd_file_does_not_stop_the_others(tmp_path: Path, content: bytes) -> None:
    write_log(tmp_path / "a", content)
    write_log(tmp_path / "pay.log", "2026-11-22T14:00:00Z ERROR boom\n")
    reading = read_files(tmp_path, Mapping())
    assert "pay.log" in [table["filename"][0].as_py() for table in reading.logs]
    assert len(reading.logs) > 1 or reading.problems


def test_a_file_with_holes(tmp_path: Path) -> None:
    line = b"2026-11-22 14:00:00 ERROR a\n"
    path = write_log(tmp_path / "app.log", line)
    with path.open("r+b") as stream:
        stream.seek(1 << 30)
        stream.write(line)
    assert [message for *_, message in log_rows(read_files(path, Mapping()))] == [line.decode().strip()] * 2
    with path.open("wb") as stream:
        stream.seek(1 << 30)
        stream.write(line)
    assert [message for *_, message in log_rows(read_files(path, Mapping()))] == [line.decode().strip()]
    path.write_bytes(b"\0" * 100_000)
    os.truncate(path, 1 << 30)
    assert not read_files(path, Mapping()).logs


def test_what_is_no_file_and_links(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_log(root / "pay.log", "2026-11-22T14:00:00Z ERROR boom\n")
    write_log(tmp_path / "elsewhere" / "cart.log", "2026-11-22T14:00:00Z ERROR boom\n")
    os.mkfifo(root / "pipe")
    write_log(root / ".data" / "user.log", "2026-11-22T14:00:00Z ERROR boom\n")
    (root / "current.log").symlink_to("pay.log")
    (root / "user.log").symlink_to(".data/user.log")
    (root / "elsewhere").symlink_to(tmp_path / "elsewhere")
    (root / "gone").symlink_to("nowhere")
    (root / "up").symlink_to(tmp_path)
    (root / "nested").mkdir()
    (root / "nested" / "loop").symlink_to(root)
    reading = read_files(root, Mapping())
    assert [table["filename"][0].as_py() for table in reading.logs] == ["pay.log", "user.log"]
    assert problems(reading) == [
        "elsewhere: a link to a folder, not followed: connect that folder itself",
        "gone: a link to what is not there",
        "pipe: no file with data: a pipe, a socket or a device",
    ]
    assert problems(read_files(root / "pipe", Mapping())) == ["pipe: no file with data: a pipe, a socket or a device"]
