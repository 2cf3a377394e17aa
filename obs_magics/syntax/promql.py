"""PromQL text: parsed (with errors that mark the place), searched for metric names, and quoted.

The grammar is promql-parser's, which follows Prometheus; what it does not do is done here: its errors get a place in
the query, mistyped functions get a suggestion, and what it reads wrongly (a negative ``@``) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from typing import Any

import promql_parser

from obs_magics.model.errors import QueryError, did_you_mean
from obs_magics.syntax.promql_tokens import CLOSING, OPENING, Token, find_call, tokens_of, unbalanced
from obs_magics.syntax.promql_tree import metrics_in

AGGREGATIONS = frozenset(
    """
    avg bottomk count count_values group limit_ratio limitk max min quantile stddev stdvar sum topk
    """.split()  # noqa: SIM905
)
FUNCTIONS = frozenset(
    """
    abs absent absent_over_time acos acosh asin asinh atan atanh avg_over_time ceil changes clamp clamp_max
    clamp_min cos cosh count_over_time day_of_month day_of_week day_of_year days_in_month deg delta deriv
    double_exponential_smoothing exp first_over_time floor histogram_avg histogram_count histogram_fraction
    histogram_quantile histogram_quantiles histogram_stddev histogram_stdvar histogram_sum holt_winters hour idelta
    increase info irate label_join label_replace last_over_time ln log10 log2 mad_over_time max_over_time
    min_over_time minute month pi predict_linear present_over_time quantile_over_time rad rate resets round scalar
    sgn sin sinh sort sort_by_label sort_by_label_desc sort_desc sqrt stddev_over_time stdvar_over_time
    sum_over_time tan tanh time timestamp ts_of_first_over_time ts_of_last_over_time ts_of_max_over_time
    ts_of_min_over_time vector year
    """.split()  # noqa: SIM905
)

# The parser works its way down with the machine's stack, and some ten thousand levels end the process.
MAX_DEPTH = 2_000
_NESTING = frozenset("( + - * / % ^ == != < <= > >= and or unless atan2".split())  # noqa: SIM905

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_UNKNOWN_FUNCTION = re.compile(r"unknown function with name '([^']*)'")
# Words of the parser that speak of the grammar and not of meaning: with these a query is cut off or derailed.
_GRAMMAR = re.compile(r"invalid promql query|^unexpected|unclosed|^bad |^unterminated|no expression found")
# What may come next, to find out whether the beginning of a query can still become one.
_ENDINGS = ("", "x", "(x)", "1", "5m", "x[5m]", "(x) y", '"a"', 'a="b"', '="b"', ' "b"', "a) (x)", "(a) x", ":")


def parse(text: str) -> Any:
    """The query as the tree of promql-parser (`promql_parser.Expr`).

    Raises:
        QueryError: Not PromQL; holds the place and, for a mistyped function, what may have been meant.

    >>> type(parse("rate(x[5m])")).__name__
    'Call'
    """
    _register()
    if "@" in text:
        _refuse_negative_at(text)
    if len(text) > MAX_DEPTH:
        _refuse_depth(text)
    try:
        return promql_parser.parse(text)
    except ValueError as problem:
        raise _explain(text, str(problem)) from None


def tree_of(text: str) -> Any | None:
    """As `parse`; None for what is not PromQL (MetricsQL, say), which only its own server can judge."""
    try:
        return parse(text)
    except QueryError:
        return None


def metric_names(text: str) -> list[str]:
    """Names of the metrics that a query asks for, in order of first appearance; empty for a text that is not PromQL.

    >>> metric_names('sum(rate(a[5m])) / on () {__name__="b"}')
    ['a', 'b']
    """
    tree = tree_of(text)
    return [] if tree is None else metrics_in(tree)


def is_metric_name(text: str) -> bool:
    """Whether a text is nothing but a metric name, as Prometheus 2 allows them.

    >>> is_metric_name("http_requests_total"), is_metric_name("up == 1")
    (True, False)
    """
    return _NAME.fullmatch(text) is not None


def quote(value: str) -> str:
    r"""A value as it stands between the double quotes of a PromQL string.

    >>> quote('C:\\temp "x"')
    'C:\\\\temp \\"x\\"'
    """
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def error_at(text: str, name: str, message: str, *, hint: str = "", words: str = "") -> QueryError:
    """A `QueryError` that marks where `name` (a function, an aggregation, an operator) stands in the query."""
    token = find_call(tokens_of(text), name)
    place = (token.start, len(token.text)) if token else (None, 1)
    return QueryError(message, query=text, position=place[0], length=place[1], hint=hint, words=words)


@lru_cache(maxsize=1)
def _register() -> None:
    """Teach the parser `holt_winters`, the name that Prometheus 2 has for double_exponential_smoothing."""
    kind = promql_parser.ValueType
    arguments = [kind.Matrix, kind.Scalar, kind.Scalar]
    promql_parser.register_extra_functions([promql_parser.Function("holt_winters", arguments, kind.Vector)])


def _refuse_negative_at(text: str) -> None:
    tokens = tokens_of(text)
    for at, sign in pairwise(tokens):
        if at.text == "@" and sign.text == "-":
            raise QueryError("times before 1970 are not supported behind @", query=text, position=sign.start)


def _refuse_depth(text: str) -> None:
    nesting = [token for token in tokens_of(text) if token.text in _NESTING]
    if len(nesting) > MAX_DEPTH:
        message = f"more than {MAX_DEPTH:,} brackets and operators in one query"
        raise QueryError(message, query=text, position=nesting[MAX_DEPTH].start, hint="ask in several queries")


def _explain(text: str, words: str) -> QueryError:
    tokens = tokens_of(text)
    if not tokens:
        return QueryError("the query is empty", query=text, position=0, words=words)
    unknown = _UNKNOWN_FUNCTION.search(words)
    if unknown:
        return _unknown_function(text, find_call(tokens, unknown[1]) or tokens[0], unknown[1], words)
    broken = unbalanced(tokens)
    if broken:
        token, what = broken
        return QueryError(what, query=text, position=token.start, length=len(token.text), words=words)
    if _GRAMMAR.search(words):
        return _derailed(text, tokens, words)
    start, end = _smallest_with(text, tokens, words)
    return QueryError(words, query=text, position=start, length=end - start, words=words)


def _derailed(text: str, tokens: list[Token], words: str) -> QueryError:
    index = _derailed_at(text, tokens)
    if index is None:
        return QueryError("the query ends too early", query=text, position=len(text.rstrip()), words=words)
    token, before = tokens[index], tokens[max(index - 1, 0)]
    if token.text in {"by", "without"} and before.kind == "name" and before.text not in AGGREGATIONS:
        return _unknown_function(text, before, before.text, words)
    message = f"unexpected {token.text!r}" if words == "invalid promql query" else words
    return QueryError(message, query=text, position=token.start, length=len(token.text), words=words)


def _unknown_function(text: str, token: Token, name: str, words: str) -> QueryError:
    hint = did_you_mean(name, sorted(FUNCTIONS | AGGREGATIONS))
    message = f"unknown function {name}"
    return QueryError(message, query=text, position=token.start, length=len(name), hint=hint, words=words)


def _smallest_with(text: str, tokens: list[Token], words: str) -> tuple[int, int]:
    """Where the smallest call or bracket of the query stands that fails with the same words; the whole query, else."""
    spans = sorted(_spans(tokens), key=lambda span: span[1] - span[0])
    whole = (tokens[0].start, tokens[-1].end)
    return next((span for span in spans if _words_on(text[slice(*span)]) == words), whole)


def _spans(tokens: list[Token]) -> list[tuple[int, int]]:
    """Brackets from the name before them to their end; a selector's braces end with it too."""
    found, open_ones = [], []
    for index, token in enumerate(tokens):
        if token.text in CLOSING:
            named = index > 0 and tokens[index - 1].kind == "name"
            open_ones.append(tokens[index - 1].start if named else token.start)
        elif token.text in OPENING:
            found.append((open_ones.pop(), token.end))
    return found


def _words_on(text: str) -> str:
    try:
        promql_parser.parse(text)
    except ValueError as problem:
        return str(problem)
    return ""


def _derailed_at(text: str, tokens: list[Token]) -> int | None:
    """Index of the first token with which the query can no longer become PromQL; None when it only stops too early."""
    for index, token in enumerate(tokens):
        if not _may_continue(text[: token.end], tokens[: index + 1]):
            return index
    return None


def _may_continue(beginning: str, tokens: Iterable[Token]) -> bool:
    open_ones: list[str] = []
    for token in tokens:
        if token.text in CLOSING:
            open_ones.append(CLOSING[token.text])
        elif token.text in OPENING:
            open_ones.pop()
    closing = "".join(reversed(open_ones))
    attempts = (f"{beginning}{gap}{ending}{closing}" for ending in _ENDINGS for gap in ("", " "))
    return any(_GRAMMAR.search(_words_on(attempt)) is None for attempt in attempts)
