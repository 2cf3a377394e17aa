"""Every function that a template can call: what it takes, and what Loki's documentation says of it.

Functions are those of Loki's `pkg/logql/log/fmt.go`, of the sprig library as far as Loki lets it in, and Go's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote_plus

from obs_magics.syntax.logql.template import dates, numbers, texts
from obs_magics.syntax.logql.template.gotime import GoTime
from obs_magics.syntax.logql.template.printf import sprintf
from obs_magics.syntax.logql.template.values import inside, is_true

Group = Literal["line", "date", "text", "logic", "number", "regex", "go", "deprecated"]


@dataclass(frozen=True, slots=True)
class Line:
    """What a template is filled in for: the line, its time, and what time it is now (both in nanoseconds)."""

    text: str
    timestamp_ns: int
    now_ns: int


@dataclass(frozen=True, slots=True)
class Function:
    """One function.

    Attributes:
        call: What it does; given the `Line` first when `of_line`.
        takes: A letter an argument: **s**tring, **i**nt, **f**loat64, **t**ime, **a**ny; ``*`` repeats the last.
        group: Where it stands in the documentation.
        of_line: It needs to know the line, or the time.
        note: What is different from Loki; empty when nothing is.
    """

    call: Callable[..., Any]
    takes: str
    group: Group
    of_line: bool = False
    note: str = ""


_UTC = "the server's local time is taken for UTC"
_LENGTH = f"refuses to make more than {texts.LONGEST:,} characters"

FUNCTIONS: Mapping[str, Function] = {
    # the line
    "__line__": Function(lambda line: line.text, "", "line", of_line=True),
    "__timestamp__": Function(lambda line: GoTime(line.timestamp_ns), "", "line", of_line=True, note=_UTC),
    # dates
    "date": Function(lambda line, *values: dates.date(line.now_ns, *values), "sa", "date", of_line=True),
    "duration": Function(texts.seconds, "s", "date"),
    "duration_seconds": Function(texts.seconds, "s", "date"),
    "now": Function(lambda line: GoTime(line.now_ns), "", "date", of_line=True, note=_UTC),
    "toDate": Function(dates.to_date, "ss", "date", note=_UTC),
    "toDateInZone": Function(dates.to_date_in_zone, "sss", "date"),
    "unixEpoch": Function(lambda when: dates.epoch(when, 10**9), "t", "date"),
    "unixEpochMillis": Function(lambda when: dates.epoch(when, 10**6), "t", "date"),
    "unixEpochNanos": Function(lambda when: dates.epoch(when, 1), "t", "date"),
    "unixToTime": Function(dates.unix_to_time, "s", "date"),
    # texts
    "alignLeft": Function(texts.align_left, "is", "text"),
    "alignRight": Function(texts.align_right, "is", "text"),
    "b64enc": Function(texts.b64enc, "s", "text"),
    "b64dec": Function(texts.b64dec, "s", "text"),
    "bytes": Function(texts.size, "s", "text"),
    "default": Function(texts.default, "aa*", "text"),
    "fromJson": Function(texts.from_json, "s", "text"),
    "indent": Function(texts.indent, "is", "text", note=_LENGTH),
    "lower": Function(str.lower, "s", "text"),
    "nindent": Function(lambda spaces, text: "\n" + texts.indent(spaces, text), "is", "text", note=_LENGTH),
    "printf": Function(lambda layout, *values: sprintf(layout, values), "sa*", "text", note="widths up to 10,000"),
    "repeat": Function(texts.repeat, "is", "text", note=_LENGTH),
    "replace": Function(lambda old, new, text: texts.replace(text, old, new, -1), "sss", "text"),
    "substr": Function(texts.substr, "iis", "text"),
    "title": Function(texts.title, "s", "text"),
    "trim": Function(texts.trimmed, "s", "text"),
    "trimAll": Function(lambda characters, text: texts.trimmed(text, characters), "ss", "text"),
    "trimPrefix": Function(lambda prefix, text: text.removeprefix(prefix), "ss", "text"),
    "trimSuffix": Function(lambda suffix, text: text.removesuffix(suffix), "ss", "text"),
    "trunc": Function(texts.trunc, "is", "text"),
    "upper": Function(str.upper, "s", "text"),
    "urldecode": Function(texts.urldecode, "s", "text"),
    "urlencode": Function(texts.urlencode, "s", "text"),
    # logic
    "contains": Function(lambda part, text: part in text, "ss", "logic"),
    "eq": Function(numbers.equal, "aa*", "logic"),
    "hasPrefix": Function(lambda prefix, text: text.startswith(prefix), "ss", "logic"),
    "hasSuffix": Function(lambda suffix, text: text.endswith(suffix), "ss", "logic"),
    # numbers
    "add": Function(numbers.add, "a*", "number"),
    "addf": Function(numbers.addf, "a*", "number"),
    "ceil": Function(numbers.ceil, "a", "number"),
    "div": Function(numbers.div, "aa", "number"),
    "divf": Function(numbers.divf, "aa*", "number"),
    "float64": Function(numbers.to_float, "a", "number"),
    "floor": Function(numbers.floor, "a", "number"),
    "int": Function(numbers.to_int, "a", "number"),
    "max": Function(numbers.largest, "aa*", "number"),
    "maxf": Function(numbers.largest_float, "aa*", "number"),
    "min": Function(numbers.smallest, "aa*", "number"),
    "minf": Function(numbers.smallest_float, "aa*", "number"),
    "mod": Function(numbers.mod, "aa", "number"),
    "mul": Function(numbers.mul, "aa*", "number"),
    "mulf": Function(numbers.mulf, "aa*", "number"),
    "round": Function(numbers.rounded, "aif*", "number"),
    "sub": Function(numbers.sub, "aa", "number"),
    "subf": Function(numbers.subf, "aa*", "number"),
    # regular expressions
    "count": Function(texts.count, "ss", "regex"),
    "regexReplaceAll": Function(texts.replace_all, "sss", "regex"),
    "regexReplaceAllLiteral": Function(texts.replace_all_literal, "sss", "regex"),
    # Go's own
    "and": Function(lambda *values: next((v for v in values if not is_true(v)), values[-1]), "aa*", "go"),
    "or": Function(lambda *values: next((v for v in values if is_true(v)), values[-1]), "aa*", "go"),
    "not": Function(lambda value: not is_true(value), "a", "go"),
    "ne": Function(numbers.different, "aa", "go"),
    "lt": Function(numbers.less, "aa", "go"),
    "le": Function(numbers.at_most, "aa", "go"),
    "gt": Function(numbers.greater, "aa", "go"),
    "ge": Function(numbers.at_least, "aa", "go"),
    "len": Function(numbers.length, "a", "go"),
    "index": Function(numbers.index, "aa*", "go"),
    "slice": Function(numbers.part, "aa*", "go"),
    "print": Function(texts.joined, "a*", "go"),
    "println": Function(lambda *values: " ".join(map(inside, values)) + "\n", "a*", "go"),
    "html": Function(texts.html, "a*", "go"),
    "js": Function(texts.js, "a*", "go"),
    "urlquery": Function(lambda *values: quote_plus(texts.joined(*values), errors="replace"), "a*", "go"),
    # kept from Loki's beginnings
    "ToLower": Function(str.lower, "s", "deprecated"),
    "ToUpper": Function(str.upper, "s", "deprecated"),
    "Replace": Function(texts.replace, "sssi", "deprecated"),
    "Trim": Function(texts.trimmed, "ss", "deprecated"),
    "TrimLeft": Function(lambda text, characters: text.lstrip(characters) if characters else text, "ss", "deprecated"),
    "TrimRight": Function(lambda text, characters: text.rstrip(characters) if characters else text, "ss", "deprecated"),
    "TrimPrefix": Function(lambda text, prefix: text.removeprefix(prefix), "ss", "deprecated"),
    "TrimSuffix": Function(lambda text, suffix: text.removesuffix(suffix), "ss", "deprecated"),
    "TrimSpace": Function(texts.trimmed, "s", "deprecated"),
}
SHORT_CIRCUIT = frozenset({"and", "or"})
"""Their arguments are worked out one after the other, and only as far as needed."""
