"""`%%obs_events` in a real shell, over the demo world."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from IPython.core.completer import provisionalcompleter

from obs_magics.api import Session
from obs_magics.magics.commands_ask import EVENT_KINDS, EVENTS
from obs_magics.model.events import KINDS, check_events

if TYPE_CHECKING:
    from conftest import Cell, FakePrometheus, Shell


@pytest.fixture
def shop(make_shell: Callable[[], Shell], bare_session: Session) -> Shell:
    """A shell whose session has the demo world."""
    bare_session.demo()
    return make_shell()


def text_of(cell: Cell) -> str:
    assert cell.error is None, cell.error
    return re.sub(r"\s+", " ", cell.text)


def test_what_happened_is_told_drawn_and_listed(shop: Shell) -> None:
    told = text_of(shop.run("%obs_events seen <<"))
    seen = shop.variables["seen"]
    check_events(seen)
    assert f"seen: {len(seen)} events from demo (folder)" in told
    assert f"{len(seen)} events in {seen['service'].nunique()} services" in told
    assert "most in payment-api: 2 deployments, 2 config changes, 3 alerts, 1 incident, 3 notes" in told
    assert "redis pool: max connections 20 → 100" in told
    assert "still going on: Disk of node-3 is more than 80 % full since 20 Nov 06:30" in told
    assert "▲ deployment ◆ config change ■ flag" in told
    assert "this source stands still" in told
    assert "seen.obs.summary()" in told


def test_the_next_cells_run_as_they_stand(shop: Shell) -> None:
    cell = shop.run("%obs_events --last 2h")
    cells = re.findall(r"^    (%+obs_\w+ .*)$", cell.text.partition("next:")[2], re.MULTILINE)
    assert [line.split()[0] for line in cells] == ["%obs_events", "%obs_events", "%obs_logs"]
    for line in cells:
        assert shop.run(line).error is None
    assert "--service payment-api" in cells[1]


def test_options_and_words_narrow_the_answer(shop: Shell) -> None:
    changed = shop.run("%obs_events --kind deployment,config --service 'payment-*' --last 2h --no-plot").result
    assert changed["kind"].tolist() == ["deployment", "config_change", "deployment", "config_change"]
    cell = shop.run('%%obs_events --last 2h --limit 1\nalerts severity="critical"\n# of all services')
    told = text_of(cell)
    assert "Not complete: the newest 1 of 3 events (limit)" in told
    assert cell.result["kind"].tolist() == ["alert"]
    shop.variables["name"] = "payment-api"
    assert set(shop.run('%obs_events --last 2h --no-plot service="${name}"').result["service"]) == {"payment-api"}


def test_who_asks_for_alerts_is_not_told_that_nothing_changed(shop: Shell) -> None:
    for cell in ("%obs_events alerts of payment-api since 14:00", "%obs_events --kind alert --last 2h"):
        assert "nothing is known to have changed" not in " ".join(shop.run(cell).text.split())
    deployed = " ".join(shop.run("%obs_events --kind deployment --last 2h").text.split())
    assert "the last of these changes, 1 h 22 min before" in deployed
    short = shop.run("%obs_events --start 14:20 --end 14:40")  # the changes lie before
    assert "nothing is known to have changed" not in " ".join(short.text.split())


def test_nothing_says_why_and_what_to_do(shop: Shell) -> None:
    told = text_of(shop.run("%obs_events nonsense"))
    assert "nonsense: nothing from demo (folder)" in told
    assert "Empty: none of the" in told
    assert "%obs_events --source demo --last 24h" in told
    early = text_of(shop.run("%obs_events --start 10:31 --end 10:40 scaling"))
    assert "Empty: none of the 2 events there fits what was asked for" in early


def test_a_dry_run_asks_nobody_and_help_explains(shop: Shell) -> None:
    told = text_of(shop.run('%obs_events --dry-run --service cart-service --last 2h deploys "rolled back" team!="a"'))
    for part in ("source demo (folder", "kinds deployment", "services cart-service", "words rolled back",
                 'where team!="a"', "limit 1,000 events", "14:00:00 to 2026-11-22 16:00:00 UTC (2h)"):  # fmt: skip
        assert part in told
    assert "Kinds: deployment, config_change" in text_of(shop.run("%obs_events --help"))
    assert EVENT_KINDS == KINDS


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%obs_events --kind deploymnt", "did you mean deployment"),
        ("%obs_events --source nope", "there is no source called 'nope'"),
        ('%obs_events "open', "a quote is opened and not closed"),
        ("%obs_events deploys --last 2h", "options go first"),
        ("%obs_events --kind alert deploys", "asks for deployment"),
    ],
)
def test_mistakes_are_told_with_the_way_out(shop: Shell, line: str, said: str) -> None:
    cell = shop.run(line)
    assert cell.error is not None
    assert said in f"{cell.error} {getattr(cell.error, 'hint', '')}"


def test_every_example_of_the_help_works(shop: Shell) -> None:
    for example in EVENTS.examples:
        assert shop.run(example).error is None


def test_a_source_that_fails_is_named_in_the_panel(
    shop: Shell, bare_session: Session, tmp_path: Path, server: FakePrometheus
) -> None:
    file = tmp_path / "deploys.csv"
    file.write_text("when,service,version\n2026-11-22 15:00,web,v7\n")
    bare_session.connect("ci", str(file), type="events")
    bare_session.connect("prom", server.address)
    bare_session.use("demo")
    told = text_of(shop.run("%obs_events --kind deployment"))
    assert "events: 4 events from demo, ci (folder, events)" in told
    file.unlink()
    broken = text_of(shop.run("%obs_events --kind deployment"))
    assert "✖ Failed: ci did not answer: there is no such file or folder" in broken
    assert "✂ Not complete: 1 of 2 sources did not answer" in broken
    both = shop.run("%obs_events --source demo,prom --kind alert --last 1h --no-plot")
    assert both.result.obs.provenance.platform == "folder,prometheus"
    assert "ALERTS" in server.queries()[-1]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("%obs_events --ki", {"--kind"}),
        ("%obs_events --kind de", {"deployment"}),
        ("%obs_events --service pay", {"payment-api"}),
        ("%obs_events --source de", {"demo"}),
        ("%obs_events dep", {"deployments"}),
        ("%%obs_events\npaym", {"payment-api"}),
        ("%%obs_events\nsever", {"severity"}),
        ('%%obs_events\nseverity="cri', {"critical"}),
        ('%%obs_events\nalertname=~"Pay', {"PaymentErrorsHigh", "PaymentLatencyHigh"}),
        ("%%obs_events\nservice=`cart", {"cart-service"}),
    ],
)
def test_completion_knows_kinds_services_sources_and_attributes(shop: Shell, typed: str, expected: set[str]) -> None:
    with provisionalcompleter():
        found = {one.text for one in shop.ip.Completer.completions(typed, len(typed))}
    assert expected <= found


def test_python_s_own_names_are_offered_too(shop: Shell) -> None:
    shop.variables["wanted"] = "cart-service"
    with provisionalcompleter():
        typed = "%%obs_events\nservice=${wan"
        found = {one.text for one in shop.ip.Completer.completions(typed, len(typed))}
    assert "wanted" in found


def test_a_frame_of_events_has_a_summary_and_a_picture(shop: Shell) -> None:
    seen = shop.run("%obs_events --last 2h --no-plot").result
    table = seen.obs.summary()
    assert table["events"].sum() == len(seen)
    assert {"service", "kind", "events", "first", "last"} == set(table.columns)
    assert "payment-api" in seen.obs.plot().to_text()
