"""Surges of logs frames: on made worlds whose events are known, and on the data that the floors are set on."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.log_worlds import HOUR, SECOND, START_NS, World, at, during, quiet, steady

from obs_magics.analysis.patterns import mine, pattern_id, pattern_table
from obs_magics.analysis.surges import detect, surges
from obs_magics.model.errors import UsageError
from obs_magics.model.frames import STRING_DTYPE, TIMESTAMP_DTYPE
from obs_magics.model.logs import LEVEL_DTYPE, empty_logs

RNG = np.random.default_rng


def recount(frame: pd.DataFrame, event: pd.Series) -> int:
    table, rows = pattern_table(frame)
    own = (table["id"].to_numpy()[rows] == event["pattern"]) & frame["service"].eq(event["service"]).to_numpy()
    return int((own & frame["timestamp"].between(event["start"], event["end"]).to_numpy()).sum())


def test_a_new_pattern_is_told_from_its_first_line_to_its_last() -> None:
    rng = RNG(1)
    world = quiet(rng).add("pool exhausted after # ms", "api", during(rng, 2400.0, 2700.0, 40), "error")
    frame = world.frame()
    found = surges(frame)
    assert len(found) == 1
    event = found.iloc[0]
    assert (event["kind"], event["service"], event["level"]) == ("new", "api", "error")
    assert event["template"] == "pool exhausted after <*> ms"
    assert event["pattern"] == pattern_id(event["template"])
    assert (at(event["start"]), at(event["end"])) == (2400.0, 2700.0)
    assert (event["count"], event["expected"], event["factor"]) == (40, 0.0, float("inf"))
    assert event["p_value"] < 1e-20
    assert pd.isna(event["cascade"])
    assert recount(frame, event) == 40


def test_a_surge_says_what_was_expected() -> None:
    rng = RNG(2)
    usual = steady(rng, 6, phi=0)
    more = rng.uniform(2000.0, 2300.0, 300)
    frame = quiet(rng).add("retry # of request", "db", np.concatenate([usual, more])).frame()
    (event,) = surges(frame).to_dict("records")
    assert event["kind"] == "surge"
    assert abs(at(event["start"]) - 2000.0) < 5
    assert abs(at(event["end"]) - 2300.0) < 5
    assert event["expected"] == pytest.approx(30, rel=0.35)
    assert event["factor"] == pytest.approx(event["count"] / event["expected"])
    assert event["count"] == recount(frame, pd.Series(event))


def test_a_silence_that_ends_is_a_drop_and_one_that_does_not_has_vanished() -> None:
    rng = RNG(3)
    one, two = steady(rng, 20, phi=0), steady(rng, 20, phi=0)
    world = quiet(rng).add("order # stored", "api", one[(one < 1500) | (one > 2100)])
    found = surges(world.add("order # shipped", "api", two[two < 2500]).frame())
    assert found[["kind", "template", "count"]].to_numpy().tolist() == [
        ["drop", "order <*> stored", 0],
        ["vanished", "order <*> shipped", 0],
    ]
    assert np.allclose([at(stamp) for stamp in found["start"]], [1500, 2500], atol=10)
    assert at(found["end"].iloc[0]) == pytest.approx(2100, abs=10)
    assert found["factor"].tolist() == [0.0, 0.0]
    assert found["expected"].tolist() == pytest.approx([200, 367], rel=0.3)


def test_fewer_lines_are_a_drop() -> None:
    rng = RNG(4)
    times = steady(rng, 30, phi=0)
    thinned = times[(times < 2000) | (times > 2900) | (rng.random(len(times)) < 0.1)]
    frame = quiet(rng).add("cache hit #", "db", thinned).frame()
    (event,) = surges(frame).to_dict("records")
    assert event["kind"] == "drop"
    assert 0.05 < event["factor"] < 0.2
    assert event["count"] == recount(frame, pd.Series(event)) > 0
    assert abs(at(event["start"]) - 2000) < 20


@pytest.mark.parametrize("period", [15.0, 60.0])
def test_a_clock_is_missed_after_a_few_beats(period: float) -> None:
    rng = RNG(5)
    beats = np.arange(3.0, HOUR - 6.5 * period, period)
    found = surges(quiet(rng).add("heartbeat #", "db", beats + rng.normal(0, 0.02 * period, len(beats))).frame())
    assert found[["kind", "template"]].to_numpy().tolist() == [["vanished", "heartbeat <*>"]]
    assert at(found["start"].iloc[0]) == pytest.approx(beats[-1], abs=0.1 * period)


def test_a_clock_that_stopped_at_once_has_no_normal_time() -> None:
    assert surges(quiet(RNG(31)).add("heartbeat #", "db", np.arange(0.0, 300.0, 10.0)).frame()).empty


def test_a_clock_that_is_late_once_is_no_event() -> None:
    rng = RNG(6)
    beats = np.arange(3.0, HOUR, 60.0)
    assert surges(quiet(rng).add("heartbeat #", "db", np.delete(beats, [40, 41])).frame()).empty


def test_what_grows_with_traffic_is_no_surge_and_what_outgrows_it_is() -> None:
    rng = RNG(7)
    world = World()
    for place in range(12):
        rate = 40 / (1 + place)
        world.add(
            f"get {'abcdefghijkl'[place] * 3} #",
            "api",
            np.concatenate([steady(rng, rate), rng.uniform(2200, HOUR, int(rate * 2 * 23))]),
        )
        world.add(f"put {'abcdefghijkl'[place] * 3} #", "db", steady(rng, rate))
    assert surges(world.frame()).empty
    errors = np.concatenate([steady(rng, 5), rng.uniform(2400, 2900, 400)])
    found = surges(world.add("refused by #", "api", errors, "error").frame())
    assert found["template"].tolist() == ["refused by <*>"]
    assert found["factor"].iloc[0] < 8  # ten times what it was, but traffic has trebled


def test_a_service_that_falls_silent_is_told_once() -> None:
    rng = RNG(8)
    world = quiet(rng, ("db",))
    for place, word in enumerate(("aaa", "bbb", "ccc", "ddd")):
        times = steady(rng, 20 / (1 + place))
        world.add(f"{word} served #", "api", times[times < 2600])
    found = surges(world.frame())
    assert found[["kind", "service", "template", "count"]].to_numpy().tolist() == [
        ["vanished", "api", "aaa served <*>", 0]
    ]
    assert at(found["start"].iloc[0]) == pytest.approx(2600, abs=15)


def test_an_only_pattern_that_falls_silent_is_told_once_too() -> None:
    rng = RNG(9)
    times = steady(rng, 20)
    found = surges(quiet(rng, ("db",)).add("tick #", "api", times[times < 2600]).frame())
    assert found[["kind", "service"]].to_numpy().tolist() == [["vanished", "api"]]


@pytest.mark.parametrize("period", [300.0, 600.0, 900.0, 1200.0, 1800.0])
def test_jobs_that_run_again_and_again_are_no_events(period: float) -> None:
    rng = RNG(10)
    starts = np.arange(0.4 * period, HOUR - 20, period)
    runs = np.concatenate([start + np.sort(rng.uniform(0, 10, 60)) for start in starts])
    assert surges(quiet(rng).add("vacuum of table # done", "db", runs).frame()).empty


@pytest.mark.parametrize(("background", "kind"), [(2, "surge"), (0, "new")])
def test_bursts_that_began_late_are_an_event(background: int, kind: str) -> None:
    rng = RNG(11)
    runs = np.concatenate([during(rng, start, start + 60, 60) for start in (2100.0, 2500.0, 3000.0)])
    found = surges(quiet(rng).add("lost leader #", "db", np.concatenate([steady(rng, background), runs])).frame())
    assert found["kind"].tolist() == [kind]
    assert at(found["start"].iloc[0]) == pytest.approx(2100, abs=3)
    assert at(found["end"].iloc[0]) == pytest.approx(3060, abs=3)


def test_a_restless_pattern_is_searched_to_an_end() -> None:
    rng = RNG(30)
    bursts = [during(rng, start, start + 2, 40) for start in np.cumsum(rng.uniform(150, 260, 12)) + 700]
    assert len(surges(quiet(rng).add("flap #", "db", np.concatenate([steady(rng, 2), *bursts])).frame())) <= 8


def test_two_surges_of_one_pattern_do_not_hide_each_other() -> None:
    for seed in range(5):
        rng = RNG(seed)
        lines = np.concatenate([steady(rng, 5), rng.uniform(1800, 2000, 130), rng.uniform(2700, 2900, 130)])
        found = surges(quiet(rng).add("refused #", "api", lines).frame())
        assert found["kind"].tolist() == ["surge", "surge"]
        assert np.allclose([at(stamp) for stamp in found["start"]], [1800, 2700], atol=25)


def test_a_silence_right_after_a_surge_is_told_beside_it() -> None:
    rng = RNG(12)
    times = steady(rng, 15, phi=0)
    world = quiet(rng).add("work #", "api", np.concatenate([times[times < 2400], during(rng, 2400.0, 2500.0, 300)]))
    found = surges(world.frame())
    assert found["kind"].tolist() == ["surge", "vanished"]
    assert at(found["start"].iloc[1]) == pytest.approx(2500.0, abs=1e-6)
    assert at(found["end"].iloc[0]) == pytest.approx(2500.0, abs=3)


def test_a_pause_within_a_surge_does_not_make_two() -> None:
    rng = RNG(13)
    lines = np.concatenate([during(rng, 2400.0, 2500.0, 50), during(rng, 2520.0, 2560.0, 8)])
    found = surges(quiet(rng).add("refused #", "api", lines).frame())
    assert found["count"].tolist() == [58]


def test_single_lines_count_when_they_are_severe() -> None:
    rng = RNG(14)
    world = quiet(rng).add("first seen today", "api", [3000.0])
    assert surges(world.frame()).empty
    world.add("out of memory", "db", [3100.0], "fatal").add("cannot write", "api", [2000.0, 2500.0, 3000.0], "error")
    found = surges(
        world.add("disk failed", "db", [3200.0], "fatal").add("twice", "x", [2000.0, 2100.0], "error").frame()
    )
    assert found[["template", "count", "kind", "p_value"]].to_numpy().tolist() == [
        ["cannot write", 3, "new", 1.0],
        ["out of memory", 1, "new", 1.0],
    ]


def test_a_service_that_always_had_errors_has_no_first_ones() -> None:
    rng = RNG(15)
    world = quiet(rng).add("timed out after #", "api", steady(rng, 2), "error")
    assert surges(world.add("cannot write", "api", [2000.0, 2500.0, 3000.0], "error").frame()).empty


def test_a_short_burst_needs_many_lines_or_errors() -> None:
    burst = np.linspace(2400.0, 2410.0, 12)
    assert surges(quiet(RNG(16)).add("loaded module #", "api", burst).frame()).empty
    assert len(surges(quiet(RNG(16)).add("loaded module #", "api", burst, "error").frame())) == 1
    assert len(surges(quiet(RNG(16)).add("loaded module #", "api", np.linspace(2400.0, 2410.0, 40)).frame())) == 1


def test_services_are_told_in_the_order_in_which_they_began() -> None:
    rng = RNG(17)
    world = quiet(rng, ("api", "db", "web", "auth"))
    for service, start in (("db", 2000.0), ("api", 2040.0), ("web", 2090.0), ("auth", 3000.0)):
        world.add(f"{service} cannot connect #", service, during(rng, start, start + 200, 40))
    found = surges(world.frame())
    assert found["service"].tolist() == ["db", "api", "web", "auth"]
    assert found["cascade"].astype(object).where(found["cascade"].notna(), None).tolist() == [1, 2, 3, None]


def test_the_same_pattern_in_two_services_makes_two_events() -> None:
    rng = RNG(18)
    world = quiet(rng).add("no route #", "api", during(rng, 2000.0, 2200.0, 40))
    found = surges(world.add("no route #", "db", during(rng, 2060.0, 2200.0, 40)).frame())
    assert found[["service", "cascade", "kind"]].to_numpy().tolist() == [["api", 1, "new"], ["db", 2, "new"]]


def test_lines_without_a_service_and_without_a_level_count_as_well() -> None:
    rng = RNG(19)
    found = surges(quiet(rng).add("odd thing #", None, during(rng, 2000.0, 2200.0, 40), "").frame())
    assert len(found) == 1
    assert pd.isna(found["service"].iloc[0])
    assert pd.isna(found["level"].iloc[0])


# ── baselines ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_duration_makes_the_beginning_the_baseline() -> None:
    rng = RNG(20)
    world = quiet(rng).add("flag # on", "api", during(rng, 1900.0, 3599.0, 300))
    found = surges(world.frame(), baseline="30m")
    assert found[["kind", "count"]].to_numpy().tolist() == [["new", 300]]
    assert at(found["start"].iloc[0]) == 1900.0


def test_another_frame_is_the_baseline_whenever_it_was() -> None:
    rng = RNG(21)
    frame = quiet(rng).add("flag # on", "api", during(rng, 0.5, 3599.0, 300)).frame()
    gone = quiet(rng).add("job # ran", "db", steady(rng, 10))
    for shift in (-24 * HOUR, 3 * HOUR):
        found = surges(frame, baseline=gone.frame(shift=shift))
        assert sorted(found[["kind", "template", "service"]].to_numpy().tolist()) == [
            ["new", "flag <*> on", "api"],
            ["vanished", "job <*> ran", "db"],
        ]
        assert set(found["start"] >= frame["timestamp"].iloc[0]) == {True}
        assert set(found["end"] <= frame["timestamp"].iloc[-1]) == {True}


def test_what_happened_in_the_baseline_too_is_nothing_new() -> None:
    rng = RNG(22)
    burst = during(rng, 2000.0, 2030.0, 60)
    frame = quiet(rng).add("report # written", "api", burst).frame()
    assert len(surges(frame, baseline=quiet(rng).frame(shift=-HOUR))) == 1
    before = quiet(rng).add("report # written", "api", during(rng, 1200.0, 1230.0, 50)).frame(shift=-HOUR)
    assert surges(frame, baseline=before).empty


def test_a_pause_like_those_of_the_baseline_is_nothing_new() -> None:
    rng = RNG(23)
    times = steady(rng, 20, phi=0)
    paused = times[(times < 900) | (times > 1300)]
    late = times[(times < 2500) | (times > 2900)]
    frame, before = quiet(rng).add("batch #", "db", late).frame(), quiet(rng).add("batch #", "db", paused)
    assert surges(frame, baseline=quiet(rng).add("batch #", "db", times).frame(shift=-HOUR))["kind"].tolist() == [
        "drop"
    ]
    assert surges(frame, baseline=before.frame(shift=-HOUR)).empty


def test_a_clock_of_the_baseline_is_missed() -> None:
    rng = RNG(24)
    beats = np.arange(5.0, HOUR, 30.0)
    before = quiet(rng).add("heartbeat #", "db", beats).frame(shift=-HOUR)
    found = surges(quiet(rng).add("heartbeat #", "db", beats[beats < 1000]).frame(), baseline=before)
    assert found[["kind", "template"]].to_numpy().tolist() == [["vanished", "heartbeat <*>"]]


def test_given_patterns_keep_their_names() -> None:
    rng = RNG(25)
    frame = quiet(rng).add("flag # on", "api", during(rng, 2000.0, 2300.0, 50)).frame()
    table, rows = pattern_table(frame)
    table = table.assign(id=[f"id{place}" for place in range(len(table))], template=table["template"] + "!")
    alone = surges(frame, patterns=(table, rows))
    beside = surges(
        frame, patterns=(table, rows), baseline=quiet(rng).add("old # line", "db", steady(rng, 9)).frame(shift=-HOUR)
    )
    assert alone["template"].tolist() == ["flag <*> on!"]
    assert alone["pattern"].iloc[0].startswith("id")
    assert dict(zip(beside["template"], beside["pattern"], strict=True)) == {
        "flag <*> on!": alone["pattern"].iloc[0],
        "old <*> line": pattern_id("old <*> line"),
    }


def test_a_baseline_that_tells_nothing_is_refused() -> None:
    rng = RNG(26)
    frame = quiet(rng).frame()
    for baseline, said in (
        (empty_logs(), "holds no lines"),
        (frame.iloc[:100], "overlaps"),
        (World().add("x", "api", [1.0, 1.0]).frame(shift=-HOUR), "one time"),
        ("2h", "leaves nothing"),
        ("soon", "soon"),
    ):
        with pytest.raises(UsageError, match=said):
            surges(frame, baseline=baseline)


# ── frames ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("world", [None, World().add("x", "api", [1.0]), World().add("x", "api", [1.0] * 9)])
def test_where_there_is_nothing_to_compare_the_answer_is_empty_and_typed(world: World | None) -> None:
    found = surges(empty_logs() if world is None else world.frame())
    assert found.empty
    assert found.dtypes.to_dict() == {
        **dict.fromkeys(("kind", "pattern", "template", "service"), STRING_DTYPE),
        "level": LEVEL_DTYPE,
        "start": TIMESTAMP_DTYPE,
        "end": TIMESTAMP_DTYPE,
        "count": np.dtype(np.int64),
        **dict.fromkeys(("expected", "factor", "p_value"), np.dtype(np.float64)),
        "cascade": pd.Int64Dtype(),
    }


def test_dtypes_are_the_same_when_there_are_events() -> None:
    found = surges(quiet(RNG(1)).add("x y z #", "api", during(RNG(1), 2000.0, 2100.0, 40)).frame())
    assert len(found) == 1
    assert found.dtypes.to_dict() == surges(empty_logs()).dtypes.to_dict()


def test_the_order_of_rows_and_of_categories_does_not_matter() -> None:
    rng = RNG(27)
    frame = quiet(rng).add("flag # on", "api", during(rng, 2000.0, 2300.0, 50)).frame()
    usual = surges(frame)
    shuffled = frame.sample(frac=1, random_state=1)
    other = shuffled.assign(service=shuffled["service"].cat.set_categories(["zzz", "db", "api"]))
    pd.testing.assert_frame_equal(surges(other), usual)


def test_hostile_text_is_only_text() -> None:
    rng = RNG(28)
    text = "\x1b[31m<script>\u202e\x00 nope # " + "x" * 50_000
    found = surges(quiet(rng).add(text, "api", during(rng, 2000.0, 2300.0, 50)).frame())
    assert found["count"].sum() == 50


# ── how often it is wrong ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("phi", [0.0, 0.1, 0.3])
def test_quiet_hours_have_no_events(phi: float) -> None:
    found = 0
    for seed in range(30):
        rng = RNG(seed)
        rates = rng.lognormal(0, 1.5, 40)
        world = World()
        for place, rate in enumerate(rates):
            world.add(f"p{place}", "api" if place % 2 else "db", steady(rng, rate, phi=phi))
        found += len(detect(*world.codes()))
    assert found <= 1


@pytest.mark.contract
def test_the_floors_hold_on_the_shared_scenarios(shared: Path) -> None:
    data = shared / "data" / "logs"
    lines = pd.read_parquet(data / "surge_lines.parquet").sort_values("t", kind="stable")
    rows = []
    for scenario, group in lines.groupby("scenario"):
        patterns = mine(group["message"].tolist()).assignment.astype(np.int64)
        services, names = pd.factorize(group["service"], sort=True)
        times_ns, ids = np.round(group["t"].to_numpy() * SECOND).astype(np.int64), group["line_id"].to_numpy()
        for one in detect(patterns, services, times_ns):
            drop = one.kind in {"drop", "vanished"}
            inside = times_ns < one.start_ns if drop else (times_ns >= one.start_ns) & (times_ns <= one.end_ns)
            own = ids[(patterns == one.pattern) & (services == one.service) & inside].tolist()
            kind = "drop" if drop else one.kind
            rows.append((scenario, kind, names[one.service], one.start_ns / SECOND, one.end_ns / SECOND, own))
    found = pd.DataFrame(rows, columns=["scenario", "kind", "service", "start", "end", "lines"])
    spec = importlib.util.spec_from_file_location("surges_scorer", shared / "scoring" / "surges.py")
    assert spec is not None
    assert spec.loader is not None
    scorer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scorer)
    scores = scorer.score(str(data), found)
    assert scores["recall"] >= 0.95
    assert scores["precision"] >= 0.90
    assert scores["onset_median_s"] <= 5
    assert scores["onset_p90_s"] <= 30
    assert scores["cascade_order"] == "3/3"
    assert scores["detections_in_quiet_scenarios"] <= 1


def test_times_are_those_of_the_lines() -> None:
    rng = RNG(29)
    frame = quiet(rng).add("flag # on", "api", during(rng, 2000.0, 2300.0, 50)).frame()
    event = surges(frame).iloc[0]
    assert event["start"] in set(frame["timestamp"])
    assert event["start"].value == START_NS + 2000 * SECOND
