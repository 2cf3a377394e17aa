"""Files that people have, connected and asked in a real shell: what is read, what is said, and where it is said."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.log_files import write_log

from obs_magics.api import Session

if TYPE_CHECKING:
    from conftest import Shell

Opened = Callable[[dict[str, str | bytes]], "Shell"]


@pytest.fixture
def opened(make_shell: Callable[[], Shell], bare_session: Session, tmp_path: Path) -> Opened:
    """A shell with the folder `here` of some files connected."""

    def connect(files: dict[str, str | bytes]) -> Shell:
        for name, content in files.items():
            write_log(tmp_path / "here" / name, content)
        bare_session.connect("here", str(tmp_path / "here"))
        return make_shell()

    return connect


def entry(second: int, message: str) -> str:
    return json.dumps({"time": f"2026-11-22T14:00:{second:02d}Z", "level": "error", "msg": message}) + "\n"


def test_text_between_json_lines_is_found(opened: Opened) -> None:
    body = entry(1, "boom") + "panic: out of memory\ngoroutine 1 [running]:\n" + entry(9, "up again")
    shell = opened({"pay.log": body})
    cell = shell.run('%obs_logs {service="pay"} |= "panic"')
    assert cell.error is None
    assert cell.result["message"].tolist() == ["panic: out of memory\ngoroutine 1 [running]:"]
    assert "2 lines are text and no JSON, the first of them here: read as 1 entry beside 2 of JSON" in " ".join(
        cell.text.split()
    )


def test_a_file_that_is_cut_short_is_read_as_far_as_it_goes(opened: Opened) -> None:
    body = "".join(entry(n % 60, hashlib.md5(b"%d" % n).hexdigest()) for n in range(2000))
    packed = gzip.compress(body.encode())
    shell = opened({"pay.jsonl.gz": packed[: len(packed) // 2]})
    cell = shell.run('%obs_logs --limit 5000 --no-patterns {service="pay"}')
    assert cell.error is None
    assert 500 < len(cell.result) < 2000
    assert "pay.jsonl.gz: it is cut short or damaged" in " ".join(cell.text.split())


def test_what_is_wrong_with_a_file_is_said_where_it_matters(opened: Opened, tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "cart.log": "hello\n" + "2026-11-22 14:00:01 ERROR cart is broken\n" * 2,
        "pay.jsonl": entry(1, "pay is broken") * 60 + '{"msg":"no time"}\n' * 60,
        "load.csv": "time,value,host\n2026-11-22T14:00:01Z,1,a\nnever,2,a\n",
        "up.csv": "time,value,host\n2026-11-22T14:00:01Z,1,a\n",
        "notes.md": "# what we did\n",
        "empty.log": "",
        "gone.log.gz": b"\x1f\x8b and no more",
    }
    shell = opened(files)

    def said(line: str) -> list[str]:
        cell = shell.run(line)
        assert cell.error is None
        return list(cell.result.obs.provenance.warnings)

    gone = "gone.log.gz: it is cut short or damaged (Unknown compression method): nothing of it can be read"
    cart = "cart.log, line 1: 1 line before the first time: given the time of the first"
    pay = "pay.jsonl, line 61: it has no time that can be read: left out (and 59 more of this file)"
    assert said('%obs_logs {service="cart"}') == [cart, gone]
    assert said('%obs_logs {service="pay"}') == [gone, pay]
    assert said('%obs_logs {filename=~".+"}') == [cart, gone, pay]
    assert said('%obs_logs sum(count_over_time({service="pay"}[1m]))') == [gone, pay]
    assert said("%obs_metrics up") == [gone]
    assert [warning.split(":")[0] for warning in said("%obs_metrics load")] == ["gone.log.gz", "load.csv, line 3"]
    assert said("%obs_sql SELECT 1") == []
    assert [warning.split(":")[0] for warning in said("%obs_sql SELECT * FROM load")] == ["load.csv, line 3"]
    told = shell.run("%obs connect again " + str(tmp_path / "here")).text
    for name in ("notes.md", "empty.log", "gone.log.gz"):
        assert name in told


def test_many_files_with_problems_are_folded(opened: Opened) -> None:
    line = "2026-11-22 14:00:01 ERROR broken\n"
    shell = opened({f"service{n}.log": "hello\n" + line for n in range(9)})
    warnings = shell.run('%obs_logs {filename=~".+"}').result.obs.provenance.warnings
    assert len(warnings) == 6
    assert warnings[-1] == "… and 4 more files with problems: %obs connect shows more of them"


def test_variables_stand_in_every_option(opened: Opened) -> None:
    lines = "".join(f"2026-11-22 14:00:{n:02d} {'ERROR' if n % 2 else 'INFO'} n{n}\n" for n in range(20))
    shell = opened({"pay.log": lines, "up.prom": "up 1 1795356000000\n"})
    shell.variables.update(n=3, level="error", source="here", kind="deployment", agg="sum", switch="on", no="fatally")
    found = shell.run('%obs_logs --source ${source} --limit ${n} --level=${level} {service="pay"}')
    assert found.error is None
    assert [message.rsplit(" ", 1)[1] for message in found.result["message"]] == ["n15", "n17", "n19"]
    cell = shell.run('%%obs_logs --limit ${n}\n{service="pay"}')
    assert len(cell.result) == 3
    assert len(shell.run("%obs_sql --source here --limit ${n} SELECT * FROM range(9)").result) == 3
    assert "deployment" in shell.run("%obs_events --dry-run --kind ${kind}").text
    assert shell.run("%obs_metrics --agg ${agg} --limit ${n} up").error is None
    shell.variables.update(when="2026-11-22T14:00:05Z", who="ann")
    assert (
        "22 Nov 14:00:05  ann: rolled ${back}" in shell.run("%obs_timeline add --by ${who} ${when} rolled ${back}").text
    )
    for line, said in {
        "%obs_logs --level ${no} {}": "--level does not take 'fatally'",
        "%obs_logs --limit ${level} {}": "--limit takes a whole number above 0, not 'error'",
        "%obs_logs --limit ${m} {}": "${m}: there is no Python variable m",
        "%obs_logs -o ${no}-x {}": "'fatally-x' is not a variable name",
    }.items():
        assert str(shell.run(line).error).startswith(said)
