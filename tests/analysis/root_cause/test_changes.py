"""Which change it was, if any."""

from __future__ import annotations

import pandas as pd
import pytest
from support.root_cause_worlds import at, deployment, events, given, lifted, lines, metrics, noise

from obs_magics.analysis.root_cause import Periods, explain, mismatches
from obs_magics.analysis.root_cause.changes import read_changes
from obs_magics.analysis.root_cause.edits import read_edit
from obs_magics.analysis.root_cause.undone import undone
from obs_magics.analysis.root_cause.words import spelled, trouble_words, words
from obs_magics.model.events import Event
from obs_magics.model.root_cause import RootCauseReport

GRAPH = (("web", "shop"), ("shop", "pay"), ("shop", "stock"))
POOL = deployment(
    85, "pay", "refactor: simplify client options", id="c1", files="pkg/db/pool.go",
    diff="-const maxConns = 50\n+const maxConns = 10",
)  # fmt: skip
LAST = deployment(88, "pay", "feat: round amounts", id="c2", files="pay/round.go", diff="+return math.Round(amount)")


def world() -> dict[str, object]:
    """Pay runs out of connections, and shop and web feel it."""
    series = {
        (service, "error_ratio"): noise(place, 0.01) for place, service in enumerate(("web", "shop", "pay", "stock"))
    }
    series |= {
        (service, "requests_per_sec"): noise(9 + place, 50.0) for place, service in enumerate(("web", "shop", "pay"))
    }
    for service in ("web", "shop", "pay"):
        series[service, "error_ratio"] = lifted(series[service, "error_ratio"], 40.0)
    series["pay", "db_pool_wait_seconds"] = lifted(noise(30, 0.01), 200.0)
    usual = [(minute, "pay", "info", f"charged order {minute}") for minute in range(0, 120, 2)]
    new = [(90 + number / 4, "pay", "error", "pool exhausted: no connection in 500 ms") for number in range(38)]
    return {
        "metrics": metrics(series),
        "logs": lines([*usual, *new]),
        "calls": GRAPH,
        "symptom": ("pay", "error_ratio"),
    }


def told_of(*changes: Event, **other: object) -> RootCauseReport:
    return explain(given(**{**world(), **other}, events=events(*changes)))


def test_a_change_that_touches_what_broke_passes_the_last_one_before() -> None:
    report = told_of(POOL, LAST)
    assert (report.conclusion, report.changes[0]) == ("a change", "c1")
    first = report.factors[0]
    assert (first.kind, first.service, first.onset_ns) == ("change", "pay", at(85))
    assert first.change is not None
    assert (first.change.id, first.change.kind) == ("c1", "deployment")
    assert "a number was changed" in first.evidence[0].claim
    assert "conns" in first.evidence[0].claim or "pool" in first.evidence[0].claim
    assert [one.outcome for one in first.refutations] == ["held", "held", "not tested"]
    assert any(one.change and one.change.id == "c2" and "took effect" in one.reason for one in report.ruled_out)
    assert report.next_steps[0].startswith("take refactor: simplify client options back")
    assert mismatches(report, given(**world(), events=events(POOL, LAST)), Periods(given().incident)) == []


def test_what_took_effect_after_the_symptom_began_is_ruled_out() -> None:
    late = deployment(92, "pay", "pool: fewer connections", id="c3", diff="-maxConns = 50\n+maxConns = 10")
    report = told_of(late)
    assert (report.conclusion, report.changes) == ("no change", ())
    assert report.factors[0].service == "pay"
    assert [one.reason for one in report.ruled_out if one.change] == ["took effect 2 min after the symptom began"]


@pytest.mark.parametrize(
    "change",
    [
        deployment(85, "pay", "docs: pool of connections", id="d", files="docs/pool.md", diff="+pool exhausted"),
        deployment(85, "pay", "test: pool exhausted", id="t", files="pay/pool_test.go", diff="+assert pool"),
        deployment(85, "mail", "feat: new letter head", id="m", files="mail/head.go", diff="+head := load()"),
        Event(start_ns=at(85), kind="annotation", service="pay", title="pool of connections looks fine"),
        Event(start_ns=at(85), kind="restart", service="pay", title="pay restarted, pool and all"),
    ],
    ids=lambda change: change.title,
)
def test_what_does_not_run_or_lies_elsewhere_is_no_cause(change: Event) -> None:
    report = told_of(change)
    assert report.conclusion != "a change"
    assert report.changes == ()


def test_a_setting_that_was_put_back_in_time_is_the_cause() -> None:
    shrink = Event(
        start_ns=at(89), kind="config_change", service="pay", title="redis pool: max connections 100 → 20",
        attributes={"key": "redis.pool.max", "old": "100", "new": "20"},
    )  # fmt: skip
    grow = Event(
        start_ns=at(99), kind="config_change", service="pay", title="redis pool: max connections 20 → 100",
        attributes={"key": "redis.pool.max", "old": "20", "new": "100"},
    )  # fmt: skip
    report = told_of(shrink, grow)
    assert report.factors[0].title == shrink.title
    assert [one.outcome for one in report.factors[0].refutations] == ["held", "held", "held"]
    assert report.next_steps[0].startswith("find out why")
    assert all(one.title != grow.title for one in report.ruled_out)


def test_a_rollback_that_did_not_help_rules_a_change_out() -> None:
    series = dict(world())
    long = {("pay", "error_ratio"): lifted(noise(1, 0.01), 40.0, first=80, last=110)}
    release = deployment(78, "pay", "pay@v2: pool of connections", version="v2", old="v1", new="v2")
    rollback = deployment(90, "pay", "pay@v1: Rollback of v2", version="v1", old="v2", new="v1")
    report = explain(
        given(
            incident=None,
            metrics=metrics(long),
            logs=series["logs"],
            events=events(release, rollback),
            symptom=("pay", "error_ratio"),
        )
    )
    assert report.changes == ()
    assert [one.reason for one in report.ruled_out if one.change] == [
        "was taken back (pay@v1: Rollback of v2), which did not help"
    ]


def test_a_commit_goes_out_with_the_next_deployment_of_its_service() -> None:
    told = events(
        Event(start_ns=at(70), kind="annotation", title="seen"),
        deployment(85, "pay", "release 12", id="r12"),
        deployment(60, "mail", "release 3", id="r3"),
    )
    told["kind"] = told["kind"].cat.add_categories(["commit"])
    commit = told.iloc[[0]].assign(kind="deployment")
    commit["kind"] = "commit"
    commit = commit.assign(title="smaller pool", id="abc", files="services/pay/pool.go", diff="-max = 50\n+max = 10")
    frame = told.iloc[1:].assign(files=None, diff=None)
    columns = [*frame.columns]
    joined = pd.concat([commit[columns], frame], ignore_index=True).sort_values("timestamp", ignore_index=True)
    found = {change.id: change for change in read_changes(joined)}
    assert (found["abc"].service, found["abc"].effect_ns, found["abc"].deployed) == ("pay", at(85), "carried")
    assert found["r12"].deployed == "own"


def test_a_provider_that_says_it_is_down_speaks_against_all_changes() -> None:
    new = [
        (90 + number / 4, "pay", "error", f"POST https://api.stripe.com/v1/charges returned 50{number % 4}")
        for number in range(38)
    ]
    usual = [(minute, "pay", "info", f"charged order {minute}") for minute in range(0, 120, 2)]
    incident = Event(start_ns=at(89), kind="incident", title="Charges API is degraded", source="stripe")
    innocent = deployment(
        84, "pay", "feat: charges in two currencies", id="c9", files="pay/charge.go", diff="+charge(eur)"
    )
    parts = {**world(), "logs": lines([*usual, *new])}
    report = explain(given(**parts, events=events(incident, innocent)))
    assert (report.conclusion, report.changes) == ("no change", ())
    assert (report.factors[0].kind, report.factors[0].service) == ("elsewhere", "pay")
    assert "stripe tells of an incident of its own" in report.reason
    assert "stripe" in next(one.reason for one in report.ruled_out if one.change)


def test_more_requests_stand_beside_a_change_and_are_refuted_when_they_stay() -> None:
    parts = world()
    frame = parts["metrics"]
    web = (frame["service"] == "web") & (frame["metric"] == "requests_per_sec")
    frame.loc[web & frame["timestamp"].astype("int64").between(at(90), at(107)), "value"] *= 1.6
    report = explain(given(**parts, events=events(POOL)))
    assert report.factors[0].kind == "change"
    load = next(one for one in report.factors if one.kind == "traffic")
    assert load.title == "web had 1.7 times as many requests"
    assert [one.outcome for one in load.refutations] == ["failed"]


def test_without_events_only_the_place_is_known() -> None:
    report = explain(given(**world()))
    assert report.conclusion == "a service"
    assert report.reason.startswith("nothing is known of changes")
    assert any("changes" in step for step in report.next_steps)


def test_alerts_give_the_trouble_a_name() -> None:
    alert = Event(start_ns=at(93), kind="alert", service="pay", title="All redis connections are in use")
    hidden = deployment(84, "pay", "tidy defaults", id="h", files="pkg/defaults.go", diff="-redis = 100\n+redis = 20")
    parts = {**world(), "logs": None}
    without, told = (explain(given(**parts, events=events(*rows))) for rows in ((hidden, LAST), (hidden, LAST, alert)))
    assert told.changes[0] == "h"
    assert told.factors[0].score > max((one.score for one in without.factors if one.change), default=0.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ErrTokenExpired", {"token", "expir"}),
        ("nil pointer dereference", {"nil", "point", "deref"}),
        ("http 5xx ratio of p99", set()),
        ("pool_max_conns", {"pool", "conns"}),
        ("expired: it is 2026-03-29, release 2026.13", {"expir", "relea"}),
    ],
)
def test_words_are_the_telling_parts(text: str, expected: set[str]) -> None:
    assert words(text) == expected


def test_a_socket_that_was_closed_names_no_pool() -> None:
    assert "conne" not in trouble_words([("connection reset by peer while reading", 1.0)], [])
    assert "conne" not in trouble_words([("dial tcp: connection refused", 1.0)], [])
    assert "conne" in trouble_words([("no free connection in the pool", 1.0)], [])


def test_a_change_that_cannot_reach_what_suffers_is_ruled_out() -> None:
    far = deployment(
        88, "mail", "pool: fewer connections", id="c9", files="mail/db/pool.go", diff="-pool = 50\n+pool = 10"
    )
    report = told_of(far)
    assert report.conclusion == "no change"
    assert [one.change for one in report.factors] == [None] * len(report.factors)
    reason = next(one.reason for one in report.ruled_out if one.change and one.change.id == "c9")
    assert "mail has no part in the requests that suffer" in reason


def test_that_it_is_the_service_s_own_is_nothing_in_common() -> None:
    own = deployment(71, "pay", "pay 2026.13: faster letters", id="c8")
    report = told_of(own, logs=lines([(90 + at / 4, "pay", "error", "pay: expired on 2026-03-29") for at in range(38)]))
    assert report.conclusion == "no change"
    assert not any("in common" in one.reason for one in report.ruled_out)
    assert any("look at pay 2026.13" in step for step in report.next_steps)
    assert not any(one.change and one.change.id == "c8" for one in report.ruled_out)  # it is not decided


def test_what_touches_logs_alone_is_no_next_step() -> None:
    level = deployment(71, "pay", "tidy", id="c7", diff="+log.Info(x)\n+logger.Debug(y)")
    report = told_of(level, logs=lines([(90 + at / 4, "pay", "error", "quota exceeded") for at in range(38)]))
    assert not any("tidy" in step for step in report.next_steps)
    assert any(one.change and one.change.id == "c7" for one in report.ruled_out)


@pytest.mark.parametrize(("level", "whose"), [("error", "with error lines of pay"), ("info", "the requests to pay")])
def test_of_error_lines_alone_shares_are_those_of_requests_that_wrote_them(level: str, whose: str) -> None:
    spread = [(60 + at / 2, "pay", level, "request failed") for at in range(60)]
    logs = lines([*spread, *((90 + at / 8, "pay", "error", "reset by peer level=1") for at in range(76))])
    traced = logs.assign(trace_id=pd.array([f"{at:032x}" for at in range(len(logs))], dtype=logs["trace_id"].dtype))
    report = told_of(logs=traced)
    claims = [one.claim for factor in report.factors for one in factor.evidence if one.frame == "logs"]
    assert claims
    assert all(whose in claim and "level=" not in claim for claim in claims)


def test_services_names_count_little_and_what_is_quoted_counts_more() -> None:
    found = trouble_words([("unknown field [title] in search", 1.0)], ["search-service"])
    assert found["title"] > found["field"] > found["searc"]
    assert spelled("tokenExpired")["expir"] == "expired"


@pytest.mark.parametrize(
    ("title", "files", "diff", "why"),
    [
        ("docs: how to roll back", (), "", "touches nothing that runs in production"),
        ("new look", ("web/style.css",), "-a\n+b", "touches nothing that runs in production"),
        ("bump", ("go.mod",), "-lib v1.2.3\n+lib v1.2.4", "a patch version"),
        ("bump", ("go.mod",), "-lib v1.2.3\n+lib v2.0.0", "a new major version"),
        ("bump", ("go.mod",), "-lib v1.2.3\n+lib v1.3.0", ""),
        ("tidy", ("a.go",), "+log.Info(x)\n+logger.Debug(y)", "only logs or measures"),
        ("tidy", ("a.go",), "-if resp == nil {\n-return\n", "a check was removed"),
        ("tidy", ("a.go",), "-ttl: 15m\n+ttl: 15s", "a number was changed"),
        ("tidy", ("a.go",), '-Name string `json:"meta"`\n+Name string `json:"metadata"`', "a name was changed"),
        ("tidy", ("a.go",), "-a()\n+b()", ""),
    ],
)
def test_edits_are_judged_by_what_they_do(title: str, files: tuple[str, ...], diff: str, why: str) -> None:
    edit = read_edit(title, files, diff)
    assert edit.why == why
    assert (edit.risk < 1) == (
        why in {"touches nothing that runs in production", "a patch version", "only logs or measures"}
    )


def test_taking_back_is_told_by_values_or_by_words() -> None:
    first = {"at": 0, "service": "pay", "title": "pay@v2: faster", "version": "v2", "id": "x9y8"}
    again = {"at": at(1), "service": "pay", "title": "revert of v2", "version": "v1"}
    other = {"at": at(1), "service": "pay", "title": "revert of v7", "version": "v6"}
    assert undone(first, [other], None) is None
    found = undone(first, [again], at(5))
    assert found is not None
    assert (found.effect, found.by) == ("helped", "revert of v2")
    assert undone(first, [again], None).effect is None  # type: ignore[union-attr]
    assert undone(first, [again], at(20)).effect == "did not help"  # type: ignore[union-attr]
    assert undone(first, [again], at(1) - 300 * 10**9).effect is None  # type: ignore[union-attr]
