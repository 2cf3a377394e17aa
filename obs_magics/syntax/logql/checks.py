"""What Loki finds wrong with the stages of a query before it runs it: templates, addresses, paths, expressions.

Its words are ``stage '…' : what``, with the stage as Loki writes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from obs_magics.model.errors import QueryError
from obs_magics.syntax.logql.addresses import address_range
from obs_magics.syntax.logql.paths import json_path, logfmt_key
from obs_magics.syntax.logql.patterns import line_pattern_problem
from obs_magics.syntax.logql.printer import write_stage
from obs_magics.syntax.logql.regexes import regex_problem
from obs_magics.syntax.logql.strings import go_quote
from obs_magics.syntax.logql.template import compile_template
from obs_magics.syntax.logql.tree import (
    BothFilters,
    EitherFilter,
    Expression,
    IpFilter,
    Json,
    LabelFilter,
    LabelFormat,
    LineFilter,
    LineFormat,
    Logfmt,
    Stage,
)
from obs_magics.syntax.logql.walk import log_ranges, selectors

Problem = tuple[str, str]
"""What is wrong, and the way out."""

_TEMPLATE_HINT = "correct the template: {{ .label }}, {{ if … }}…{{ end }}"


def check_stages(text: str, tree: Expression) -> None:
    """Looks at every stage of a query.

    Raises:
        QueryError: The first stage that Loki would refuse.
    """
    stages = [stage for query in selectors(tree) for stage in query.stages]
    filters = [item for found in log_ranges(tree) if found.unwrap for item in found.unwrap.filters]
    for stage in (*stages, *filters):
        rule = _RULES.get(type(stage))
        problem, hint = rule(stage) if rule else ("", "")
        if problem:
            at = _start(stage)
            words = f"parse error : stage '{write_stage(stage, go_quote)}' : {problem}"
            raise QueryError(words, query=text, position=at, length=_length(text, at), words=words, hint=hint)


def _start(stage: Stage) -> int:
    while isinstance(stage, BothFilters | EitherFilter):
        stage = stage.left
    return int(getattr(stage, "at", 0))


def _length(text: str, at: int) -> int:
    """To the next bar or the end of the line: a place to look at, not a boundary."""
    line = text[at:].split("\n", 1)[0]
    bar = line.find("|", 1)
    return len((line if bar < 0 else line[:bar]).rstrip())


def _line_filter(stage: LineFilter) -> Problem:
    return next((problem for problem in map(_text_problem(stage), stage.texts) if problem[0]), ("", ""))


def _text_problem(stage: LineFilter) -> Callable[[Any], Problem]:
    def judged(text: Any) -> Problem:
        if text.is_ip:
            if stage.op not in {"|=", "!="}:
                return "ip: invalid operation", "an address stands behind |= or !="
            return _address(text.value)
        if stage.op in {"|~", "!~"}:
            return regex_problem(text.value), "correct the regular expression; for a literal text use |="
        return line_pattern_problem(text.value) if stage.op in {"|>", "!>"} else ("", "")

    return judged


def _address(text: str) -> Problem:
    try:
        address_range(text)
    except ValueError as problem:
        return str(problem), 'an address is "10.0.0.1", "10.0.0.0/8" or "10.0.0.1-10.0.0.9"'
    return "", ""


def _ip_filters(stage: LabelFilter) -> Problem:
    return next((problem for problem in map(_address, _addresses(stage)) if problem[0]), ("", ""))


def _addresses(stage: LabelFilter) -> Iterator[str]:
    left = [stage]
    while left:
        item = left.pop()
        if isinstance(item, BothFilters | EitherFilter):
            left += [item.right, item.left]
        elif isinstance(item, IpFilter):
            yield item.value


def _json(stage: Json) -> Problem:
    return _extractions(stage.fields, json_path, 'a path is a.b, a[0] or ["a b"]')


def _logfmt(stage: Logfmt) -> Problem:
    return _extractions(stage.fields, logfmt_key, "name one key of the line")


def _extractions(fields: tuple[tuple[str, str], ...], read: Callable[[str], object], hint: str) -> Problem:
    for label, path in fields:
        try:
            read(path)
        except ValueError as problem:
            return f"cannot parse expression [{path}]: {problem}", hint
        if not label.isascii() or not label.isidentifier():
            return f"invalid extracted label name '{label}'", "a label's name has letters, digits and _"
    return "", ""


def _line_format(stage: LineFormat) -> Problem:
    problem = _template(stage.template, "line")
    return (f"invalid line template: {problem}", _TEMPLATE_HINT) if problem else ("", "")


def _label_format(stage: LabelFormat) -> Problem:
    if any(part.name == "__error__" for part in stage.formats):
        return "__error__ cannot be formatted", "drop it: | drop __error__"
    twice = next((name for name, times in Counter(part.name for part in stage.formats).items() if times > 1), None)
    if twice is not None:
        message = f"multiple label name '{twice}' not allowed in a single format operation"
        return message, "use two label_format stages"
    for part in stage.formats:
        problem = "" if part.template is None else _template(part.template, "label")
        if problem:
            return f"invalid template for label '{part.name}': {problem}", _TEMPLATE_HINT
    return "", ""


def _template(text: str, name: str) -> str:
    try:
        compile_template(text, name=name)
    except QueryError as error:
        return error.words
    return ""


_RULES: Mapping[type[Any], Callable[[Any], Problem]] = {
    LineFilter: _line_filter,
    Json: _json,
    Logfmt: _logfmt,
    LineFormat: _line_format,
    LabelFormat: _label_format,
    IpFilter: _ip_filters,
    BothFilters: _ip_filters,
    EitherFilter: _ip_filters,
}
