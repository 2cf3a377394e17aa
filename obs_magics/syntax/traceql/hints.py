"""What to do about a token that cannot stand where it stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate

from obs_magics.model.errors import did_you_mean
from obs_magics.syntax.traceql.lexer import END, END_OF_NAME, Token
from obs_magics.syntax.traceql.words import (
    AGGREGATES,
    COMPARISONS,
    INTRINSIC_SCOPES,
    LOGICAL,
    METRICS,
    OF_NOTHING,
    OF_ONE,
    REGEXES,
    RELATIONS,
    SCOPES,
    SECOND_STAGES,
    SHORT,
    STATICS,
    WORDS,
)

_CLOSING = {")": "(", "}": "{"}
_DOTTED = re.compile(r"[\w./-]+")
# The first part of attributes as OpenTelemetry's semantic conventions name them, by where they are kept.
_RESOURCE = frozenset(
    "service k8s host deployment cloud container process telemetry os faas device".split()  # noqa: SIM905
)
_SPAN = frozenset(
    """
    http db rpc messaging net network url server client peer user_agent error exception code thread enduser graphql aws
    gen_ai peer feature_flag
    """.split()  # noqa: SIM905
)
_COMPARED = COMPARISONS | REGEXES
_ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "^"})
_AFTER_PIPELINES = LOGICAL | RELATIONS
_CALLS = AGGREGATES | METRICS | SECOND_STAGES | {"by", "select", "coalesce"}
_SIGNS: Mapping[str, str] = {"and": "&&", "or": "||", "not": "!", "AND": "&&", "OR": "||", "NOT": "!", "&": "&&"}
_ARGUMENTS: Mapping[str, str] = {
    **dict.fromkeys(AGGREGATES, "an aggregate takes one expression, count() none"),
    **dict.fromkeys(OF_NOTHING, "rate() and count_over_time() take nothing in their brackets"),
    **dict.fromkeys(OF_ONE, "it takes an attribute or an intrinsic: avg_over_time(duration)"),
    **dict.fromkeys(SECOND_STAGES, "it takes a whole number: topk(5)"),
    "quantile_over_time": "it takes an attribute and quantiles: quantile_over_time(duration, 0.99, 0.5)",
    "compare": "it takes a filter, a number of values, and a window: compare({ status = error }, 10, start, end)",
    "by": "behind a set of spans it takes one expression; behind a metrics function attributes and intrinsics",
    "select": "select takes attributes and intrinsics alone: select(span.http.url, duration)",
    "coalesce": "coalesce() takes nothing in its brackets",
}
_PROBLEMS = (
    ("literal not terminated", "a quotation mark is not closed"),
    ("invalid char escape", "write a backslash twice, or put the text in backticks: `\\d+`"),
    ("invalid escape sequence", 'in a quoted name only \\" and \\\\ are escapes'),
    ('expecting "', "close the quoted name with a quotation mark"),
    ("comment not terminated", "close the comment: */"),
    ("out of range", "the number is larger than TraceQL holds"),
    ("strconv.Atoi", "write a plain whole number: 1000"),
    ("invalid UTF-8", "the marked character is half of a pair and no text"),
    ("NUL", "the marked place holds a NUL character"),
)


def hint_for(text: str, tokens: Sequence[Token], index: int) -> str:
    """The way out, for the token at `index` that could not be read; one sentence, never empty."""
    token = tokens[index]
    if token.problem:
        return next((hint for words, hint in _PROBLEMS if words in token.problem), "look at the marked number")
    here = _Place(text, tokens, index)
    return next(filter(None, (rule(here) for rule in _RULES)), "look at the marked place")


class _Place:
    """A token among the others."""

    def __init__(self, text: str, tokens: Sequence[Token], index: int) -> None:
        self.text, self.tokens, self.index = text, tokens, index
        self.token, self.kind = tokens[index], tokens[index].kind
        self.before = tokens[index - 1] if index else Token("", 0, 0)
        self.open = _open(tokens, index)
        self.called = _called(tokens, index)

    @property
    def in_braces(self) -> bool:
        return "{" in self.open

    @property
    def word(self) -> str:
        """The token with all that hangs on it by dots."""
        match = _DOTTED.match(self.text, self.token.start)
        return match[0].rstrip("./-") if match else self.text[self.token.start : self.token.end]


def _not_traceql(here: _Place) -> str:
    """A query that does not begin as one."""
    if here.tokens[0].kind == END:
        return "the query is empty: write TraceQL, such as { status = error }"
    if here.index == 0 and here.kind == "coalesce":
        return "coalesce() stands behind a set of spans: { … } | by(…) | coalesce()"
    if not here.in_braces and here.before.kind in {"", "("} and here.kind in {*SHORT, *STATICS, "IDENTIFIER", "."}:
        return "" if here.called or _inside_call(here) else "conditions stand in braces: { status = error }"
    return ""


def _inside_call(here: _Place) -> bool:
    """Whether the bracket right before belongs to a function."""
    return here.index > 1 and here.before.kind == "(" and here.tokens[here.index - 2].kind in _CALLS


def _foreign(here: _Place) -> str:
    """Signs and words of other languages."""
    token, before = here.token, here.before
    if str(token.value).startswith("'"):
        return "a text stands in double quotes or backticks"
    if token.kind == "=" and before.kind == "=" and before.end == token.start:
        return "equal is a single ="
    if token.kind == "|" and here.in_braces:
        return "or is ||, and stages stand behind the braces"
    return f"write {_SIGNS[str(token.value)]}" if here.kind == "IDENTIFIER" and str(token.value) in _SIGNS else ""


def _between(here: _Place) -> str:
    """What stands between sets of spans, pipelines and metrics queries that cannot stand there."""
    if here.in_braces:
        return ""
    if here.kind == "{" and here.before.kind in _AFTER_PIPELINES:
        return "put the filter in brackets too: ( … ) && ({ … })"
    if here.called in METRICS | SECOND_STAGES | {"by"} and here.kind in _ARITHMETIC:
        return "put each metrics query in brackets: ({ … } | rate()) / ({ … } | rate())"
    is_operator = here.kind in _ARITHMETIC | _COMPARED | {"&&", "||", "{"}
    if here.before.kind in {"}", ")"} and is_operator and here.called not in AGGREGATES | METRICS:
        return "between sets of spans stand &&, ||, >, >>, <, <<, ~, and the last five with ! or & before them"
    return "pipelines are combined in brackets: ( … ) && ( … )" if here.kind in {"&&", "||"} else ""


def _value(here: _Place) -> str:
    """Where a value is expected."""
    before = here.before
    if here.kind == "nil" or before.kind == "nil":
        return "nil stands alone beside = and !=: { .a != nil }"
    if before.kind in {"INTEGER", "FLOAT", "DURATION"} and before.end == here.token.start and here.kind == "IDENTIFIER":
        return "a duration is numbers with units: 100ms, 5s, 1h30m"
    if before.kind not in _COMPARED | _ARITHMETIC | {"&&", "||", "!"}:
        return ""
    if here.kind == "IDENTIFIER" and before.kind in _COMPARED:
        return f'put the text in quotes: "{here.word}"'
    if here.kind in {"}", ")", END, ",", "|"}:
        return f"a value is missing behind {before.kind}"
    is_scalar = before.kind in _COMPARED and not here.open and here.kind != "{"
    return "behind it stands a number or a duration: count() > 3" if is_scalar else ""


def _scope(here: _Place) -> str:
    """A name without its scope, or with one that does not exist."""
    scope = here.before.kind.removesuffix(":")
    if scope in INTRINSIC_SCOPES and here.before.kind != scope:
        names = [f"{scope}:{name}" for name in INTRINSIC_SCOPES[scope]]
        return did_you_mean(f"{scope}:{here.word}", names) or f"there is {', '.join(names)}"
    if here.kind == END_OF_NAME:
        return "the name of the attribute is missing: span.http.method"
    if here.kind == "childCount":
        return "did you mean span:childCount?"
    if here.kind == "." and here.before.end == here.token.start and here.before.kind in WORDS:
        here = _Place(here.text, here.tokens, here.index - 1)  # `server.address`: the first word is one of the language
    elif here.kind != "IDENTIFIER" or here.before.kind == "|":
        return ""
    return _scoped(here.word)


def _scoped(name: str) -> str:
    head, dot, rest = name.partition(".")
    if head in SCOPES:
        return f"the name follows the scope and a dot at once: {head}.name"
    if head in _RESOURCE or head in _SPAN:
        return f"did you mean {'resource' if head in _RESOURCE else 'span'}.{name} or .{name}?"
    near = did_you_mean(head, sorted(SCOPES if dot else SHORT), limit=1)
    if near and dot:
        return f"{near.removesuffix('?')}.{rest}?"
    return near or f"an attribute has a scope: span.{name}, resource.{name}, or .{name} for either"


def _call(here: _Place) -> str:
    """A function that does not exist, or one that is not finished."""
    if here.kind == "IDENTIFIER" and here.before.kind == "|":
        return did_you_mean(str(here.token.value), sorted(_CALLS)) or f"there is no function {here.token.value}"
    if here.before.kind in _CALLS and here.kind != "(":
        return f"write brackets behind it: {here.before.kind}(…)"
    if here.called in AGGREGATES:
        return f"compare what {here.called} gives: {here.called}(…) > 1"
    if here.kind in SECOND_STAGES:
        return f"{here.kind} stands behind a metrics function: | rate() | {here.kind}(5)"
    return ""


def _arguments(here: _Place) -> str:
    """What functions take."""
    if (here.before.kind == "|" and here.kind in _CALLS) or here.called in METRICS:
        return "behind a metrics function stand topk(5), bottomk(5) and comparisons alone"
    function = _function(here)
    return _ARGUMENTS.get(function, "") if function else ""


def _function(here: _Place) -> str:
    """The function whose brackets the token stands in; empty when there is none."""
    depth = 0
    for place in range(here.index - 1, 0, -1):
        depth += {")": 1, "(": -1}.get(here.tokens[place].kind, 0)
        if depth < 0:
            return here.tokens[place - 1].kind if here.tokens[place - 1].kind in _CALLS else ""
    return ""


def _called(tokens: Sequence[Token], index: int) -> str:
    """The function whose closing bracket stands right before `index`; empty when there is none."""
    if index == 0 or tokens[index - 1].kind != ")":
        return ""
    depths = accumulate({")": 1, "(": -1}.get(token.kind, 0) for token in reversed(tokens[:index]))
    opening = next(index - 1 - back for back, depth in enumerate(depths) if depth == 0)
    function = tokens[opening - 1].kind if opening else ""
    return function if function in _CALLS else ""


def _unfinished(here: _Place) -> str:
    """What is still open where the query ends, or closes what was never opened."""
    if here.kind == END:
        return f"the query ends too early: {here.open[-1]} is not closed" if here.open else "the query ends too early"
    if here.kind in _CLOSING and (not here.open or here.open[-1] != _CLOSING[here.kind]):
        return f"{here.open[-1]} is not closed" if here.open else f"{here.kind} closes what was not opened"
    return ""


def _open(tokens: Sequence[Token], index: int) -> list[str]:
    """The brackets that are open before a token, the innermost last."""
    open_ones: list[str] = []
    for token in tokens[:index]:
        if token.kind in _CLOSING.values():
            open_ones.append(token.kind)
        elif token.kind in _CLOSING and open_ones:
            open_ones.pop()
    return open_ones


_RULES: Sequence[Callable[[_Place], str]] = (
    _not_traceql,
    _foreign,
    _value,
    _scope,
    _call,
    _between,
    _arguments,
    _unfinished,
)
