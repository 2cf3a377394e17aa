"""Plain text logs, with and without what runtimes put around lines: times, entries, services."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.log_files import columns_beside, log_rows, notes, problems, read_log, write_log

from obs_magics.local.readers import read_files
from obs_magics.local.readers.base import Mapping

POD = "var/log/pods/shop_pay-5d8f_0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f/app/0.log"

PLAIN: tuple[tuple[str, str, str | None, str | None, str], ...] = (
    # time of the first line (UTC), its level, its service, what the note says of times, the line
    ("14:00:00.123000", "error", None, "ISO 8601", "2026-11-22 14:00:00,123 ERROR [main] c.f.Bar - boom"),
    ("14:00:00.123000", "info", None, "ISO 8601", "2026-11-22T14:00:00.123Z\tinfo\tads\tADS: new connection"),
    ("12:00:00", "warn", None, "ISO 8601", "2026-11-22T14:00:00+02:00 [warn] x"),
    ("19:30:00", None, None, "ISO 8601", "2026-11-22 14:00:00 -0530 fine"),
    ("13:00:00.123000", "error", None, "ISO 8601", "2026-11-22 14:00:00.123 CET [1] u@d ERROR:  dup"),
    ("14:00:00", "error", None, "ISO 8601", "E, [2026-11-22T14:00:00 #123] ERROR -- prog: msg"),
    ("14:00:00.123000", "info", None, "ISO 8601", "[2026-11-22 14:00:00,123: INFO/MainProcess] Task x"),
    ("14:00:00.123000", "warn", None, "ISO 8601", "WARN  [main] 2026-11-22 14:00:00,123 File.java:12 - msg"),
    ("14:00:00", "info", None, "2026-11-22, 14:00:00", "[2026-11-22, 14:00:00 UTC] {task.py:123} INFO - msg"),
    ("14:00:00", "error", None, "ISO 8601", "ts=2026-11-22T14:00:00Z level=error msg=x"),
    ("14:00:00", "error", None, "seconds", "level=error ts=1795356000 msg=x"),
    ("14:00:00", "error", "sshd", "Nov 22 14:00:00", "Nov 22 14:00:00 web1 sshd[12]: error: PAM"),
    ("14:00:00", "error", "prog", "Nov 22 14:00:00", "<27>Nov 22 14:00:00 web1 prog[12]: x"),
    ("14:00:00.250000", "info", "pay", "ISO 8601", "<14>1 2026-11-22T14:00:00.25Z host pay 1 - - x"),
    ("14:00:00", "error", None, "22/Nov/2026", '1.2.3.4 - - [22/Nov/2026:14:00:00 +0000] "GET / HTTP/1.1" 500 1'),
    ("14:00:00", "error", None, "2026/11/22", "2026/11/22 14:00:00 [error] 12#12: *1 open() failed"),
    ("14:00:00.123456", "info", None, "2026.11.22", "2026.11.22 14:00:00.123456 [ 1 ] {} <Information> App: x"),
    ("14:00:00.123456", "error", None, "Sun Nov 22", "[Sun Nov 22 14:00:00.123456 2026] [core:error] [pid 1] x"),
    ("14:00:00.123000", "warn", None, "22 Nov 2026", "1:M 22 Nov 2026 14:00:00.123 # WARNING x"),
    ("14:00:00.123000", "error", None, "22-Nov-2026", "22-Nov-2026 14:00:00.123 SEVERE [main] org.apache"),
    ("14:00:00.123456", "error", None, "E1122", "E1122 14:00:00.123456       1 x.go:1] bad"),
    ("14:00:00.123456", "info", None, "I261122", "I261122 14:00:00.123456 1 server/x.go:12 msg"),
    ("14:00:00.123456", "info", None, "I20261122", "I20261122 14:00:00.123456 1 server/x.go:12 msg"),
    ("14:00:00.123000", "error", None, "11-22 14:00", "11-22 14:00:00.123  1234  5678 E Foo: bar"),
    ("14:00:00", "info", None, "26/11/22", "26/11/22 14:00:00 INFO executor.Backend: Registered"),
    ("14:00:00", "info", None, "261122 140000", "261122 140000 143 INFO dfs.DataNode: Receiving block"),
    ("14:00:00", None, None, "20261122T140000", "20261122T140000Z hello"),
    ("14:00:00", "info", None, "Nov 22, 2026", "Nov 22, 2026 2:00:00 PM com.foo.Bar m\nINFO: ok"),
    ("00:00:00", None, None, "11/22/2026", "11/22/2026 12:00:00 AM hello"),
    ("14:00:00", "info", None, "22.11.2026", "22.11.2026 14:00:00 INFO x"),
    ("14:00:00.123000", "info", None, "day first", "22/11/2026 14:00:00,123 INFO x"),
    ("14:00:00", "info", None, "month first", "11/22/2026 14:00:00 INFO x"),
    ("14:00:00", None, None, "Nov 22 2026", "Nov 22 2026 14:00:00: %ASA-6-302013: built"),
    ("14:00:00.500000", None, None, "seconds", "1795356000.5 hello"),
    ("14:00:00.123000", None, None, "milliseconds", "1795356000123 hello"),
    ("14:00:00.123456", None, None, "microseconds", "1795356000123456 hello"),
    ("14:00:00.123456789", None, None, "nanoseconds", "1795356000123456789 hello"),
    ("14:00:00.123000", "error", None, "14:00:00.123", "14:00:00,123 ERROR [org.jboss] x"),
)


@pytest.mark.parametrize(("time", "level", "service", "note", "line"), PLAIN, ids=[row[4][:50] for row in PLAIN])
def test_plain_text(*, tmp_path: Path, time: str, level: str | None, service: str | None, note: str, line: str) -> None:
    name = "log-2026-11-22.log"
    reading = read_log(tmp_path / name, f"{line}\n{line}\r\n\tgoes on\n\n")
    assert log_rows(reading) == [(time, level, service, line), (time, level, service, f"{line}\n\tgoes on")]
    assert note in notes(reading)
    assert not reading.problems


def test_lines_that_docker_cut_are_put_together_in_their_stream(tmp_path: Path) -> None:
    parts = [
        ("one ", "stdout"),
        ("err\n", "stderr"),
        ("two ", "stdout"),
        ("three\r\n", "stdout"),
        ('{"level":"error"}\n', "stdout"),
        ("end", "stdout"),
    ]
    lines = [
        json.dumps({"log": log, "stream": stream, "time": f"2026-11-22T14:00:0{n}Z", "attrs": {"tag": "t"}})
        for n, (log, stream) in enumerate(parts)
    ]
    reading = read_log(tmp_path / f"{'0' * 64}-json.log", "\n".join(lines))
    assert [(time, level, message) for time, level, _, message in log_rows(reading)] == [
        ("14:00:00", None, "one two three"),
        ("14:00:01", None, "err"),
        ("14:00:04", "error", '{"level":"error"}'),
        ("14:00:05", None, "end"),
    ]
    assert {service for _, _, service, _ in log_rows(reading)} == {None}  # the name is a container's id
    assert columns_beside(reading) == {"stream": "stdout", "tag": "t"}


def test_kubernetes_lines_with_what_their_path_tells(tmp_path: Path) -> None:
    lines = (
        "2026-11-22T14:00:00.123456789Z stdout P part \n2026-11-22T14:00:00.2Z stderr F ERROR oops\n"
        "2026-11-22T14:00:00.3Z stdout F two\n2026-11-22T16:00:01+02:00 stdout F \n"
    )
    place = {"namespace": "shop", "pod": "pay-5d8f", "container": "app"}
    for name in (POD, f"containers/pay-5d8f_shop_app-{'0' * 64}.log"):
        reading = read_log(tmp_path / name, lines)
        assert log_rows(reading) == [
            ("14:00:00.123456789", None, "app", "part two"),
            ("14:00:00.200000", "error", "app", "ERROR oops"),
            ("14:00:01", None, "app", ""),
        ]
        assert columns_beside(reading) == {**place, "stream": "stdout"}
        assert "Kubernetes (CRI) log, 3 log entries" in notes(reading)


ENVELOPES: tuple[tuple[str, str, tuple[str | None, str | None, str], dict[str, str]], ...] = (
    (
        "kubectl logs --prefix",
        "[pod/pay-1/app] 2026-11-22T14:00:00Z ERROR boom",
        ("error", "app", "ERROR boom"),
        {"pod": "pay-1", "container": "app"},
    ),
    (
        "kubectl logs --prefix",
        "[pod/pay-1/app] ERROR 2026-11-22T14:00:00Z boom",
        ("error", "app", "ERROR 2026-11-22T14:00:00Z boom"),
        {"pod": "pay-1", "container": "app"},
    ),
    (
        "text of logcli",
        '2026-11-22T14:00:00Z {app="pay", level="error", q="a\\"b\\n"}  boom',
        ("error", "pay", "boom"),
        {"app": "pay", "q": 'a"b\n'},
    ),
    ("text of logcli", "2026-11-22T14:00:00Z {} boom", (None, None, "boom"), {}),
    (
        "text of aws logs tail",
        "2026-11-22T14:00:00.000000+00:00 ecs/app/0123 ERROR boom",
        ("error", None, "ERROR boom"),
        {"log_stream": "ecs/app/0123"},
    ),
    (
        "text of aws logs tail",
        "2026-11-22T14:00:00.000000+00:00 2026/11/22/[$LATEST]ab boom",
        (None, None, "boom"),
        {"log_stream": "2026/11/22/[$LATEST]ab"},
    ),
    (
        "docker compose logs",
        "pay-1  | 2026-11-22T14:00:00Z ERROR boom",
        ("error", "pay-1", "2026-11-22T14:00:00Z ERROR boom"),
        {"container": "pay-1"},
    ),
)


@pytest.mark.parametrize(("title", "line", "expected", "columns"), ENVELOPES, ids=[row[1][:40] for row in ENVELOPES])
def test_what_command_lines_put_around_lines_is_taken_off(
    tmp_path: Path, title: str, line: str, expected: tuple[str | None, str | None, str], columns: dict[str, str]
) -> None:
    reading = read_log(tmp_path / "log.txt", f"{line}\n\tmore\n{line}\n")
    level, service, message = expected
    assert log_rows(reading) == [
        ("14:00:00", level, service, f"{message}\n\tmore"),
        ("14:00:00", level, service, message),
    ]
    assert columns_beside(reading) == columns
    assert title in notes(reading)


def test_compressed_files(tmp_path: Path) -> None:
    line = "2026-11-22T14:00:00Z ERROR boom\n"
    with pa.output_stream(str(tmp_path / "pay.log.zst"), compression="zstd") as stream:
        stream.write(line.encode() * 3)
    assert log_rows(read_files(tmp_path / "pay.log.zst", Mapping())) == [("14:00:00", "error", "pay", line.strip())] * 3
    reading = read_log(tmp_path / "payment-api-2026-11-22.log.gz", gzip.compress(line.encode()))
    assert log_rows(reading) == [("14:00:00", "error", "payment-api", line.strip())]
    assert notes(reading).endswith("service payment-api by the file's name")
    jsonl = '{"time":"2026-11-22T14:00:00Z","up":1}\n'
    with pa.output_stream(str(tmp_path / "m.jsonl.zst"), compression="zstd") as stream:
        stream.write(jsonl.encode())
    assert len(read_files(tmp_path / "m.jsonl.zst", Mapping()).rows) == 1


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("payment-api.log", "payment-api"),
        ("payment-api-2026-11-22.log.1.gz", "payment-api"),
        ("payment-api.log.2.bz2", "payment-api"),
        ("pay.20261122.log", "pay"),
        ("pay-stdout.log", "pay"),
        ("pay_2026-11-22T14-00-00Z.txt", "pay"),
        ("nginx/access.log", "nginx"),
        ("logs/out.log", None),
        ("messages", None),
        ("0.log", None),
        ("2026-11-22.log", None),
        (f"{'0a' * 32}-json.log", None),
        ("abcdef012345.log", None),
    ],
)
def test_the_service_by_the_name_of_the_file(tmp_path: Path, name: str, service: str | None) -> None:
    write_log(tmp_path / "a" / name, "2026-11-22T14:00:00Z hello\n")
    reading = read_files(tmp_path / "a", Mapping())
    assert log_rows(reading) == [("14:00:00", None, service, "2026-11-22T14:00:00Z hello")]
    assert reading.logs[0]["filename"].to_pylist() == [name]


def test_times_without_a_zone_are_of_the_one_that_is_configured(tmp_path: Path) -> None:
    lines = (
        "2026-07-22 14:00:00 a\n2026-11-22 14:00:00 b\n2026-11-22T14:00:00Z c\n"
        "2026-10-25 02:30:00 d\n2026-03-29 02:30:00 e\n"
    )
    reading = read_log(tmp_path / "log.txt", lines, zone="Europe/Berlin")
    assert {message[-1]: time for time, _, _, message in log_rows(reading)} == {
        "a": "2026-07-22T12:00:00",
        "b": "13:00:00",
        "c": "14:00:00",
        "d": "2026-10-25T00:30:00",
        "e": "2026-03-29T01:00:00",
    }
    assert "no zone is written: Europe/Berlin" in notes(reading)
    records = '{"time":"2026-11-22 14:00:00","msg":"x"}\n{"time":"2026-11-22T14:00:00Z","msg":"y"}\n'
    reading = read_log(tmp_path / "log.jsonl", records, zone="Europe/Berlin")
    assert [time for time, *_ in log_rows(reading)] == ["13:00:00", "14:00:00"]


def test_years_that_are_not_written_go_back_from_when_the_file_was_changed(tmp_path: Path) -> None:
    lines = (
        "Dec 31 23:59:59 h a: x\nJan  1 00:00:00 h a: y\nFeb 29 12:00:00 h a: z\nNov 30 00:00:00 h a: later than now\n"
    )
    reading = read_log(tmp_path / "log", lines)
    assert [time[:10] for time, *_ in log_rows(reading)] == ["2024-12-31", "2025-01-01", "2025-03-01", "2025-11-30"]
    assert "the year is not written: 2025, as the file was last changed on 2026-11-25" in notes(reading)
    dated = read_log(tmp_path / "log-20231231.txt", lines)
    assert log_rows(dated)[0][0][:10] == "2022-12-31"
    assert "2023, as the file's name says" in notes(dated)
    assert "last changed" in notes(read_log(tmp_path / "log-20231131.txt", lines))


def test_days_that_are_not_written_end_where_times_fall_back(tmp_path: Path) -> None:
    reading = read_log(tmp_path / "log-2026-11-22.txt", "23:59:59 a\n00:00:01 b\n")
    assert [time for time, *_ in log_rows(reading)] == ["2026-11-21T23:59:59", "00:00:01"]
    assert "the day is not written: 2026-11-22, as the file's name says" in notes(reading)


def test_mixed_files_say_where_they_change_and_lines_before_the_first_time_are_kept(tmp_path: Path) -> None:
    lines = [
        "banner",
        "",
        "2026-11-22 14:00:00 INFO a",
        "2026-11-22 14:00:01 INFO b",
        "Nov 22 14:00:02 h p[1]: c",
        "  more",
        "2026-11-22 14:00:03 INFO d",
    ]
    reading = read_log(tmp_path / "app.log", "\n".join(lines))
    assert [message for *_, message in log_rows(reading)] == [
        "banner",
        lines[2],
        lines[3],
        f"{lines[4]}\n  more",
        lines[6],
    ]
    assert log_rows(reading)[0][0] == "14:00:00"
    assert problems(reading) == [
        "app.log, line 5: from here on there are times as Nov 22 14:00:00, too",
        "app.log, line 1: 1 line before the first time: given the time of the first",
    ]


def test_lines_that_end_with_a_carriage_return_alone(tmp_path: Path) -> None:
    lines = [f"2026-11-22T14:00:0{n}Z ERROR boom" for n in range(5)]
    rows = log_rows(read_log(tmp_path / "pay.log", "\r".join(lines) + "\r"))
    assert [message for *_, message in rows] == lines


def test_colours_are_taken_out(tmp_path: Path) -> None:
    line = "\x1b[32m2026-11-22T14:00:00Z\x1b[0m \x1b[1;31mERROR\x1b[0m\x1b[K boom\n"
    rows = log_rows(read_log(tmp_path / "pay.log", line * 3))
    assert rows == [("14:00:00", "error", "pay", "2026-11-22T14:00:00Z ERROR boom")] * 3


def test_times_that_are_none_begin_no_entry(tmp_path: Path) -> None:
    reading = read_log(
        tmp_path / "app.log",
        "2026-11-22 14:00:00 a\n2026-13-45 14:00:00 b\n2026-11-22 25:00:00 c\n2026-11-22 14:00:01 d\n",
    )
    assert [message.count("\n") for *_, message in log_rows(reading)] == [2, 0]


def test_blocks_meet_without_a_seam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from obs_magics.local.readers.logs import plain

    lines = [f"2026-11-22 14:00:{n % 60:02d} INFO {'é' * (n % 7)}{n}" + "\n\tat x" * (n % 3) for n in range(200)]
    text = "\n".join(["top", *lines, "x" * 300])
    whole = read_log(tmp_path / "app.log", text)
    for size in (7, 64, 1000):
        monkeypatch.setattr(plain, "_BLOCK", size)
        assert log_rows(read_log(tmp_path / "app.log", text)) == log_rows(whole)
    assert len(log_rows(whole)) == 201


def test_nul_bytes_at_the_top_of_a_truncated_file(tmp_path: Path) -> None:
    reading = read_log(
        tmp_path / "app.log", b"\0" * 100 + b"2026-11-22 14:00:00 ERROR a\n2026-11-22 14:00:01 INFO \xff\n"
    )
    assert [(time, level) for time, level, *_ in log_rows(reading)] == [("14:00:00", "error"), ("14:00:01", "info")]
    assert log_rows(reading)[1][3].endswith("INFO ÿ")


def test_the_table_is_as_the_store_expects_it(tmp_path: Path) -> None:
    line = '{"time":"2026-11-22T14:00:0%dZ","msg":"x","level":"info","host":"h","user":"u"}'
    table = read_log(tmp_path / "pay.jsonl", f"{line % 1}\n{line % 0}\n").logs[0]
    kinds = {field.name: field.type for field in table.schema}
    assert kinds["timestamp"] == pa.timestamp("ns", "UTC")
    assert pa.types.is_large_string(kinds["message"])
    assert all(pa.types.is_dictionary(kinds[name]) for name in ("level", "service", "filename", "host"))
    assert pa.types.is_large_string(kinds["user"])
    assert table["timestamp"].to_pylist() == sorted(table["timestamp"].to_pylist())


def test_a_folder_of_metrics_and_logs_gives_both(tmp_path: Path) -> None:
    write_log(tmp_path / "a.csv", "time,up\n2026-11-22T14:00:00Z,1\n")
    write_log(tmp_path / "b.log", "2026-11-22T14:00:00Z hello\n")
    write_log(tmp_path / "c.txt", "no time\nat all\n")
    reading = read_files(tmp_path, Mapping())
    assert (len(reading.rows), len(reading.logs), reading.files) == (1, 1, 2)
    assert problems(reading)[-1].startswith("c.txt: not a format that is known here (Parquet, ")
    assert problems(reading)[-1].endswith("plain text logs)")


TEXTS = st.text(st.sampled_from("ab \t\0é{}[]\"':=,ERROR"), max_size=12)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.booleans(), TEXTS), max_size=30))
def test_no_line_is_lost(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[bool, str]]) -> None:
    lines = ["2026-11-22T13:59:59Z first"] * 40  # so that it is a log, whatever follows
    lines += [f"2026-11-22T14:00:00Z {text}." if timed else f"+{text}." for timed, text in rows]
    reading = read_log(tmp_path_factory.mktemp("log") / "log", "\n".join(lines))
    assert len(log_rows(reading)) == 40 + sum(timed for timed, _ in rows)
    messages = [message for *_, message in log_rows(reading)]
    assert "\n".join(messages) == "\n".join(lines)


@given(
    st.binary(max_size=400),
    st.sampled_from(
        [
            b"",
            b"2026-11-22T14:00:00Z ",
            b'{"time":1795356000,"msg":"',
            b"a,b\n",
            b"PAR1",
            b"\x28\xb5\x2f\xfd",
            b"[{",
            b'{"resourceLogs":',
            b'{"events":[',
            b"1,",
        ]
    ),
)
def test_arbitrary_bytes_never_crash(tmp_path_factory: pytest.TempPathFactory, content: bytes, before: bytes) -> None:
    reading = read_log(tmp_path_factory.mktemp("any") / "file", before + content)
    assert reading.logs or reading.rows or reading.problems
