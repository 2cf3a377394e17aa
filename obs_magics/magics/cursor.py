"""Says what a cursor in an unfinished PromQL query stands on: a name, a label, a value, a duration, a variable."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["expression", "label", "value", "grouping", "duration", "python", "time", "operator", "nothing"]

GROUPING = ("by", "without", "on", "ignoring", "group_left", "group_right")
_TOKEN = re.compile(
    r"""
    (?P<comment>\#[^\n]*)
  | (?P<string>"(?:\\.|[^"\\\n])*(?:"|(?=\n)|\Z) | '(?:\\.|[^'\\\n])*(?:'|(?=\n)|\Z) | `[^`]*(?:`|\Z))
  | (?P<variable>\$\$?\{[^}\n]*\}?|\$\w*)
  | (?P<word>[^\W\d][\w:.]*)
  | (?P<number>\d[\w.]*)
  | (?P<operator>=~|!~|!=|==|>=|<=|[=<>+\-*/%^,@:])
  | (?P<bracket>[(){}\[\]])
    """,
    re.VERBOSE | re.DOTALL,
)
_CLOSES = {")": "(", "}": "{", "]": "["}
_MATCHES = {"=", "!=", "=~", "!~"}


@dataclass(frozen=True, slots=True)
class Cursor:
    """What can be typed at the cursor.

    Args:
        kind: `expression` (a metric, function, keyword), `label` (inside braces), `value` (inside the quotes behind a
            label), `grouping` (a label inside ``by (…)``), `duration` (inside square brackets), `python` (inside
            ``${``), `time` (behind ``$__``), `operator` (behind a label name), `nothing`.
        fragment: What is typed of it already; completions take its place.
        metric: The metric at hand; empty when there is none.
        label: For `value`: the label.
        is_pattern: For `value`: the operator takes a regular expression.
        quote: For `value`: the quote around it.
    """

    kind: Kind
    fragment: str = ""
    metric: str = ""
    label: str = ""
    is_pattern: bool = False
    quote: str = '"'


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def cursor_in(text: str, position: int) -> Cursor:
    """What the cursor at `position` in `text` stands on. Takes any text, finished or not."""
    before = text[:position]
    tokens = _tokens(before)
    last = tokens[-1] if tokens and tokens[-1].end == len(before) else None
    if last is not None:
        if last.kind == "comment":
            return Cursor("nothing")
        if last.kind == "variable" and (found := _in_variable(last.text)):
            return found
        if last.kind == "string" and _is_open(last.text):
            return _in_string(tokens, last.text)
    typed = last.text if last is not None and last.kind in {"word", "number"} else ""
    finished = tokens[:-1] if typed else tokens
    return _in_code(finished, typed, text, len(before))


def _tokens(text: str) -> list[_Token]:
    return [_Token(found.lastgroup or "", found[0], found.start()) for found in _TOKEN.finditer(text)]


def _in_variable(token: str) -> Cursor | None:
    if token.startswith("$$"):
        return None
    if token.startswith("${"):
        return None if token.endswith("}") else Cursor("python", token[2:])
    return Cursor("time", token)


def _is_open(string: str) -> bool:
    body = string[1:] if string[0] == "`" else re.sub(r"\\.", "", string[1:], flags=re.DOTALL)
    return not body.endswith(string[0])


def _in_string(tokens: list[_Token], string: str) -> Cursor:
    content = string[1:]
    opened = content.rfind("${")
    if opened >= 0 and "}" not in content[opened:] and content[opened - 1 : opened] != "$":
        return Cursor("python", content[opened + 2 :])
    stack = _open_brackets(tokens[:-1])
    before = tokens[-3:-1]
    if not stack or tokens[stack[-1]].text != "{" or len(before) < 2 or before[1].text not in _MATCHES:
        return Cursor("nothing", content)
    is_pattern = before[1].text in {"=~", "!~"}
    fragment = content.rpartition("|")[2] if is_pattern else content
    metric = _selected_metric(tokens[:-1], stack[-1])
    return Cursor("value", fragment, metric, _unquoted(before[0].text), is_pattern, string[0])


def _in_code(tokens: list[_Token], typed: str, text: str, position: int) -> Cursor:
    stack = _open_brackets(tokens)
    opener = tokens[stack[-1]].text if stack else ""
    if opener == "[":
        return Cursor("duration", typed)
    if opener == "{":
        return _in_braces(tokens, stack[-1], typed)
    if opener == "(" and stack[-1] and tokens[stack[-1] - 1].text in GROUPING:
        return Cursor("grouping", typed, _nearest_metric(text, position))
    if typed[:1].isdigit():
        return Cursor("nothing", typed)
    return Cursor("expression", typed)


def _in_braces(tokens: list[_Token], opener: int, typed: str) -> Cursor:
    metric = _selected_metric(tokens, opener)
    previous = tokens[-1].text
    if previous in {"{", ","}:
        return Cursor("label", typed, metric)
    if tokens[-1].kind == "word" and not typed:
        return Cursor("operator")
    return Cursor("nothing", typed)


def _open_brackets(tokens: list[_Token]) -> list[int]:
    """Indices of the brackets that are still open, outermost first."""
    stack: list[int] = []
    for index, token in enumerate(tokens):
        if token.kind != "bracket":
            continue
        if token.text not in _CLOSES:
            stack.append(index)
        elif stack and tokens[stack[-1]].text == _CLOSES[token.text]:
            stack.pop()
    return stack


def _selected_metric(tokens: list[_Token], opener: int) -> str:
    """The metric of the selector whose brace is open: before it, or inside as ``__name__`` or a bare string."""
    if opener and tokens[opener - 1].kind == "word":
        return tokens[opener - 1].text
    inside = tokens[opener + 1 :]
    for index, token in enumerate(inside):
        previous = inside[index - 1].text if index else "{"
        named = previous == "=" and index >= 2 and _unquoted(inside[index - 2].text) == "__name__"
        bare = previous in {"{", ","} and token.kind == "string"
        followed_by_operator = index + 1 < len(inside) and inside[index + 1].text in _MATCHES
        if token.kind == "string" and (named or (bare and not followed_by_operator)):
            return _unquoted(token.text)
    return ""


def _nearest_metric(text: str, position: int) -> str:
    """The metric that a grouping is about: the first one behind the cursor, else the last one before it."""
    metrics = _metrics(_tokens(text))
    behind = [token.text for token in metrics if token.start >= position]
    return behind[0] if behind else metrics[-1].text if metrics else ""


def _metrics(tokens: list[_Token]) -> list[_Token]:
    """Words that stand where a metric stands: in no braces, brackets or grouping, and not called."""
    found: list[_Token] = []
    inside: list[str] = []
    for index, token in enumerate(tokens):
        previous = tokens[index - 1].text if index else ""
        following = tokens[index + 1].text if index + 1 < len(tokens) else ""
        if token.text in {"(", "{", "["} and token.kind == "bracket":
            inside.append("labels" if token.text != "(" or previous in GROUPING else "")
        elif token.kind == "bracket":
            inside = inside[:-1]
        elif (
            token.kind == "word"
            and "labels" not in inside
            and following not in _FOLLOW_CALLS
            and token.text not in _KEYWORDS
        ):
            found.append(token)
    return found


_FOLLOW_CALLS = {"(", "by", "without"}
_KEYWORDS = {*GROUPING, "and", "or", "unless", "offset", "bool", "atan2", "start", "end", "inf", "nan"}


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] in "\"'`" and text[-1] == text[0] else text
