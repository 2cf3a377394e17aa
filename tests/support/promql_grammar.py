"""A grammar of PromQL as a hypothesis strategy: all functions, aggregations, operators, modifiers of Prometheus 2.42.

Left out is what Prometheus itself does not decide (which of equal values `topk` keeps above the storage, where it walks
a map), what its bugs decide (an offset beside @ in `timestamp`, `predict_linear` with @), and logarithms and
trigonometry in the middle of an expression, where the last digit of one becomes the first of the next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from support.promql_worlds import BOUNDS, LENGTH_MS, START_MS

Draw = Callable[[Any], Any]

METRICS = {
    "requests_total": ("job", "instance", "code"),
    "errors_total": ("job", "instance"),
    "load": ("job", "instance"),
    "temp": ("job", "instance", "zone"),
    "up": ("job",),
    "build": ("job", "version"),
    "lat_bucket": ("job", "le"),
}
VALUES = {
    "job": ("api", "db", "nope", ""),
    "instance": ("a:1", "b:1", "c:2"),
    "code": ("200", "500"),
    "zone": ("z0", "z1"),
    "version": ("1.0", "1.1"),
    "le": BOUNDS,
    "none": ("", "x"),
}
PATTERNS = ("a.*", "api|db", ".+", "", ".*", "[ab]:1", "(?i:API)", "5..", r"\\d+", "z[^1]")
LABELS = tuple(VALUES)
ELEMENTWISE = tuple(
    """abs ceil floor sqrt sgn deg rad round day_of_month day_of_week day_of_year days_in_month hour
    minute month year timestamp sort sort_desc""".split()  # noqa: SIM905
)
TRANSCENDENTAL = tuple("exp ln log2 log10 sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh".split())  # noqa: SIM905
OVER_RANGE = tuple(
    """rate increase delta irate idelta resets changes deriv avg_over_time min_over_time max_over_time sum_over_time
    count_over_time stddev_over_time stdvar_over_time last_over_time present_over_time""".split()  # noqa: SIM905
)
REDUCTIONS = tuple("sum avg min max count group stddev stdvar".split())  # noqa: SIM905
ARITHMETIC = ("+", "-", "*", "/", "%", "^", "atan2")
COMPARISON = ("==", "!=", "<", "<=", ">", ">=")
DURATIONS = ("30s", "1m", "90s", "2m", "5m", "7m30s", "20m", "1h", "15s", "1ms")


class Grammar:
    """Draws expressions over the metrics of one world."""

    def __init__(self, draw: Draw, prefix: str) -> None:
        self.draw = draw
        self.prefix = prefix

    def one_of(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def rarely(self, times_in_ten: int = 2) -> bool:
        return self.draw(st.integers(0, 9)) >= 10 - times_in_ten

    # Selectors

    def modifiers(self) -> str:
        parts = []
        if self.rarely():
            parts.append(f"offset {self.one_of('', '', '-')}{self.one_of(*DURATIONS)}")
        if self.rarely(1):
            at = START_MS + self.draw(st.integers(0, LENGTH_MS // 1000)) * 1000
            parts.insert(self.one_of(0, len(parts)), f"@ {self.one_of('start()', 'end()', str(at / 1000))}")
        return "".join(f" {part}" for part in parts)

    def matcher(self, names: tuple[str, ...]) -> str:
        name = self.one_of(*names, *names, "none")
        if self.rarely(4):
            return f'{name}{self.one_of("=~", "!~")}"{self.one_of(*PATTERNS)}"'
        return f'{name}{self.one_of("=", "!=", "!=")}"{self.one_of(*VALUES[name])}"'

    def selector(self) -> str:
        metric = self.one_of(*METRICS)
        inside = [self.matcher(METRICS[metric]) for _ in range(self.one_of(0, 0, 0, 0, 1, 1, 2))]
        name = self.prefix + metric
        if self.rarely(1):
            other = self.one_of(*METRICS)
            inside.append(f'__name__=~"{self.one_of(f"{name}|{self.prefix}{other}", name)}"')
            name = ""
        return f"{name}{{{','.join(inside)}}}" if inside else name

    def matrix(self, depth: int) -> str:
        if depth > 0 and self.rarely(3):
            step = self.one_of("", "30s", "1m", "45s", "2m")
            inner = self.vector(depth - 1)
            return f"({inner})[{self.one_of('2m', '5m', '10m', '61s')}:{step}]{self.modifiers()}"
        return f"{self.selector()}[{self.one_of(*DURATIONS)}]{self.modifiers()}"

    # Scalars

    def scalar(self, depth: int) -> str:
        if depth > 0 and self.rarely(3):
            form = self.one_of("scalar", "binary", "bool", "minus", "time")
            if form == "scalar":
                return f"scalar({self.vector(depth - 1)})"
            if form == "binary":
                return f"({self.scalar(depth - 1)} {self.one_of(*ARITHMETIC)} {self.scalar(depth - 1)})"
            if form == "bool":
                return f"({self.scalar(depth - 1)} {self.one_of(*COMPARISON)} bool {self.scalar(depth - 1)})"
            return f"-{self.number()}" if form == "minus" else "time()"
        return self.number()

    def number(self) -> str:
        return self.one_of("0", "1", "2", "0.5", "3", "-1", "10", "1.5", "100", "0.9", "NaN", "Inf", "1e3", "pi()")

    # Vectors

    def vector(self, depth: int) -> str:
        if depth <= 0:
            return self.selector() + self.modifiers()
        forms = (
            self.over_range, self.over_range, self.over_range, self.elementwise, self.aggregation, self.aggregation,
            self.with_scalar, self.with_vector, self.with_vector, self.set_operation, self.special, self.labelling,
            self.plain,
        )  # fmt: skip
        return str(self.one_of(*forms)(depth - 1))

    def plain(self, depth: int) -> str:
        form = self.one_of("minus", "paren", "selector")
        if form == "minus":
            return f"-{self.vector(depth)}" if depth <= 0 else f"-({self.vector(depth)})"
        return f"({self.vector(depth)})" if form == "paren" else self.selector() + self.modifiers()

    def over_range(self, depth: int) -> str:
        form = self.one_of("plain", "plain", "plain", "plain", "quantile", "predict", "holt")
        if form == "quantile":
            return f"quantile_over_time({self.scalar(depth)}, {self.matrix(depth)})"
        if form == "predict":
            matrix = self.matrix(depth)
            while "@" in matrix:
                matrix = f"{self.selector()}[{self.one_of(*DURATIONS)}]"
            return f"predict_linear({matrix}, {self.scalar(depth)})"
        if form == "holt":
            factors = f"{self.one_of('0.1', '0.5', '0.9')}, {self.one_of('0.3', '0.7', '0.7', '0.7', '1')}"
            return f"holt_winters({self.matrix(depth)}, {factors})"
        return f"{self.one_of(*OVER_RANGE)}({self.matrix(depth)})"

    def elementwise(self, depth: int) -> str:
        name = self.one_of(*ELEMENTWISE, "clamp", "clamp_min", "clamp_max", "round")
        inner = self.vector(depth)
        if self.rarely(3):
            return f"round({self.one_of(*TRANSCENDENTAL)}({self.selector()}), 0.001)"
        if name == "timestamp":
            inner = self.one_of(
                self.selector(), f"{self.selector()} offset 2m", f"({self.selector()} @ end())", f"-({inner})"
            )
        extra = {"clamp": 2, "clamp_min": 1, "clamp_max": 1}.get(name, int(name == "round" and self.rarely(6)))
        return f"{name}({', '.join([inner, *(self.scalar(depth) for _ in range(extra))])})"

    def grouping(self) -> str:
        if self.rarely(3):
            return ""
        names = self.draw(st.lists(st.sampled_from([*LABELS, "__name__"]), max_size=3))
        return f"{self.one_of('by', 'by', 'without')} ({', '.join(names)})"

    def aggregation(self, depth: int) -> str:
        name = self.one_of(*REDUCTIONS, *REDUCTIONS, "topk", "bottomk", "quantile", "count_values")
        arguments, grouping = [self.vector(depth)], self.grouping()
        if name in {"topk", "bottomk", "count_values"}:
            arguments = [self.one_of(self.selector(), f"{self.one_of(*OVER_RANGE)}({self.matrix(0)})")]
        if name in {"topk", "bottomk"}:
            arguments.insert(0, self.one_of("1", "2", "3", "5", "0", "-1", "2.7", self.scalar(depth)))
        elif name == "quantile":
            arguments.insert(0, self.scalar(depth))
        elif name == "count_values":
            plain = "by" not in grouping  # 2.42 forgets to sort the label in among those of by
            arguments.insert(0, self.one_of('"zz"', '"zz"', *(('"job"', '"__name__"', '"a b"') if plain else ())))
        inside = f"({', '.join(arguments)})"
        return f"{name} {grouping} {inside}" if self.rarely(5) else f"{name}{inside} {grouping}"

    def with_scalar(self, depth: int) -> str:
        sides = [self.operand(depth), self.scalar(depth)]
        if self.rarely(4):
            sides.reverse()
        operator = self.one_of(*ARITHMETIC, *COMPARISON, *(f"{name} bool" for name in COMPARISON))
        return f"{sides[0]} {operator} {sides[1]}"

    def operand(self, depth: int) -> str:
        return f"({self.vector(depth)})"

    def matching(self) -> str:
        if self.rarely(2):
            return ""
        names = self.draw(st.lists(st.sampled_from(LABELS[:4]), max_size=2))
        return f"{self.one_of('on', 'on', 'ignoring')} ({', '.join(names)})"

    def with_vector(self, depth: int) -> str:
        operator = self.one_of(*ARITHMETIC, *COMPARISON, *(f"{name} bool" for name in COMPARISON))
        if self.rarely(7):
            return self.likely_match(operator)
        matching = self.matching()
        if matching and self.rarely(4):
            copied = self.draw(st.lists(st.sampled_from(["version", "zone", "job"]), max_size=1))
            matching += f" {self.one_of('group_left', 'group_right')} ({', '.join(copied)})"
        return f"{self.operand(depth)} {operator} {matching} {self.operand(depth)}"

    def likely_match(self, operator: str) -> str:
        one, other, build = (self.prefix + name for name in ("errors_total", "load", "build"))
        requests, temp = f"{self.prefix}requests_total", f"{self.prefix}temp"
        return self.one_of(
            f"{one} {operator} {other}",
            f"rate({one}[5m]) {operator} on (job, instance) {other}",
            f"{requests} {operator} on (job, instance) group_left () {one}",
            f"{one} {operator} on (job, instance) group_right () rate({requests}[2m])",
            f"{other} {operator} on (job) group_left (version) {build}",
            f"{build} {operator} on (job) group_right (version) {temp}",
            f"{temp} {operator} ignoring (zone) {other}",
            f"sum by (job) ({requests}) {operator} sum by (job) ({other})",
            f"{requests}{{code='200'}} {operator} ignoring (code) {requests}{{code='500'}}",
        )

    def set_operation(self, depth: int) -> str:
        operator = self.one_of("and", "or", "or", "unless")
        return f"{self.operand(depth)} {operator} {self.matching()} {self.operand(depth)}"

    def special(self, depth: int) -> str:
        form = self.one_of(
            "absent", "absent_over_time", "vector", "bucket", "bucket", "bucket", "date", "vector(time())"
        )
        if form == "absent":
            return f"absent({self.vector(depth)})"
        if form == "absent_over_time":
            return f"absent_over_time({self.matrix(depth)})"
        if form == "vector":
            return f"vector({self.scalar(depth)})"
        if form == "date":
            return f"{self.one_of('hour', 'minute', 'year', 'month', 'day_of_week', 'days_in_month')}()"
        return self.bucket(depth) if form == "bucket" else form

    def bucket(self, depth: int) -> str:
        name = f"{self.prefix}lat_bucket"
        inner = self.one_of(
            f"sum by (le) (rate({name}[5m]))", f"rate({name}[2m])", name, f"sum by (job, le) (increase({name}[10m]))",
            f"{name}{{le!='+Inf'}}", self.vector(depth), f"{name} > 3",
        )  # fmt: skip
        return f"histogram_quantile({self.one_of('0.5', '0.99', '0', '1', '-1', '2', self.scalar(depth))}, {inner})"

    def labelling(self, depth: int) -> str:
        inner = self.vector(depth)
        target = self.one_of("new", "job", "instance", "__name__", "a b")
        if self.rarely(4):
            sources = self.draw(st.lists(st.sampled_from(LABELS), max_size=3))
            joined = "".join(f', "{name}"' for name in sources)
            return f'label_join({inner}, "{target}", "{self.one_of("-", "", ",")}"{joined})'
        replacement = self.one_of("$1", "x-${1}", "", "$2$1", "$$", "fixed", "${name}", "$1x")
        pattern = self.one_of("(.*)", "(.):(.)", "a.*", "", "(?P<name>[a-z]+).*", "nope", "(")
        return f'label_replace({inner}, "{target}", "{replacement}", "{self.one_of(*LABELS)}", "{pattern}")'

    # Queries

    def query(self) -> str:
        depth = self.one_of(1, 2, 2, 3, 3, 4)
        if self.rarely(1):
            return f"{self.one_of(*TRANSCENDENTAL)}({self.selector()})"
        return self.scalar(depth) if self.rarely(1) else self.vector(depth)


@st.composite
def questions(draw: Draw, worlds: int) -> tuple[str, dict[str, Any]]:
    """A query and how `evaluate` is called with it."""
    grammar = Grammar(draw, f"w{draw(st.integers(0, worlds - 1))}_")
    start = START_MS + draw(st.integers(-300, LENGTH_MS // 1000)) * 1000
    if grammar.rarely(3):
        text = grammar.matrix(1) if grammar.rarely(1) else grammar.query()
        return text, {"instant": True, "start_ms": start, "end_ms": start, "step_ms": 1}
    step = grammar.one_of(15_000, 60_000, 60_000, 7_000, 300_000)
    end = start + draw(st.integers(0, 40)) * step
    return grammar.query(), {"start_ms": start, "end_ms": end, "step_ms": step}
