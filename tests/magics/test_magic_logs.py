"""`%%obs_logs` in a real shell, over the demo world."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from obs_magics.api import Session
from obs_magics.magics.commands_ask import LOGS
from obs_magics.model.errors import UsageError
from obs_magics.model.logs import check_logs

if TYPE_CHECKING:
    from conftest import Cell, Shell

OUTBURST = '%%obs_logs errors << --start 14:00 --end 14:30 --level error\n{namespace="shop"}'


@pytest.fixture
def shop(make_shell: Callable[[], Shell], bare_session: Session) -> Shell:
    """A shell whose session has the demo world."""
    bare_session.demo()
    return make_shell()


def text_of(cell: Cell) -> str:
    assert cell.error is None, cell.error
    return re.sub(r"\s+", " ", cell.text)


def test_the_outburst_reads_like_the_incident(shop: Shell) -> None:
    told = text_of(shop.run(OUTBURST))
    for sentence in (
        "47 errors in 3 services; times in UTC",
        "payment-api (32): “Connection pool exhausted” 14:23–14:28, on /api/payments and /api/refunds",
        "user-service (12): “Connection timeout after <*>” 14:24–14:29, on /api/users/me/wallet;"
        " began after payment-api",
        "order-service (3): “Unable to acquire connection” 14:26–14:28, on /api/orders; began after user-service;"
        " isolated, likely cascade",
        "× normal since 14:14",
        "a connection pool ran out",
        "3 patterns in 47 lines",
    ):
        assert sentence in told


def test_every_number_is_one_that_a_reader_recounts(shop: Shell) -> None:
    told = text_of(shop.run(OUTBURST))
    errors = shop.variables["errors"]
    check_logs(errors)
    assert (errors["level"] >= "error").sum() == len(errors) == 47
    for service, count in errors["service"].value_counts().items():
        assert f"{service} ({count}): " in told
    origin = errors.obs.provenance
    assert (origin.total, origin.level, origin.signal) == (47, "error", "logs")
    every = shop.run('%obs_logs --limit 1 --start 14:00 --end 14:30 {namespace="shop"}').result
    counted = {level: sum(counts) for level, counts in origin.volume["counts"].items()}
    assert sum(counted.values()) == every.obs.provenance.total
    assert counted["error"] == 47


def test_plain_words_are_understood_and_told(shop: Shell) -> None:
    cell = shop.run('%obs_logs errors in payment-api with "pool exhausted" since 14:00')
    told = text_of(cell)
    assert 'read as lines of payment-api, level error or worse, with "pool exhausted", since 14:00' in told
    assert set(cell.result["service"]) == {"payment-api"}
    assert cell.result["message"].str.contains("pool exhausted").all()
    assert len(cell.result) == 41


def test_without_a_query_every_line_of_the_last_half_hour_is_meant(shop: Shell) -> None:
    cell = shop.run("%obs_logs --limit 50")
    told = text_of(cell)
    total = cell.result.obs.provenance.total
    assert f"the newest 50 of {total:,} lines from demo (folder)" in told
    assert len(cell.result) == 50
    assert cell.result["timestamp"].max() >= pd.Timestamp("2026-11-22T15:59:00Z")


def test_numbers_over_time_are_a_metrics_frame_with_its_chart(shop: Shell) -> None:
    cell = shop.run('%%obs_logs\nsum by (level) (count_over_time({namespace="shop"}[5m]))')
    told = text_of(cell)
    assert list(cell.result.columns) == ["timestamp", "value", "metric", "level"]
    assert '{level="info"}: now' in told
    assert "%%obs_logs --source demo" in told


def test_nothing_says_why(shop: Shell) -> None:
    cell = shop.run('%obs_logs {app="payment"}')
    assert "no stream has a label 'app'" in text_of(cell)
    check_logs(cell.result)
    assert len(cell.result) == 0


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("%obs_logs --level eror", "did you mean error?"),
        ("%obs_logs --levl error", "did you mean --level"),
        ("%obs_logs --limit 0", "a whole number above 0"),
        ("%obs_logs --patterns --no-patterns", "given together"),
        ("%obs_logs --source nowhere", "there is no source called 'nowhere'"),
        ('%%obs_logs\n{service="x" |= ', "unexpected |="),
        ('%%obs_logs\n{service=~"("}', "missing"),
        ('%%obs_logs\n{service="${nobody}"}', "there is no Python variable nobody"),
        ("%obs_logs --start 15:00 --end 14:00 --last 1h", "given together"),
    ],
)
def test_what_is_wrong_is_said_in_a_few_lines(shop: Shell, line: str, says: str) -> None:
    error = shop.run(line).error
    assert error is not None
    assert says in str(error)
    assert len(str(error).splitlines()) < 8


def test_an_error_leaves_the_variable_as_it_was(shop: Shell) -> None:
    shop.run("%obs_logs kept << --limit 3")
    before = shop.variables["kept"]
    assert shop.run('%%obs_logs kept <<\n{service="x"').error is not None
    assert shop.variables["kept"] is before


def test_dry_run_asks_for_no_lines(shop: Shell) -> None:
    cell = shop.run("%obs_logs --dry-run --level warn errors in payment-api last hour")
    assert cell.result is None
    assert "Nothing was asked" in cell.stdout
    assert '{service="payment-api"}' in cell.stdout
    assert re.search(r"level +warn and worse", cell.stdout)
    assert "15:00:00 to 2026-11-22 16:00:00 UTC (1h)" in cell.stdout


def test_python_variables_are_quoted_for_the_place(shop: Shell) -> None:
    shop.run('services = ["payment-api", "user-service"]\nphrase = \'pool "x\'\nservice = services[0]')
    cell = shop.run('%obs_logs --dry-run {service=~"${services}"} |= "${phrase}"')
    assert '{service=~"payment-api|user-service"} |= "pool \\"x"' in cell.stdout
    assert '{service="payment-api"}' in shop.run("%obs_logs --dry-run errors in ${service}").stdout


def test_the_table_of_patterns_can_be_left_out_or_asked_for(shop: Shell) -> None:
    assert "patterns in" not in text_of(shop.run("%obs_logs --limit 20 --no-patterns"))
    one = '{service="order-service"} |= "Unable"'
    assert "1 pattern in 3 lines" not in text_of(shop.run(f"%obs_logs --last 6h {one}"))
    assert "1 pattern in 3 lines" in text_of(shop.run(f"%obs_logs --last 6h --patterns {one}"))


def test_no_plot_gives_the_frame_alone(shop: Shell) -> None:
    cell = shop.run("%obs_logs --limit 5 --no-plot")
    assert cell.outputs == []
    assert len(cell.result) == 5


@pytest.mark.parametrize("example", LOGS.examples)
def test_every_example_of_the_help_works(shop: Shell, example: str) -> None:
    cell = shop.run(example)
    assert cell.error is None
    check_logs(cell.result if cell.result is not None else shop.variables["errors"])


def test_the_frame_goes_on(shop: Shell) -> None:
    shop.run(OUTBURST)
    errors = shop.variables["errors"]
    levels = errors.obs.levels(by="service")
    assert levels[["service", "count"]].to_numpy().tolist() == [
        ["payment-api", 32],
        ["user-service", 12],
        ["order-service", 3],
    ]
    assert levels["share"].sum() == pytest.approx(1)
    assert errors.obs.patterns()["count"].tolist() == [32, 12, 3]
    assert errors.obs.summary()["says"].tolist()[0] == "Connection pool exhausted"
    assert "error" in repr(errors.obs.plot().to_text(80))
    every = shop.run('%obs_logs --start 14:00 --end 14:30 --limit 9000 --no-plot {namespace="shop"}').result
    begun = every.obs.surges()
    assert begun[begun["level"] >= "error"]["service"].tolist() == ["payment-api", "user-service", "order-service"]


def test_secrets_are_gone_and_it_is_said(
    make_shell: Callable[[], Shell], bare_session: Session, tmp_path: Path
) -> None:
    secret = "hunter2" + "hunter2"
    lines = [f"2026-11-22T14:00:0{second}Z ERROR login failed password={secret} user=x" for second in range(5)]
    (tmp_path / "auth.log").write_text("\n".join(lines) + "\n")
    bare_session.connect("files", str(tmp_path))
    cell = make_shell().run("%obs_logs found << --last 1h")
    told = text_of(cell)
    assert "hidden: 5 " in told
    everything = told + repr(cell.outputs) + cell.result.to_csv() + repr(cell.result.attrs)
    assert secret not in everything
    assert cell.result["message"].nunique() == 5


def test_either_word_is_asked_for_and_the_level_goes_on_into_the_next_cell(shop: Shell) -> None:
    told = text_of(shop.run("%obs_logs either << --level error --start 14:00 --end 14:30 exhausted or timeout"))
    either = shop.variables["either"]
    assert either["message"].str.contains("(?i)exhausted|timeout", regex=True).all()
    assert either["service"].nunique() > 1
    assert 'with "exhausted" or "timeout"' in told
    assert "--start 2026-11-22T13:30:00Z --end 2026-11-22T14:00:00Z --level error exhausted or timeout" in told


def test_a_filtered_frame_is_counted_itself(shop: Shell) -> None:
    shop.run("%obs_logs every << --start 14:00 --end 14:30 --limit 9000 --no-plot")
    every = shop.variables["every"]
    whole = every.obs.plot().to_text(80)
    assert "info" in whole
    assert "fetched" not in whole
    errors = every[every["level"] >= "error"].obs.plot().to_text(80)
    assert "info" not in errors
    assert "47" in errors


def test_the_plot_of_a_frame_shows_the_levels_that_were_asked_for(shop: Shell) -> None:
    shop.run(OUTBURST)
    drawn = shop.variables["errors"].obs.plot().to_text(80)
    assert "info" not in drawn
    assert "47" in drawn


def test_frames_that_came_a_long_way_are_still_understood(shop: Shell) -> None:
    shop.run(OUTBURST)
    errors = shop.variables["errors"]
    wanted = errors.obs.levels(by="service")
    moved = errors.assign(
        timestamp=errors["timestamp"].dt.tz_convert("Europe/Berlin"),
        level=errors["level"].astype("str"),
        service=errors["service"].astype("str"),
        minute=errors["timestamp"].dt.minute,
        value=1.5,
    ).sort_values("minute", ascending=False)
    assert moved.obs.levels(by="service").equals(wanted)
    assert moved.obs.levels(by="minute")["count"].sum() == 47
    assert errors.obs.levels(by="level").equals(errors.obs.levels())
    assert errors.assign(service=errors["service"].astype("string[pyarrow]")).obs.levels()["count"].sum() == 47
    early, late = moved[moved["minute"] < 25], moved[moved["minute"] >= 25]
    assert late.obs.surges(early).equals(errors[errors["timestamp"].dt.minute >= 25].obs.surges(early))
    named = errors.assign(value="1", metric="x")
    assert named.obs.patterns()["count"].tolist() == [32, 12, 3]
    named.attrs.clear()
    with pytest.raises(UsageError, match="only a logs frame"):
        named.obs.patterns()  # nothing tells it from a metrics frame


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda frame: frame.assign(timestamp="2026-11-22").obs.levels(), "timestamp is"),
        (lambda frame: frame.assign(timestamp=frame["timestamp"].shift(2)).obs.levels(), "2 rows without a time"),
        (lambda frame: frame.assign(level="loud").obs.levels(), "level is str"),
        (lambda frame: pd.concat([frame, frame[["message"]]], axis=1).obs.levels(), "one column is called message"),
        (lambda frame: frame.obs.surges(5), "the baseline is of type int"),
        (lambda frame: frame.obs.surges(pd.DataFrame({"a": [1]})), "the baseline is no logs frame"),
        (lambda frame: frame.assign(share=1).obs.levels(by="share"), "a column share of its own"),
        (lambda frame: frame.obs.levels(by="nope"), "no column 'nope'"),
        (lambda frame: frame.drop(columns="level").obs.levels(), "the column level is missing"),
        (lambda frame: frame.iloc[:0].obs.plot(), "the frame has no line"),
    ],
)
def test_what_a_logs_frame_cannot_do_is_said(shop: Shell, ask: Callable[[pd.DataFrame], object], says: str) -> None:
    shop.run(OUTBURST)
    with pytest.raises(UsageError, match=says):
        ask(shop.variables["errors"])


def test_the_trace_of_a_line_is_one_cell_away(shop: Shell) -> None:
    told = text_of(shop.run(OUTBURST))
    found = re.search(r"%obs_traces --source demo --trace-id ([0-9a-f]{32})", told)
    assert found
    assert found[1] in set(shop.variables["errors"]["trace_id"])
    assert shop.run(found[0]).error is None


def test_without_a_source_of_traces_no_trace_is_offered(
    make_shell: Callable[[], Shell], bare_session: Session, tmp_path: Path
) -> None:
    (tmp_path / "a.log").write_text(f"2026-11-22T14:00:00Z ERROR it broke trace_id={'a1' * 16}\n")
    bare_session.connect("files", str(tmp_path))
    assert "%obs_traces" not in text_of(make_shell().run("%obs_logs"))
