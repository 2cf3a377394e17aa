"""`%obs_rca` and `%obs_report` in a real shell, over the demo world."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from obs_magics.api import Session
from obs_magics.incident.investigate import Investigation
from obs_magics.incident.pdf import find_browser
from obs_magics.incident.report import FORMATS, Postmortem
from obs_magics.magics.commands_rca import FORMATS as NAMED
from obs_magics.magics.commands_rca import RCA, REPORT
from obs_magics.magics.completion import Completer
from obs_magics.magics.context import Context
from obs_magics.magics.names import Names
from obs_magics.model.bus import RCA_COMPLETE

if TYPE_CHECKING:
    from conftest import Cell, Shell


@pytest.fixture
def shop(make_shell: Callable[[], Shell], bare_session: Session) -> Shell:
    """A shell whose session has the demo world."""
    bare_session.demo()
    return make_shell()


def text_of(cell: Cell) -> str:
    assert cell.error is None, cell.error
    return re.sub(r"\s+", " ", cell.text)


def test_the_verdict_is_shown_kept_and_told(shop: Shell) -> None:
    told: list[Any] = []
    shop.session.bus.subscribe(RCA_COMPLETE, lambda _, payload: told.append(payload))
    text = text_of(shop.run("%obs_rca found << payment-api --at 14:15"))
    assert "redis pool: max connections 100 → 20" in text
    assert "Ruled out" in text
    found = shop.variables["found"]
    assert isinstance(found, Investigation)
    assert [one["root_cause"] for one in told] == ["redis pool: max connections 100 → 20"]
    assert told[0]["incident"]["service"] == "payment-api"


def test_the_last_incident_is_meant_where_none_is_named(shop: Shell) -> None:
    shop.run("%obs_incident inc << payment-api --at 14:15 --no-plot")
    cell = shop.run("%obs_rca --no-plot")
    assert cell.result.enriched is shop.variables["inc"]
    assert cell.outputs == []
    again = shop.run("%obs_rca inc --no-plot")
    assert again.result.report == cell.result.report
    assert shop.run("%obs_report --no-plot").result.found is again.result


def test_a_semicolon_keeps_what_was_found_from_being_shown(shop: Shell) -> None:
    cell = shop.run("%obs_rca found << payment-api --at 14:15 --no-plot;")
    assert cell.result is None
    assert repr(shop.variables["found"]).startswith("<Investigation of payment-api, a change: redis pool")


@pytest.mark.parametrize("name", ["out.html", "out.md", "out.json"])
def test_a_report_is_written_where_it_was_asked_for(shop: Shell, tmp_path: Path, name: str) -> None:
    shop.run("%obs_incident payment-api --at 14:15 --no-plot")
    shop.run('%obs_timeline add 14:31 "called the vendor" --by anna')
    text = text_of(shop.run(f"%obs_report rep << --out {name} --slo 99.9%/30d --check"))
    assert f"written: {name}" in text
    assert "error budget used: 3.1" in text
    assert "were computed again and hold" in text
    content = (tmp_path / name).read_text(encoding="utf-8")
    assert "anna: called the vendor" in content
    assert repr(shop.variables["rep"]).startswith("<Postmortem “payment-api: incident of 22 November 2026”")


def test_without_a_name_the_file_is_called_by_service_and_day(shop: Shell, tmp_path: Path) -> None:
    cell = shop.run("%obs_rca payment-api --at 14:15 --no-plot\n%obs_report --no-plot")
    assert "written: payment-api-2026-11-22.html" in text_of(cell)
    assert (tmp_path / "payment-api-2026-11-22.html").is_file()
    assert isinstance(cell.result, Postmortem)


def test_what_stands_in_the_notebook_goes_into_the_report(
    shop: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = [{"cell_type": "markdown", "source": "# Bad Sunday\n\n## Lessons\n\nOne thing at a time."}]
    (tmp_path / "mine.ipynb").write_text(json.dumps({"cells": cells, "nbformat": 4}), encoding="utf-8")
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    shop.run("%obs_rca payment-api --at 14:15 --no-plot")
    assert "does not tell which notebook" in text_of(shop.run("%obs_report --out a.html"))
    text = text_of(shop.run("%obs_report --out a.html --notebook mine.ipynb"))
    assert "“Bad Sunday”" in text
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "mine.ipynb"))
    text = text_of(shop.run("%obs_report --out b.html"))
    assert "read from mine.ipynb as it was last saved" in text
    assert (tmp_path / "b.html").read_text(encoding="utf-8").count("One thing at a time.") == 1


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%obs_rca", "no incident was declared yet"),
        ("%obs_report", "no incident was declared yet"),
        ("%obs_rca paymnt-api --at 14:15", "did you mean payment-api"),
        ("%obs_rca payment-api --at 27:00", "27:00"),
        ("%obs_report nothing", "there is no incident called 'nothing'"),
        ("%obs_report number", "number is no incident"),
    ],
)
def test_what_cannot_be_meant_is_refused(shop: Shell, tmp_path: Path, cell: str, said: str) -> None:
    shop.run("number = 3")
    error = shop.run(cell).error
    assert said in str(error)
    assert list(tmp_path.glob("*.html")) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--out a.docx", "no report in the form"),
        ("--slo most", "no service level objective"),
        ("--notebook gone.ipynb", "cannot be read"),
        ("--nope", "--nope"),
    ],
)
def test_wrong_options_of_a_report_write_nothing(shop: Shell, tmp_path: Path, options: str, said: str) -> None:
    shop.run("%obs_rca payment-api --at 14:15 --no-plot")
    assert said in str(shop.run(f"%obs_report {options}").error)
    assert list(tmp_path.glob("*.html")) == []


def test_every_example_of_the_help_works(shop: Shell, tmp_path: Path) -> None:
    shop.run("%obs_incident inc << payment-api --at 14:15 --no-plot")
    for example in (*RCA.examples, *REPORT.examples):
        if ".pdf" in example and find_browser() is None:
            continue
        assert text_of(shop.run(example))
    assert (tmp_path / "postmortem.html").is_file()


def test_help_and_forms_are_those_that_there_are(shop: Shell) -> None:
    assert NAMED == FORMATS
    assert "%obs_rca payment-api --at 14:15" in text_of(shop.run("%obs_rca --help"))
    assert "--slo 99.9%/30d" in text_of(shop.run("%obs_report --help"))


def test_the_cells_that_come_next_run_as_they_stand(shop: Shell) -> None:
    text = shop.run("%obs_rca payment-api --at 14:15").text
    cells = [line.strip() for line in text.split("next:")[-1].split("\n") if line.strip().startswith("%obs")]
    assert cells == ["%obs_report", "%obs_timeline"]
    for cell in cells:
        assert shop.run(f"{cell} --no-plot").error is None


def test_the_service_of_the_last_incident_names_it_too(shop: Shell) -> None:
    found = shop.run("%obs_rca found << payment-api --at 14:15 --no-plot").result
    assert shop.run("%obs_report payment-api --no-plot").result.found is found
    assert len(shop.run("%obs_timeline payment-api --no-plot").result)
    assert len(shop.run("%obs_timeline found --no-plot").result)
    shop.run("del found")
    assert "the last one, of payment-api" in str(shop.run("%obs_report checkout-api").error)


@pytest.mark.parametrize("signal", ["logs", "events", "metrics"])
def test_one_signal_alone_is_enough_for_an_answer(
    make_shell: Callable[[], Shell], bare_session: Session, tmp_path: Path, signal: str
) -> None:
    """Frames of what a source does not have hold no rows, and no columns either."""
    folder = tmp_path / "alone"
    folder.mkdir()
    minutes = [f"2026-11-22T14:{minute:02}:00Z" for minute in range(15, 45)]
    line = {"level": "error", "service": "pay", "msg": "no"}
    event = {"kind": "restart", "service": "pay", "title": "r"}
    content = {
        "logs": ("lines.jsonl", [json.dumps({"ts": at, **line}) for at in minutes]),
        "events": ("events.jsonl", [json.dumps({"timestamp": at, **event}) for at in minutes]),
        "metrics": ("points.csv", ["timestamp,metric,value,service", *(f"{at},up,1,pay" for at in minutes)]),
    }
    name, lines = content[signal]
    (folder / name).write_text("\n".join(lines), encoding="utf-8")
    bare_session.connect("alone", str(folder))
    shell = make_shell()
    text = text_of(shell.run("%obs_rca pay --at 2026-11-22T14:15:00Z"))
    assert "evidence" in text
    assert text.count("there are no spans in this folder") == 1
    for ending in FORMATS:
        if ending != "pdf":
            assert shell.run(f"%obs_report --out r.{ending} --check").error is None


def test_completion_offers_incidents_and_services(shop: Shell) -> None:
    completer = Completer(Context(shop.ip, lambda: shop.session), Names(deadline_seconds=30))
    assert "payment-api" in completer.complete("%obs_rca pay", 12).names
    shop.run("%obs_incident inc << payment-api --at 14:15 --no-plot")
    assert completer.complete("%obs_rca ", 9).names[0] == "inc"
    assert completer.complete("%obs_report i", 13).names == ["inc"]
