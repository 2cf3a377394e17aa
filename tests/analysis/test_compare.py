"""What tells selected rows from the others: planted causes are found, chance is not."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact
from support.compare_worlds import noise, spans_with, where
from support.metrics_frames import regular
from support.patience import least_seconds

from obs_magics.analysis.compare import COMPARE_COLUMNS, compare, compare_summary
from obs_magics.analysis.compare.chance import corrected, fisher
from obs_magics.model.errors import UsageError
from obs_magics.model.frames import STRING_DTYPE
from obs_magics.model.logs import empty_logs
from obs_magics.model.spans import empty_spans

ROWS = 1000


def planted(seed: int = 1, rows: int = ROWS, share: float = 0.1) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    mask = rng.random(rows) < share
    frame = noise(rng, rows)
    bad = where(rng, mask, 0.9, 0.3)
    frame["pod"] = np.where(bad, "payment-7f", rng.choice(["payment-2a", "payment-9c"], rows))
    frame["host"] = np.where(bad, "node-3", rng.choice(["node-1", "node-2"], rows))
    return frame, mask


def split(frame: pd.DataFrame, mask: np.ndarray, **options: object) -> pd.DataFrame:
    return compare(frame[mask], frame[~mask], **options)  # type: ignore[arg-type]


def test_the_planted_pod_is_what_tells() -> None:
    frame, mask = planted()
    table = split(frame, mask)
    assert tuple(table.columns) == COMPARE_COLUMNS
    assert len(table) == 1
    row = table.iloc[0]
    mine, others = frame["pod"][mask] == "payment-7f", frame["pod"][~mask] == "payment-7f"
    assert (row["attribute"], row["test"], row["value"], row["rank"]) == ("pod", "=", "payment-7f", 1)
    assert (row["selected_count"], row["rest_count"]) == (mine.sum(), others.sum())
    assert row["selected_share"] == pytest.approx(mine.mean())
    assert row["rest_share"] == pytest.approx(others.mean())
    assert row["lift"] == pytest.approx(mine.mean() / others.mean())
    assert row["effect"] == pytest.approx(mine.mean() - others.mean())
    assert row["p_value"] < 1e-6
    assert row["same_as"] == "host=node-3"
    assert row["sentence"] == (
        f"{mine.mean():.0%} have pod=payment-7f, against {others.mean():.0%} of the others"
        " (the same rows as host=node-3)"
    ).replace("%", " %")


def test_spans_logs_and_metrics_tell_alike() -> None:
    frame, mask = planted()
    spans = spans_with(frame)
    assert split(spans, mask)["attribute"].tolist() == ["host"]  # attributes of spans stand in order of name
    assert split(spans, mask)["same_as"].tolist() == ["pod=payment-7f"]
    logs = empty_logs().reindex(range(len(frame)))
    logs["level"] = pd.Categorical(np.where(mask, "error", "info"), dtype=empty_logs()["level"].dtype)
    logs["pod"] = pd.Categorical(frame["pod"])
    assert split(logs, mask)["attribute"].tolist() == ["level", "pod"]
    assert split(logs, mask, ignore=["level"])["attribute"].tolist() == ["pod"]
    assert split(logs, mask, ignore="level")["attribute"].tolist() == ["pod"]
    metrics = regular([({"pod": f"p{number}", "zone": f"z{number % 2}"}, range(50)) for number in range(6)])
    high = (metrics["pod"] == "p3") & (metrics["value"] > 20)
    found = compare(metrics[high], metrics[~high])
    assert found["attribute"].tolist() == ["pod", "zone"]
    assert found["value"].tolist() == ["p3", "z1"]


def test_own_columns_of_spans_are_attributes_too() -> None:
    rng = np.random.default_rng(3)
    mask = rng.random(600) < 0.2
    attributes = pd.DataFrame({"service": np.where(mask, "x", "y"), "z.empty": np.where(mask, "", "full")})
    spans = spans_with(attributes, service=np.where(where(rng, mask, 0.8, 0.2), "pay", "shop").tolist())
    table = split(spans, mask)
    assert table["attribute"].tolist() == ["attributes.service", "service"]
    assert table["same_as"].fillna("").tolist() == ['z.empty=""', ""]


def test_unselected_or_nothing_is_nothing() -> None:
    frame, mask = planted()
    for selected, rest in ((frame[:0], frame), (frame, frame[:0]), (empty_spans(), empty_spans())):
        table = compare(selected, rest)
        assert table.empty
        assert table["value"].dtype == STRING_DTYPE
        assert compare_summary(table, selected="x")[0] == "x: no attribute tells them apart from the others"
    assert compare_summary(split(frame, mask, ignore=["pod", "host"])) == [
        "these rows: no attribute tells them apart from the others"
    ]
    assert split(pd.DataFrame({"only": ["a"] * 50}), np.arange(50) < 9).empty


def test_chance_says_something_in_one_of_a_hundred_comparisons_at_most() -> None:
    said = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        rows = int(rng.choice([60, 300, 1500]))
        frame = noise(rng, rows)
        said += not split(frame, rng.random(rows) < rng.choice([0.05, 0.2, 0.5])).empty
    assert said <= 2


def test_planted_causes_are_found() -> None:
    found = []
    for seed in range(40):
        frame, mask = planted(seed, rows=400)
        table = split(frame, mask)
        found.append(table["attribute"].tolist() == ["pod"] and table["value"].tolist() == ["payment-7f"])
    assert sum(found) >= 38


def test_ids_are_skipped_and_said_but_their_presence_tells() -> None:
    frame, mask = planted()
    frame["order.id"] = [f"o-{number}" for number in range(len(frame))]
    frame["exception.id"] = [f"e-{number}" if marked else None for number, marked in enumerate(mask)]
    table = split(frame, mask)
    assert table["attribute"].tolist() == ["exception.id", "pod"]
    assert table["test"].tolist() == ["present", "="]
    assert table["value"].isna().tolist() == [True, False]
    assert table["lift"].tolist()[0] == math.inf
    assert table["sentence"][0] == "100 % have exception.id, whatever its value, against 0 % of the others"
    assert table.attrs["notes"] == ("not looked at, nearly every row has a value of its own: order.id, exception.id",)
    many = frame.assign(**{f"id.{number}": frame["order.id"] for number in range(6)})
    assert split(many, mask).attrs["notes"][0].endswith("exception.id, id.0, id.1, id.2 and 3 more")


def test_many_values_do_not_hide_a_cause() -> None:
    rng = np.random.default_rng(8)
    mask = rng.random(5000) < 0.05
    frame = pd.DataFrame({"user": rng.integers(0, 2000, 5000).astype(str)})
    frame.loc[where(rng, mask, 0.3, 0.001), "user"] = "robot"
    table = split(frame, mask)
    assert table["value"].tolist() == ["robot"]


def test_missing_is_a_value() -> None:
    rng = np.random.default_rng(5)
    mask = rng.random(500) < 0.2
    route = np.where(where(rng, mask, 0.9, 0.1), None, rng.choice(["/a", "/b", "/c"], 500))
    table = split(pd.DataFrame({"http.route": route}), mask)
    assert (table["test"][0], table["attribute"][0]) == ("missing", "http.route")
    assert " have no http.route, against " in table["sentence"][0]


@pytest.mark.parametrize(("name", "said"), [("payload.size", "≥ 2 MiB"), ("batch.size", "≥ 2,097,152")])
def test_a_quantity_tells_by_its_best_threshold(name: str, said: str) -> None:
    rng = np.random.default_rng(6)
    mask = rng.random(4000) < 0.1
    sizes = np.where(where(rng, mask, 0.9, 0.02), rng.integers(2**21, 2**23, 4000), rng.integers(0, 2**21, 4000))
    sizes[:1900] = np.where(sizes[:1900] >= 2**21, 2**21, sizes[:1900])
    for column in (sizes, sizes.astype(str), sizes.astype(float)):
        table = split(pd.DataFrame({name: column}), mask)
        assert table["test"].tolist() == ["≥"]
        limit = float(table["value"][0])
        assert (sizes[mask] >= limit).sum() == table["selected_count"][0]
        assert (sizes[~mask] >= limit).sum() == table["rest_count"][0]
        assert table["effect"][0] > 0.8
        if limit == 2**21:
            assert said in table["sentence"][0]


def test_quantities_below_a_threshold_missing_ones_and_texts_among_them() -> None:
    rng = np.random.default_rng(7)
    mask = rng.random(3000) < 0.2
    left = np.where(where(rng, mask, 0.9, 0.1), rng.uniform(-9, 3, 3000), rng.uniform(3, 90, 3000)).round(2)
    texts = left.astype(str).astype(object)
    texts[::50], texts[1::70] = "unknown", None
    table = split(pd.DataFrame({"credit": texts, "credit.id": left}), mask)
    assert table["test"].tolist() == ["<"]
    assert 0 <= float(table["value"][0]) <= 6  # a thirty-third of the rows beside 3, at most
    assert f"have credit < {float(table['value'][0]):g}, against" in table["sentence"][0]


def test_a_quantity_that_is_nearly_always_the_same_has_no_thresholds() -> None:
    mask = np.arange(4000) < 400
    size = np.full(4000, 100)
    size[mask.nonzero()[0][:22]] = np.arange(22) % 11
    table = split(pd.DataFrame({"size": size}), mask)
    assert table["test"].tolist() == ["="]
    assert table["value"].tolist() == ["100"]


def test_what_the_selected_lack_comes_after_what_they_have() -> None:
    rng = np.random.default_rng(9)
    mask = rng.random(2000) < 0.3
    version = np.where(where(rng, mask, 0.0, 0.7), "v1", rng.choice([f"v{number}" for number in range(2, 30)], 2000))
    zone = np.where(where(rng, mask, 0.6, 0.1), "north", rng.choice(["south", "west", "east"], 2000))
    table = split(pd.DataFrame({"version": version, "zone": zone}), mask)
    assert table["attribute"].tolist() == ["zone", "version"]
    assert table["sentence"][
        1
    ] == f"none has version=v1, against {(version[~mask] == 'v1').mean():.0%} of the others".replace("%", " %")
    assert table["effect"][1] < -0.6
    few = np.where(where(rng, mask, 0.03, 0.7), "v1", rng.choice([f"v{number}" for number in range(2, 30)], 2000))
    assert split(pd.DataFrame({"version": few}), mask)["sentence"][0].startswith("only ")


def test_runners_up_of_the_same_attribute_stand_below_it() -> None:
    rng = np.random.default_rng(10)
    mask = rng.random(2000) < 0.3
    good = rng.choice([f"good-{number}" for number in range(30)], 2000)
    values = np.where(mask, rng.choice(["a", "b", "c", "d"], 2000, p=[0.4, 0.3, 0.2, 0.1]), good)
    frame = pd.DataFrame({"k": values, "n": np.where(where(rng, mask, 0.5, 0.1), "x", "y")})
    table = split(frame, mask)
    assert table["attribute"].tolist() == ["n", "k", "k", "k"] or table["attribute"].tolist() == ["k", "k", "k", "n"]
    of_k = table[table["attribute"] == "k"]
    assert of_k["rank"].tolist() == [1, 2, 3]
    assert of_k["value"].tolist() == ["a", "b", "c"]
    assert len(compare_summary(table)) == 2  # the best of each
    cut = split(frame, mask, limit=1)
    assert len(cut) == 1
    assert cut.attrs["notes"] == ("and 3 more rows",)


def test_rows_of_one_trace_count_as_one() -> None:
    """Forty rows of two traces, all on one pod, are two observations, not forty."""
    pods = np.repeat(["a", "a", "b", "c", "a", "b", "c", "d"], 20)
    traces = np.repeat(np.arange(8), 20)
    mask = traces < 2
    alone = spans_with(pd.DataFrame({"pod": pods}))
    assert split(alone, mask)["value"].tolist() == ["a"]
    together = split(spans_with(pd.DataFrame({"pod": pods}), trace=traces), mask)
    assert together.empty
    assert "one side has only 2 independent rows" in together.attrs["notes"][-1]


def test_within_an_operation_what_goes_along_with_it_does_not_tell() -> None:
    rng = np.random.default_rng(11)
    operation = rng.choice(["report", "get"], 4000)
    mask = np.where(operation == "report", rng.random(4000) < 0.5, rng.random(4000) < 0.05)
    frame = pd.DataFrame(
        {
            "operation": operation,
            "db": np.where(operation == "report", "olap", "oltp"),
            "pod": np.where(where(rng, mask, 0.8, 0.3), "bad", "good"),
        }
    )
    assert split(frame, mask)["attribute"].tolist() == ["operation", "pod"]
    inside = split(frame, mask, within=["operation"])
    assert inside["attribute"].tolist() == ["pod"]
    assert inside["rest_share"][0] == pytest.approx(0.3, abs=0.06)
    frame.loc[mask & (np.arange(4000) < 400), "operation"] = "nightly"
    inside = split(frame, mask, within=["operation"])
    lost = int((frame["operation"] == "nightly").sum())
    assert inside.attrs["notes"] == (f"{lost} selected rows have no counterpart of the same operation: left out",)
    assert inside["selected_count"][0] <= mask.sum() - lost


def test_what_may_be_chance_is_said_where_nothing_tells() -> None:
    mask = np.arange(20) < 6
    table = split(pd.DataFrame({"pod": ["a"] * 6 + ["a"] * 3 + ["b", "c"] * 5 + ["b"]}), mask)
    assert table.empty
    told = compare_summary(table, selected="slow spans")
    assert told[0] == "slow spans: no attribute tells them apart from the others"
    assert told[1].startswith(
        "the nearest to telling: 100 % have pod=a, against 21 % of the others, which may be chance"
    )


def test_summaries_are_the_best_first_and_count_the_rest() -> None:
    rng = np.random.default_rng(12)
    mask = rng.random(2000) < 0.2
    frame = pd.DataFrame({f"k{n}": np.where(where(rng, mask, 0.9 - n / 10, 0.1), "x", "y") for n in range(5)})
    table = split(frame, mask)
    told = compare_summary(table, selected="slow\nspans", limit=2)
    assert told[0].startswith("slow⏎spans: 9")
    assert told[2] == "and 3 more attributes"
    assert compare_summary(table, limit=4)[-1] == "and 1 more attribute"
    assert compare_summary(table, limit=5)[-1].startswith("these rows: ")


def test_the_order_of_rows_and_columns_does_not_matter() -> None:
    frame, mask = planted()
    order = np.random.default_rng(0).permutation(len(frame))
    other = frame.iloc[order]
    pd.testing.assert_frame_equal(split(frame, mask), split(other, mask[order]))
    lacking = compare(frame[mask], frame.drop(columns="pod")[~mask])
    assert lacking["test"][0] == "present"


def test_wrong_questions_are_refused() -> None:
    frame, mask = planted()
    with pytest.raises(UsageError, match="limit of at least 1"):
        split(frame, mask, limit=0)
    with pytest.raises(UsageError, match="within tenant: no such column"):
        split(frame, mask, within=["pod", "tenant"])


COUNTS = st.integers(0, 60)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_fisher_is_twice_the_smaller_tail(hits: int, misses: int, other_hits: int, other_misses: int) -> None:
    square = [[hits, misses], [other_hits, other_misses]]
    tails = [fisher_exact(square, alternative=side)[1] for side in ("less", "greater")]
    ours = fisher(hits, hits + misses, other_hits, other_hits + other_misses)
    assert ours == pytest.approx(min(1.0, 2 * min(tails)), rel=1e-6, abs=1e-12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.integers(0, 30))
def test_corrected_p_values_rise_with_the_raw_ones(p_values: list[float], more: int) -> None:
    raw = np.array(p_values)
    found = corrected(raw, len(raw) + more)
    assert (found >= raw - 1e-15).all()
    assert (np.diff(found[np.argsort(raw, kind="stable")]) >= 0).all()
    assert found.max() <= 1
    assert found.min() <= raw.min() * (len(raw) + more) + 1e-15


VALUES = st.one_of(st.none(), st.text(st.characters(codec="utf-8"), max_size=5), st.integers(-(10**20), 10**20))


@settings(max_examples=60)
@given(st.data())
def test_any_values_are_counted_right(data: st.DataObject) -> None:
    rows = data.draw(st.integers(2, 60))
    pool = data.draw(st.lists(VALUES, min_size=1, max_size=15))
    column = [data.draw(st.sampled_from(pool)) for _ in range(rows)]
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=rows, max_size=rows)), dtype=bool)
    copies = 30  # so that differences are no chance
    frame = pd.DataFrame({"k": pd.Series(column * copies, dtype=object)})
    marked = np.tile(mask, copies)
    table = split(frame, marked)
    for row in table.to_dict("records"):
        has = _has(frame["k"], row["test"], row["value"])
        assert (has[marked].sum(), has[~marked].sum()) == (row["selected_count"], row["rest_count"])
        assert row["effect"] == pytest.approx(has[marked].mean() - has[~marked].mean())


def _has(column: pd.Series, test: str, value: str) -> np.ndarray:
    if test in {"present", "missing"}:
        return (column.isna() if test == "missing" else column.notna()).to_numpy()
    if test == "=":
        return np.array([item is not None and str(item) == value for item in column])
    numbers = pd.to_numeric(column.map(str, na_action="ignore"), errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    return numbers >= float(value) if test == "≥" else numbers < float(value)


def test_shares_are_whole_only_when_they_are() -> None:
    """999 of 1,000 are not all, and one of 10,000 is not none."""
    mask = np.arange(12_000) < 2000
    values = np.where(mask, "bad", "good").astype(object)
    values[0], values[-1], values[1] = "good", "bad", b"\xff\xfe"
    frame = pd.DataFrame({"pod": values}, dtype=object)
    frame.loc[2, "pod"] = "\ud800"
    sentence = split(frame, mask)["sentence"][0]
    assert sentence == ">99 % have pod=bad, against <0.1 % of the others"


def test_the_same_rows_are_said_from_the_side_of_the_better_attribute() -> None:
    rng = np.random.default_rng(14)
    mask = rng.random(3000) < 0.2
    client = where(rng, mask, 0.0, 0.7)
    others = rng.choice(["server", "internal", "producer", "consumer"], 3000)
    frame = pd.DataFrame({"kind": np.where(client, "client", others), "peer": np.where(client, "db", None)})
    assert split(frame, mask)["same_as"].tolist() == ["kind≠client"]
    lack = split(pd.DataFrame({"a": frame["kind"], "b": frame["kind"]}), mask)
    assert lack["same_as"][0] == "b=client"
    assert lack["sentence"][0].startswith("none has a=client, against ")


def test_truth_values_and_instants() -> None:
    mask = np.arange(200) < 80
    frame = pd.DataFrame({"at": pd.date_range("2026-11-22", periods=200, freq="s"), "cold": mask, "n": np.arange(200)})
    table = split(frame, mask)
    assert table["attribute"].tolist() == ["cold"]
    assert table["value"].tolist() == ["true"]
    assert table["same_as"][0].startswith("n < ")


def test_many_spans_of_fifty_attributes_take_seconds() -> None:
    rng = np.random.default_rng(13)
    rows = 20_000
    columns = {f"a{n:02}": rng.choice([f"v{value}" for value in range(2 + n * 20)], rows) for n in range(49)}
    mask = rng.random(rows) < 0.05
    columns["pod"] = np.where(where(rng, mask, 0.6, 0.2), "bad", "good")
    spans = spans_with(pd.DataFrame(columns))
    table = split(spans, mask)
    assert table["attribute"].tolist() == ["pod"]
    assert least_seconds(lambda: split(spans, mask), 3) < 3  # a fifth of the rows, for slow machines
