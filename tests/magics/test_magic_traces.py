"""`%%obs_traces` in a real shell, over the demo world."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from IPython.core.completer import provisionalcompleter

from obs_magics.api import Session
from obs_magics.magics.commands_ask import TRACES
from obs_magics.model.spans import check_spans

if TYPE_CHECKING:
    from conftest import Cell, Shell

SLOW = "%obs_traces slow << --service checkout-api --min-duration 5s --start 12:30 --end 13:10 --limit 200"


@pytest.fixture
def shop(make_shell: Callable[[], Shell], bare_session: Session) -> Shell:
    """A shell whose session has the demo world."""
    bare_session.demo()
    return make_shell()


def text_of(cell: Cell) -> str:
    assert cell.error is None, cell.error
    return re.sub(r"\s+", " ", cell.text)


def test_the_slow_checkouts_say_why(shop: Shell) -> None:
    told = text_of(shop.run(SLOW))
    assert "inventory-service is the bottleneck:" in told
    assert "`SELECT * FROM inventory WHERE sku IN (<*>)`" in told
    assert "since 12:40 UTC" in told
    assert "an index" in told
    assert "← Bottleneck" in told
    slow = shop.variables["slow"]
    check_spans(slow)
    assert f"{slow['trace_id'].nunique()} traces, {len(slow):,} spans" in told
    checkout = slow[slow["service"] == "checkout-api"]
    assert (checkout.groupby("trace_id")["duration"].max().dt.total_seconds() >= 5).all()


def test_traceql_and_conditions_hold_together(shop: Shell) -> None:
    query = '{ resource.service.name = "payment-api" && status = error }'
    cell = shop.run(f"%%obs_traces failed << --start 14:20 --end 14:30 --limit 50\n{query}")
    told = text_of(cell)
    assert "failed first in" in told
    failed = shop.variables["failed"]
    own = failed[(failed["service"] == "payment-api") & (failed["status"] == "error")]
    assert set(own["trace_id"]) == set(failed["trace_id"])


def test_a_bare_id_gives_that_trace_alone(shop: Shell) -> None:
    wanted = shop.run(f"{SLOW} --no-plot").result["trace_id"].iloc[0]
    for line in (f"%obs_traces {wanted}", f"%obs_traces --trace-id {wanted.lstrip('0')}"):
        cell = shop.run(line)
        assert set(cell.result["trace_id"]) == {wanted}
        assert "1 trace, " in text_of(cell)


def test_numbers_over_time_are_a_metrics_frame(shop: Shell) -> None:
    cell = shop.run(
        "%%obs_traces --step 1m --start 14:00 --end 15:00\n{ status = error } | rate() by (resource.service.name)"
    )
    told = text_of(cell)
    assert list(cell.result.columns[:3]) == ["timestamp", "value", "metric"]
    assert "payment-api" in told


def test_nothing_says_why_with_near_names(shop: Shell) -> None:
    told = text_of(shop.run("%obs_traces --service chekout-api"))
    assert "checkout-api" in told
    assert "Empty: " in told


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("%obs_traces --status eror", "did you mean error?"),
        ("%obs_traces --min-duration 5s --max-duration 1s", "swap them"),
        ("%obs_traces --trace-id zzz", "is not a trace id"),
        ("%obs_traces --limit 0", "a whole number above 0"),
        ("%%obs_traces\n{ status = }", "unexpected }"),
        ('%%obs_traces\n{ duration = "x" }', "duration"),
        ("%%obs_traces\nstatus = error", "unexpected"),
    ],
)
def test_what_is_wrong_is_said_in_a_few_lines(shop: Shell, line: str, says: str) -> None:
    error = shop.run(line).error
    assert error is not None
    assert says in str(error)
    assert len(str(error).splitlines()) < 8


def test_dry_run_asks_for_nothing(shop: Shell) -> None:
    cell = shop.run("%obs_traces --dry-run --service a --operation b --status ok --min-duration 1s --max-duration 2s")
    assert cell.result is None
    assert "Nothing was asked" in cell.stdout
    for said in ("service  a", "span     b", "status   ok", "at least 1s", "at most  2s", "limit    20 traces"):
        assert said in cell.stdout


@pytest.mark.parametrize("example", TRACES.examples)
def test_every_example_of_the_help_works(shop: Shell, example: str) -> None:
    cell = shop.run(example)
    assert cell.error is None
    check_spans(cell.result if cell.result is not None else shop.variables["slow"])


def test_the_frame_goes_on(shop: Shell) -> None:
    shop.run(f"{SLOW} --no-plot")
    slow = shop.variables["slow"]
    assert slow.obs.bottlenecks()["service"].iloc[0] == "inventory-service"
    assert "SELECT * FROM inventory" in slow.obs.bottlenecks(by="query").to_string()
    assert "Bottleneck" in slow.obs.waterfall().to_text()
    assert len(slow.obs.summary()) == slow["trace_id"].nunique()
    assert set(slow.obs.critical_path()["trace_id"]) == set(slow["trace_id"])
    assert "inventory-service" in slow.obs.service_map().to_text()
    assert "db.query.text" in slow.obs.attributes("db.query.text").columns
    assert slow.obs.plot() is not None


@pytest.mark.parametrize(
    ("marked", "first"),
    [
        ("%%obs_traces --serv¦", "%%obs_traces --service¦"),
        ("%%obs_traces --service check¦", "%%obs_traces --service checkout-api¦"),
        ("%%obs_traces --status e¦", "%%obs_traces --status error¦"),
        ("%%obs_traces\n{ dura¦", "%%obs_traces\n{ duration¦"),
        ("%%obs_traces\n{ status = e¦", "%%obs_traces\n{ status = error¦"),
        ('%%obs_traces\n{ resource.service.name = "payment¦', '%%obs_traces\n{ resource.service.name = "payment-api¦'),
        ("%%obs_traces\n{ } | rat¦", "%%obs_traces\n{ } | rate()¦"),
    ],
)
def test_what_fits_comes_first(shop: Shell, marked: str, first: str) -> None:
    position, text = marked.index("¦"), marked.replace("¦", "")
    with provisionalcompleter():
        found = list(shop.ip.Completer.completions(text, position))
    assert [text[: one.start] + one.text + "¦" + text[one.end :] for one in found[:1]] == [first]


def test_two_times_are_set_side_by_side_and_two_sources_joined(shop: Shell) -> None:
    shop.run(f"{SLOW} --no-plot ;")
    shop.run("%obs_traces calm << --service checkout-api --start 11:30 --end 12:10 --limit 200 --no-plot ;")
    told = shop.variables["slow"].obs.diff(shop.variables["calm"]).to_text()
    assert "inventory-service" in told
    source = shop.session._core.book.source("demo")  # the same world under a second name
    shop.session.connect("again", str(source.path), type="folder")
    both = text_of(shop.run(SLOW.replace("slow <<", "joined << --source demo,again")))
    joined = shop.variables["joined"]
    assert set(joined["source"]) == {"demo"}
    assert "traces from demo" in both
    assert len(joined) == len(shop.variables["slow"])
