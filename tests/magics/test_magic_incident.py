"""`%obs_incident` and `%obs_timeline` in a real shell, over the demo world."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.completer import provisionalcompleter
from support.incident_story import HOSTILE, ns

from obs_magics.api import Session
from obs_magics.incident.enriched import Enriched
from obs_magics.local.source import FolderSource
from obs_magics.magics.case import Case, run_of
from obs_magics.magics.commands_incident import (
    INCIDENT,
    TIMELINE,
    TIMELINE_COMMANDS,
    TIMELINE_FORGET,
    TIMELINE_NOTES,
)
from obs_magics.model.errors import SourceUnavailable, UsageError
from obs_magics.model.incident import Remark

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


def error_of(cell: Cell) -> str:
    assert isinstance(cell.error, UsageError), cell.error
    return str(cell.error)


def test_a_note_of_yesterday_needs_no_quotes(shop: Shell) -> None:
    shop.run("%obs_timeline add yesterday 14:31 restarted the pool")
    text = text_of(shop.run("%obs_timeline notes"))
    assert "21 Nov 14:31:00 restarted the pool" in text


# ── %obs_incident ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_panel_says_what_is_known_and_the_object_has_the_frames(shop: Shell) -> None:
    cell = shop.run("%obs_incident inc << payment-api --at 14:15 --title 'Payments fail'")
    text = text_of(cell)
    for words in (
        "Incident “Payments fail”: payment-api from 22 Nov 14:15 UTC to 14:50 (35 min)",
        "symptom: p99 latency 400 ms → 2.29 s (5.7×) from 14:15 until 14:50",
        "affected too: checkout-api (p99 latency from 14:15), user-service",
        "−2 min redis pool: max connections 100 → 20",
        "60 error lines: payment-api from 14:23:02: Connection pool exhausted (41)",
        "time to detect: 6 min",
        "How it went",
        "What changed 5 before the onset, 2 after; the nearest first",
        "3 patterns in 60 lines",
        "%obs_rca inc",
        "%obs_timeline inc",
    ):
        assert words in text, words
    found = shop.variables["inc"]
    assert isinstance(found, Enriched)
    assert cell.result is found
    assert len(found.metrics)
    assert repr(found).startswith("<Enriched payment-api since 2026-11-22 14:15:00 UTC: ")
    kinds = [set(output.data) for output in cell.outputs]
    assert {"application/vnd.vegalite.v5+json", "image/svg+xml", "text/plain"} in kinds


def test_a_semicolon_with_a_variable_shows_no_object(shop: Shell) -> None:
    cell = shop.run("%obs_incident -o inc payment-api --at 14:15 --no-plot;")
    assert (cell.result, cell.outputs) == (None, [])
    assert shop.variables["inc"].service == "payment-api"


def test_names_of_services_and_times_may_be_variables(shop: Shell) -> None:
    shop.ip.push({"which": "payment-api", "when": "14:15"})
    cell = shop.run("%obs_incident ${which} --at ${when} --end 14:40 --no-plot")
    assert cell.result.incident.end_ns == ns("14:40")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "needs SERVICE"),
        ("paymnt-api --at 14:15", "did you mean payment-api?"),
        ("payment-api --at 14:15 --sorce demo", "did you mean --source"),
        ("payment-api checkout-api", "does not belong here"),
        ("payment-api --at 2027-01-01", "lies after the sources' now"),
    ],
)
def test_what_is_wrong_declares_nothing(shop: Shell, line: str, says: str) -> None:
    assert says in error_of(shop.run(f"%obs_incident inc << {line}"))
    assert "inc" not in shop.variables
    assert "there is no incident called 'inc'" in error_of(shop.run("%obs_timeline inc"))


def test_what_does_not_come_stands_first(shop: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    async def down(*_arguments: Any) -> Any:
        raise SourceUnavailable("it went away", where="demo")

    monkeypatch.setattr(FolderSource, "traces", down)
    text = text_of(shop.run("%obs_incident payment-api --at 14:15"))
    assert "✖ Failed: failing traces, slow traces, traces, usual traces: demo: it went away" in text
    assert "Connection pool exhausted" in text


@pytest.mark.parametrize("command", [INCIDENT, TIMELINE])
def test_help(shop: Shell, command: Any) -> None:
    assert f"{command.name}: " in shop.run(f"{command.name} --help").stdout


@pytest.mark.parametrize("command", TIMELINE_COMMANDS.values(), ids=lambda command: command.name)
def test_help_of_what_stands_behind_timeline(shop: Shell, command: Any) -> None:
    text = shop.run(f"{command.name} --help").stdout
    assert f"{command.name}: {command.summary}" in text


@pytest.mark.parametrize("example", [*INCIDENT.examples, *TIMELINE.examples])
def test_examples_work(shop: Shell, example: str) -> None:
    assert shop.run(example).error is None


@pytest.mark.parametrize("example", [one for command in TIMELINE_COMMANDS.values() for one in command.examples])
def test_examples_of_notes_work(shop: Shell, example: str) -> None:
    cell = shop.run(example)
    assert cell.error is None
    assert cell.stdout


# ── %obs_timeline ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_timeline_of_the_last_incident_with_notes(shop: Shell) -> None:
    noted = shop.run('%obs_timeline add 14:31 "rolled back v2.4.1" --by anna --service payment-api')
    assert noted.stdout == "noted: 22 Nov 14:31:00  anna: rolled back v2.4.1 [payment-api]\n"
    shop.run("%obs_incident payment-api --at 14:15 --no-plot")
    cell = shop.run("%obs_timeline rows <<")
    text = text_of(cell)
    assert "── onset" in text
    assert "── recovered +35 min" in text
    assert "time to mitigate: 32 min (14:47 UTC, redis pool: max connections 20 → 100)" in text
    rows = shop.variables["rows"]
    assert cell.result is rows
    assert rows[rows["what"] == "note"]["title"].tolist() == ["anna: rolled back v2.4.1"]
    assert "recommendation-service" not in set(shop.run("%obs_timeline --near --no-plot").result["service"])


def test_the_picture_shows_the_time_that_is_asked_for(shop: Shell) -> None:
    shop.run("%obs_incident inc << payment-api --at 14:15 --no-plot;")
    text = text_of(shop.run("%obs_timeline inc --start 14:20 --end 14:30"))
    assert "PaymentLatencyHigh" not in text
    assert "+6 min 30 s alert payment-api All redis" in text
    assert "rows lie outside of the picture; the table has them" in text


def test_without_an_incident_it_is_what_happened_in_a_time(shop: Shell) -> None:
    shop.run("%obs_timeline add 14:31 suspect the deploy")
    shop.run("%obs_timeline add 09:00 coffee")
    cell = shop.run("%obs_timeline --start 14:00 --end 15:00")
    assert "Timeline: " in text_of(cell)
    assert cell.result["title"].tolist().count("suspect the deploy") == 1
    assert "coffee" not in cell.result["title"].tolist()
    quiet = shop.run("%obs_timeline rows << --last 1m --no-plot ;")
    assert quiet.result is None


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("inc", "there is no incident called 'inc'"),
        ("number", "number is no incident"),
        ("ad 14:31 x", "does not belong here"),
        ("add 14:31", "needs TEXT"),
        ('add 14:31 ""', "a note says something"),
        ("add 25:00 x", "no such time of day"),
        ("add 14:31 x --zone Nowhere", "not a time zone"),
        ("import", "there is no chat"),
        ("import number", "number holds no text"),
        ("import nothing_there", "nothing_there is no variable"),
        ("notes x", "does not belong here"),
    ],
)
def test_what_is_wrong_with_a_timeline(shop: Shell, line: str, says: str) -> None:
    shop.ip.push({"number": 5})
    assert says in error_of(shop.run(f"%obs_timeline {line}"))


def test_only_import_takes_a_body(shop: Shell) -> None:
    assert "only import takes a body" in error_of(shop.run("%%obs_timeline\n14:31 a: x"))
    assert "there is no line with a time" in error_of(shop.run("%%obs_timeline import\nhello"))
    assert "in a variable as well" in error_of(shop.run("%%obs_timeline import chat\n14:31 a: x"))
    assert "is not a time" in error_of(shop.run("%%obs_timeline import --date nonsense\n14:31 a: x"))


def test_pasted_chat_becomes_notes(shop: Shell) -> None:
    shop.run("%obs_incident payment-api --at 14:15 --no-plot")
    chat = f"15:31 anna: {HOSTILE}\n15:41 ben: ok\nyes"
    cell = shop.run(f"%%obs_timeline import --zone Europe/Berlin --service payment-api\n{chat}")
    assert cell.stdout.startswith("noted: 2 notes from 14:31 to 14:41, 22 Nov 2026, UTC\n22 Nov 14:31:00  anna: <img")
    assert "note: times without a date are those of 22 Nov 2026, and on" in cell.stdout
    assert "\x1b" not in cell.stdout
    rows = shop.run("%obs_timeline --no-plot").result
    assert rows[rows["what"] == "note"]["source"].tolist() == ["chat", "chat"]
    assert rows["title"].tolist().count("ben: ok\nyes") == 1


def test_chat_in_a_variable_of_a_day(shop: Shell) -> None:
    shop.ip.push({"chat": "\n".join(f"14:{minute:02} a: line {minute}" for minute in range(10, 40))})
    cell = shop.run("%obs_timeline import chat --date 2026-11-21")
    assert cell.stdout.startswith("noted: 30 notes from 14:10 to 14:39, 21 Nov 2026, UTC")
    assert "and 18 more" in cell.stdout


def test_notes_are_listed_once_and_forgotten(shop: Shell) -> None:
    assert "no notes yet" in shop.run(TIMELINE_NOTES.name).stdout
    shop.run("%obs_timeline add 14:41 no better")
    shop.run("%obs_timeline add 14:31 rolled back")
    shop.run("%obs_timeline add 14:31 rolled back")
    listed = shop.run(TIMELINE_NOTES.name).stdout.splitlines()
    assert listed == [
        "2 notes from 14:31 to 14:41, 22 Nov 2026, UTC",
        "22 Nov 14:31:00  rolled back",
        "22 Nov 14:41:00  no better",
    ]
    assert shop.run(TIMELINE_FORGET.name).stdout == "2 notes forgotten\n"
    shop.run("%obs_timeline add 14:31 again")
    assert shop.run(TIMELINE_FORGET.name).stdout == "1 note forgotten\n"


def test_a_cell_that_runs_again_takes_back_what_it_noted() -> None:
    def run(cell: str, number: int) -> Any:
        parent = {"metadata": {"cellId": cell}}
        return run_of(SimpleNamespace(kernel=None, get_parent=lambda: parent, execution_count=number))

    case = Case()
    case.note(run("a", 1), [Remark(at_ns=2, text="first"), Remark(at_ns=1, text="before")])
    case.note(run("b", 2), [Remark(at_ns=3, text="other")])
    assert [one.text for one in case.remarks()] == ["before", "first", "other"]
    case.note(run("a", 3), [Remark(at_ns=2, text="changed")])
    case.note(run("a", 3), [Remark(at_ns=4, text="and more")])
    assert [one.text for one in case.remarks()] == ["changed", "other", "and more"]
    plain = run_of(SimpleNamespace(execution_count=1))
    case.note(plain, [Remark(at_ns=5, text="x")])
    case.note(run_of(SimpleNamespace(execution_count=2)), [Remark(at_ns=6, text="y")])
    assert len(case.remarks()) == 5


# ── completion ───────────────────────────────────────────────────────────────────────────────────────────────────────


def completions(shell: Shell, marked: str) -> list[str]:
    position = marked.index("¦")
    text = marked.replace("¦", "")
    with provisionalcompleter():
        found = list(shell.ip.Completer.completions(text, position))
    return [text[: one.start] + one.text + "¦" + text[one.end :] for one in found]


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("%obs_incident pay¦", "%obs_incident payment-api¦"),
        ("%obs_incident payment-api --a¦", "%obs_incident payment-api --at¦"),
        ("%obs_incident payment-api --source d¦", "%obs_incident payment-api --source demo¦"),
        ("%obs_timeline ¦", "%obs_timeline add¦"),
        ("%obs_timeline im¦", "%obs_timeline import¦"),
        ("%obs_timeline my¦", "%obs_timeline my_incident¦"),
        ("%obs_timeline --n¦", "%obs_timeline --near¦"),
        ("%obs_timeline add 14:31 x --service pay¦", "%obs_timeline add 14:31 x --service payment-api¦"),
        ("%obs_timeline add 14:31 --zone Eu¦", "%obs_timeline add 14:31 --zone Europe/Berlin¦"),
        ("%obs_timeline import my¦", "%obs_timeline import my_incident¦"),
        ("%%obs_timeline import --d¦\nx", "%%obs_timeline import --date¦\nx"),
    ],
)
def test_completion(shop: Shell, marked: str, expected: str) -> None:
    shop.ip.push({"my_incident": 1})
    assert expected in completions(shop, marked)


def test_nothing_is_offered_in_what_people_said(shop: Shell) -> None:
    marked = "%%obs_timeline import\n14:31 anna: su¦"
    assert completions(shop, marked) in ([], [marked])
