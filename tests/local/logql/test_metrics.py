"""Metric queries on a few lines, with numbers calculated by hand."""

from __future__ import annotations

import math
import threading
from pathlib import Path

import numpy as np
import pytest
from support.logql_reference import Entry
from support.logql_worlds import SECOND, START, store_of

from obs_magics.local.logql import evaluate as module
from obs_magics.local.logql import range_functions, table
from obs_magics.local.logql.evaluate import FoundSeries, evaluate_metric
from obs_magics.local.promql.context import Stopped
from obs_magics.model.errors import QueryError
from obs_magics.model.logs import Level
from obs_magics.syntax.logql import parse, tree
from obs_magics.syntax.logql.words import RANGE_OPS, VECTOR_OPS

MINUTE = 60 * SECOND

# One line every ten seconds: v rises by 1, resets after the sixth; the levels and services take turns.
ENTRIES = [
    Entry(
        START + row * 10 * SECOND,
        f"v={row % 6 + 1} t={row}ms s={row}KB",
        {"app": "api" if row % 2 else "web", "level": "error" if row % 3 == 0 else "info"},
        {"trace_id": f"t{row}"},
    )
    for row in range(13)
]


def found(
    query: str, entries: list[Entry] | None = None, *, last: int = 2, step: int = 60, level: Level | None = None
) -> FoundSeries:
    """What a query gives at minutes 0 to `last`."""
    node = parse(query)
    assert not isinstance(node, tree.LogQuery)
    store = store_of(ENTRIES if entries is None else entries)
    end = START + last * MINUTE
    return evaluate_metric(node, query, store, start_ns=START, end_ns=end, step_ns=step * SECOND, level=level)


def series(query: str, entries: list[Entry] | None = None, **options: int) -> dict[str, list[float | None]]:
    """The values of each series at every step, None where there is none."""
    vector = found(query, entries, **options).vector  # type: ignore[arg-type]
    return {
        ",".join(f"{name}={value}" for name, value in labels.items()): [
            float(value) if there else None for value, there in zip(values, present, strict=True)
        ]
        for labels, values, present in zip(vector.labels, vector.values, vector.present, strict=True)
    }


def one(query: str, entries: list[Entry] | None = None, **options: int) -> list[float | None]:
    """The values of the only series."""
    answer = series(query, entries, **options)
    assert len(answer) == 1, answer
    return next(iter(answer.values()))


def test_a_window_is_open_on_the_left() -> None:
    # (t - 1m, t]: at minute 1 the lines of 10 s … 60 s, not that of 0 s
    assert one('sum(count_over_time({app=~".+"}[1m]))') == [1, 6, 6]
    assert one('sum(count_over_time({app=~".+"}[61s]))') == [1, 7, 7]
    assert one('sum(count_over_time({app=~".+"}[1m] offset 1m))') == [None, 1, 6]
    assert one('sum(count_over_time({app=~".+"}[1m] offset -1m))') == [6, 6, None]
    assert one('sum(count_over_time({app=~".+"}[10s]))') == [1, 1, 1]  # gaps between the windows


def test_steps_are_multiples_of_the_step() -> None:
    store = store_of(ENTRIES)
    node = parse("vector(1)")
    answer = evaluate_metric(
        node, "", store, start_ns=START + 7 * SECOND, end_ns=START + 61 * SECOND, step_ns=14 * SECOND
    )  # type: ignore[arg-type]
    # what Loki gave for a step of 14 s: the first point before the start, the last behind the end
    assert (answer.times_ns % (14 * SECOND) == 0).all()
    assert answer.times_ns[0] <= START + 7 * SECOND < answer.times_ns[1]
    assert answer.times_ns[-2] < START + 61 * SECOND <= answer.times_ns[-1]


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ('rate({app="web"}[1m])', 3 / 60),
        ('bytes_over_time({app=~".+"}[20s])', 15 + 15),
        ('bytes_rate({app=~".+"}[20s])', 30 / 20),
        ('sum_over_time({app=~".+"} | logfmt | unwrap v [1m])', 2 + 3 + 4 + 5 + 6 + 1),
        ('rate({app=~".+"} | logfmt | unwrap v [1m])', 21 / 60),
        ('avg_over_time({app=~".+"} | logfmt | unwrap v [1m])', 3.5),
        ('min_over_time({app=~".+"} | logfmt | unwrap v [1m])', 1),
        ('max_over_time({app=~".+"} | logfmt | unwrap v [1m])', 6),
        ('first_over_time({app=~".+"} | logfmt | unwrap v [1m])', 2),
        ('last_over_time({app=~".+"} | logfmt | unwrap v [1m])', 1),
        ('stdvar_over_time({app=~".+"} | logfmt | unwrap v [1m])', 17.5 / 6),
        ('stddev_over_time({app=~".+"} | logfmt | unwrap v [1m])', math.sqrt(17.5 / 6)),
        ('quantile_over_time(0.5, {app=~".+"} | logfmt | unwrap v [1m])', 3.5),
        ('quantile_over_time(2, {app=~".+"} | logfmt | unwrap v [1m])', math.inf),
        ('sum_over_time({app=~".+"} | logfmt | unwrap duration(t) [1m])', (1 + 2 + 3 + 4 + 5 + 6) / 1000),
        ('sum_over_time({app=~".+"} | logfmt | unwrap duration_seconds(t) [1m])', 0.021),
        ('sum_over_time({app=~".+"} | logfmt | unwrap bytes(s) [1m])', 21_000),
        ('sum_over_time({app=~".+"} | logfmt | unwrap v | v != "6" [1m])', 15),
    ],
)
def test_range_aggregations(query: str, value: float) -> None:
    is_sum = query.partition("(")[0] in {"rate", "bytes_rate", "bytes_over_time", "sum_over_time"}
    assert one(f"sum({query})" if is_sum else f"{query} by ()")[1] == pytest.approx(value)


def test_rate_counter_is_loki_s() -> None:
    # 1..6, 1..6, 1: at minute 1 the values 2 3 4 5 6 1 -> increase -1 + 6 = 5 over 50 s
    # Loki takes its nanoseconds for milliseconds: sampled 5e7, stretched by the window's 60 s only -> factor 1 + 60/5e7
    value = one('rate_counter({app=~".+"} | logfmt | keep v | unwrap v [1m])')[1]
    assert value == pytest.approx(5 * (1 + 60 / 5e7) / 60, rel=1e-12)
    single = [Entry(START, "v=1", {"app": "api"})]
    assert one('rate_counter({app="api"} | logfmt | unwrap v [1m])', single) == [0, None, None]


def test_a_counter_from_zero_is_not_stretched_below_it() -> None:
    entries = [Entry(START + (row + 1) * SECOND, f"v={row}", {"app": "api"}) for row in range(3)]
    # the first value is 0: the series begins there, so nothing is added before it
    assert one('rate_counter({app="api"} | logfmt | unwrap v [1m])', entries)[1] == pytest.approx(2 / 60, rel=1e-12)
    steady = [Entry(START + (row + 1) * SECOND, "v=7", {"app": "api"}) for row in range(3)]
    assert one('rate_counter({app="api"} | logfmt | unwrap v [1m])', steady)[1] == 0


def test_values_too_large_to_be_added() -> None:
    entries = [Entry(START + row * SECOND, "v=1.5e308", {"app": name}) for row, name in enumerate("aaab")]
    assert one('avg_over_time({app="a"} | logfmt | unwrap v [1m])', entries, last=1) == [1.5e308, 1.5e308]
    query = 'avg(last_over_time({app=~".+"} | logfmt | unwrap v [1m]))'
    assert one(query, entries, last=1) == [pytest.approx(1.5e308)] * 2
    infinite = [Entry(START, "v=inf", {"app": "a"}), Entry(START, "v=1", {"app": "a"})]
    assert one('avg_over_time({app="a"} | logfmt | unwrap v [1m])', infinite)[0] == math.inf


def test_variances_of_many_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    query = 'stdvar_over_time({app=~".+"} | logfmt | unwrap v [1m]) by (app)'
    whole = series(query)
    monkeypatch.setattr(range_functions, "_CELLS_AT_ONCE", 2)
    assert series(query) == whole


def test_labels_of_series() -> None:
    assert len(series('count_over_time({app="web"}[10m])')) == 7  # every trace by itself, as in Loki
    assert series('count_over_time({app=~".+"} | keep app [1m])') == {"app=api": [None, 3, 3], "app=web": [1, 3, 3]}
    assert series('sum by (detected_level) (count_over_time({app=~".+"}[1m]))').keys() == {
        "detected_level=error", "detected_level=info",
    }  # fmt: skip
    assert series('sum by (nope) (count_over_time({app=~".+"}[1m]))').keys() == {""}
    assert series('min_over_time({app=~".+"} | logfmt | unwrap v [1m]) without (level, trace_id, s, t)').keys() == {
        "app=api", "app=web",
    }  # fmt: skip


def test_absent_over_time() -> None:
    assert series('absent_over_time({app="nope", level=~"e.+", x!="y"}[1m])') == {"app=nope": [1, 1, 1]}
    assert series('absent_over_time({app="web"}[1m])') == {}
    assert series('absent_over_time({app="web"}[1m])', last=4) == {"app=web": [None, None, None, 1, 1]}
    assert series('absent_over_time({app="a", app="b"}[1m])') == {"": [1, 1, 1]}


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("sum by (app) ({})", {"app=api": 3, "app=web": 3}),
        ("sum without (app) ({})", {"level=error": 2, "level=info": 4}),
        ("avg({})", {"": 1.5}),
        ("min({})", {"": 1}),
        ("max({})", {"": 2}),
        ("count({})", {"": 4}),
        ("stdvar({})", {"": 0.25}),
        ("stddev({})", {"": 0.5}),
        ("topk(1, sum by (level) ({}))", {"level=info": 4}),
        ("bottomk(1, sum by (level) ({}))", {"level=error": 2}),
        ("topk(9, sum by (level) ({}))", {"level=error": 2, "level=info": 4}),
        ("topk by (app) (1, {})", {"app=api,level=info": 2, "app=web,level=info": 2}),
        ("sort_desc(sum by (level) ({}))", {"level=error": 2, "level=info": 4}),
        ("sum(sum by (level) ({}) > 3)", {"": 4}),
    ],
)
def test_vector_aggregations(query: str, values: dict[str, float]) -> None:
    inner = 'count_over_time({app=~".+"} | drop trace_id [1m])'
    assert {name: row[1] for name, row in series(query.replace("{}", inner)).items() if row[1] is not None} == values


def test_nothing_aggregated_is_nothing() -> None:
    assert series('sum by (app) (count_over_time({app="nope"}[1m]))') == {}
    assert series('stdvar(count_over_time({app="web"} | keep app [1m]))') == {"": [0, 0, 0]}


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("A / B", {"": [3 / 6]}),
        ("A - on () B", {"": [-3]}),
        ("B % 4", {"": [2]}),
        ("2 ^ A", {"": [8]}),
        ("A / 0", {"": [math.nan]}),
        ("A % 0", {"": [math.nan]}),
        ("A > 3", {}),
        ("A > bool 3", {"": [0]}),
        ("1 < A", {"": [3]}),
        ("A == B", {}),
        ("A != B", {"": [3]}),
        ("A or B", {"": [3]}),
        ("A and B", {"": [3]}),
        ("A unless B", {}),
        ("1 + 1", {"": [2]}),
        ("vector(5) * 2", {"": [10]}),
        ("C / on (level) group_left () D", {"app=api,level=error": [1 / 2], "app=api,level=info": [2 / 4],
                                         "app=web,level=error": [1 / 2], "app=web,level=info": [2 / 4]}),
        ("D * on (level) group_right () C", {"app=api,level=error": [2], "app=api,level=info": [8],
                                          "app=web,level=error": [2], "app=web,level=info": [8]}),
    ],
)  # fmt: skip
def test_operators(query: str, values: dict[str, list[float]]) -> None:
    names = {
        "A": 'sum(count_over_time({app="web"}[1m]))',
        "B": 'sum(count_over_time({app=~".+"}[1m]))',
        "C": 'sum by (app, level) (count_over_time({app=~".+"}[1m]))',
        "D": 'sum by (level) (count_over_time({app=~".+"}[1m]))',
    }
    for name, text in names.items():
        query = query.replace(name, f"({text})")
    answer = {name: [row[1]] for name, row in series(query).items() if row[1] is not None}
    assert answer.keys() == values.keys()
    for name, row in answer.items():
        assert row == pytest.approx(values[name], nan_ok=True)


def test_matching_that_loki_refuses() -> None:
    many = 'sum by (app, level) (count_over_time({app=~".+"}[1m]))'
    with pytest.raises(QueryError, match="many-to-many matching not allowed"):
        series(f'sum by (app) (count_over_time({{app=~".+"}}[1m])) / on () group_left {many}')
    with pytest.raises(QueryError, match="group_left"):
        series(f'{many} / on (app) sum by (app) (count_over_time({{app=~".+"}}[1m]))')
    with pytest.raises(QueryError, match="same labelset"):
        series(f'label_replace({many}, "app", "x", "app", ".*")')


def test_label_replace() -> None:
    inner = 'sum by (app) (count_over_time({app=~".+"}[1m]))'
    assert series(f'label_replace({inner}, "new", "<$1>", "app", "(a).*")').keys() == {"app=api,new=<a>", "app=web"}
    assert series(f'label_replace({inner}, "app", "", "app", "api")').keys() == {"", "app=web"}
    node = tree.LabelReplace(tree.VectorOf(1.0), "a", "$1", "b", "(")
    with pytest.raises(QueryError, match="invalid regex in label_replace"):
        evaluate_metric(node, "label_replace", store_of([]), start_ns=0, end_ns=1, step_ns=1)


# Errors of lines

BROKEN = [
    Entry(START + SECOND, '{"a":1,"b":2}', {"app": "api"}),
    Entry(START + 2 * SECOND, '{"a":1,', {"app": "api"}),
    Entry(START + 3 * SECOND, '{"a":"x","b":3}', {"app": "api"}),
]


def test_a_line_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(QueryError) as caught:
        series('count_over_time({app="api"} | json [1m])', BROKEN)
    assert caught.value.message == (
        "pipeline error: 'JSONParserErr' for series: '{__error__=\"JSONParserErr\", "
        '__error_details__="Value is array, but can\'t find closing \']\' symbol", a="1", app="api"}\''
    )
    assert "Use a label filter to intentionally skip this error" in caught.value.words
    assert caught.value.hint
    with pytest.raises(QueryError, match=r"SampleExtractionErr.*invalid syntax"):
        series('sum_over_time({app="api"} | json | __error__="" | unwrap a [1m])', BROKEN)


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ('sum(count_over_time({app="api"} | json | __error__="" [1m]))', {"": 2}),
        ('sum(sum_over_time({app="api"} | json | unwrap a | __error__="" [1m]))', {"": 1}),
        # parsers whose labels nobody needs do not look at the line
        ('sum(count_over_time({app="api"} | json [1m]))', {"": 3}),
        ('sum(count_over_time({app="api"} | json | logfmt --strict | unpack | pattern "<_> <a>" [1m]))', {"": 3}),
        ('absent_over_time({app="api"} | json [1m])', {}),
        # a parser ends where it has found all it was asked for
        ('sum by (a) (count_over_time({app="api"} | json [1m]))', {"a=1": 2, "a=x": 1}),
        # who asks for the error gets it
        ('sum by (__error__) (count_over_time({app="api"} | json [1m]))', {"": 2, "__error__=JSONParserErr": 1}),
        ('sum(count_over_time({app="api"} | json | __error__!="" [1m]))', {"": 1}),
        ('sum by (a) (count_over_time({app="api"} | json | __error__=~".*" [1m]))', {"a=1": 2, "a=x": 1}),
    ],
)
def test_errors_that_do_not_matter(query: str, values: dict[str, float]) -> None:
    assert {name: row[1] for name, row in series(query, BROKEN).items() if row[1] is not None} == values


def test_an_error_that_matters_although_it_is_grouped() -> None:
    with pytest.raises(QueryError, match="JSONParserErr"):
        series('sum by (b) (count_over_time({app="api"} | json [1m]))', BROKEN)
    with pytest.raises(QueryError, match="JSONParserErr"):
        series('count(count_over_time({app="api"} | json [1m]))', BROKEN)
    with pytest.raises(QueryError, match="LabelFilterErr"):
        series('sum(count_over_time({app="api"} | json | a > 0 [1m]))', BROKEN[2:])


def test_lines_outside_of_the_windows_are_not_looked_at() -> None:
    entries = [Entry(START + 30 * SECOND, "broken", {"app": "api"}), Entry(START + MINUTE, '{"a":1}', {"app": "api"})]
    assert one('count_over_time({app="api"} | json [10s])', entries, last=2) == [None, 1, None]


# The level


def test_the_level_comes_first() -> None:
    entries = [*ENTRIES, Entry(START + MINUTE, "v=9", {"app": "api"})]
    answer = found('sum(count_over_time({app=~".+"}[1m]))', entries, level="warn")
    assert answer.vector.values[0].tolist() == [1, 2, 2]
    assert answer.context.unknown == 1
    assert found('sum(count_over_time({app=~".+"}[1m]))', entries, level="fatal").vector.labels == []


# Bounds


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(QueryError, match="points a series"):
        module.steps("", 0, 10**18, 1)
    for start, end, step in ((0, 1, 0), (1, 0, 1)):
        with pytest.raises(QueryError, match="must be positive"):
            module.steps("", start, end, step)
    monkeypatch.setattr("obs_magics.local.logql.context.MAX_CELLS", 10)
    with pytest.raises(QueryError, match="more than 10 samples"):
        series('count_over_time({app=~".+"}[10m])')


def test_what_the_parser_would_have_refused() -> None:
    inner = tree.RangeAggregation(
        "count_over_time", tree.LogRange(tree.LogQuery((tree.Matcher("app", "=", "web"),)), 1)
    )
    vector = tree.VectorOf(1.0)
    for node, words in (
        (tree.RangeAggregation("nope_over_time", inner.range), "nope_over_time is not supported"),
        (tree.VectorAggregation("approx_topk", vector, 1.0), "approx_topk is not supported"),
        (tree.VectorAggregation("sum", tree.Number(1.0)), "numbers cannot be aggregated"),
        (tree.Binary("atan2", vector, vector), "the operator atan2 is not supported"),
        (tree.LogQuery(()), "LogQuery is not supported"),
    ):
        with pytest.raises(QueryError, match=words):
            evaluate_metric(node, "approx_topk(1)", store_of([]), start_ns=0, end_ns=1, step_ns=1)  # type: ignore[arg-type]
    both = tree.Binary(">", tree.Number(2.0), tree.Number(1.0))
    assert evaluate_metric(both, "", store_of([]), start_ns=0, end_ns=0, step_ns=1).vector.values.tolist() == [[1.0]]


def test_approx_topk_is_refused_in_its_place() -> None:
    query = 'approx_topk(1, sum by (app) (rate({app="web"}[1m])))'
    with pytest.raises(QueryError, match="approx_topk is not supported by the embedded backend") as caught:
        series(query)
    assert caught.value.position == 0


def test_nested_too_deeply() -> None:
    node: tree.Sample = tree.VectorOf(1.0)
    for _ in range(3000):
        node = tree.VectorAggregation("sum", node)
    with pytest.raises(QueryError, match="nested too deeply"):
        evaluate_metric(node, "", store_of([]), start_ns=0, end_ns=0, step_ns=1)


def test_a_stop_ends_it() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        evaluate_metric(tree.VectorOf(1.0), "", store_of([]), start_ns=0, end_ns=0, step_ns=1, stop=stop)


# The page


def test_everything_that_parses_has_a_state_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    page = table.render()
    for name in (*RANGE_OPS, *VECTOR_OPS):
        assert f"| `{name}` | " in page
    assert "| `approx_topk` | refused |" in page
    assert page.count("refused |") == 1
    monkeypatch.setattr(table, "STAGES", ())
    assert "`json` | refused" in table.render().replace('`json`, `json a="path"`', "`json`")


def test_the_table_in_the_docs_is_current() -> None:
    written = Path(__file__).resolve().parents[3] / table.WRITTEN
    assert written.read_text(encoding="utf-8") == table.render(), "run python -m obs_magics.local.logql.table"


def test_the_table_writes_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "docs").mkdir()
    monkeypatch.chdir(tmp_path)
    table.main()
    assert (tmp_path / table.WRITTEN).read_text(encoding="utf-8") == table.render()


def test_no_lines_at_all() -> None:
    answer = found('rate({app="x"}[1m])', [])
    assert answer.vector.labels == []
    assert np.asarray(answer.vector.values).shape == (0, 3)
