"""What to do about a token that cannot stand where it stands."""

from __future__ import annotations

from collections.abc import Sequence

from obs_magics.model.errors import did_you_mean
from obs_magics.syntax.logql.lexer import END, Token
from obs_magics.syntax.logql.words import CONVERSIONS, FUNCTIONS, RESERVED, STAGES

_CLOSING = {")": "(", "}": "{"}
_OPENING = {opening: closing for closing, opening in _CLOSING.items()}
_MATCH_SIGNS = {"=", "!=", "=~", "!~"}
_FILTER_SIGNS = {"|=", "|~", "!=", "!~", "|>", "!>"}
_PROBLEMS = (
    ("literal not terminated", "a quotation mark is not closed"),
    ("missing closing ']'", "close the range: [5m]"),
    ("invalid char escape", "write a backslash twice, or put the text in backticks: `\\d+`"),
    ("duration", "a range is whole numbers with a unit: [30s], [5m], [1h30m], [1d]"),
    ("comment not terminated", "close the comment: */"),
    ("invalid UTF-8", "the marked character is half of a pair and no text"),
    ("NUL", "the marked place holds a NUL character"),
)


def hint_for(text: str, tokens: Sequence[Token], index: int) -> str:
    """The way out, for the token at `index` that could not be read; one sentence, never empty."""
    token = tokens[index]
    if token.problem:
        return next((hint for words, hint in _PROBLEMS if words in token.problem), "look at the marked number")
    for rule in (_not_logql, _quote, _sign, _misspelt, _reserved, _unfinished):
        hint = rule(text, tokens, index)
        if hint:
            return hint
    return "look at the marked place"


def _not_logql(_text: str, tokens: Sequence[Token], index: int) -> str:
    """A query that begins with neither a selector nor a function."""
    if tokens[0].kind == END:
        return 'the query is empty: write LogQL, such as {app="api"} |= "error"'
    begins = index == 0 or (index == 1 and tokens[0].kind == "IDENTIFIER")
    if not begins:
        return ""
    name = str(tokens[0].value)
    near = did_you_mean(name, sorted(FUNCTIONS - CONVERSIONS)) if _is_call(tokens, 0) else ""
    return near or 'a query begins with a selector, {app="api"}, or a function, rate({app="api"}[5m])'


def _quote(_text: str, tokens: Sequence[Token], index: int) -> str:
    is_quoted = str(tokens[index].value).startswith("'")
    return "a text stands in double quotes or backticks" if is_quoted else ""


def _sign(text: str, tokens: Sequence[Token], index: int) -> str:
    """Signs that belong elsewhere."""
    token, before = tokens[index], tokens[index - 1]
    if before.kind in _MATCH_SIGNS | _FILTER_SIGNS and token.kind in {"IDENTIFIER", "NUMBER", "DURATION", "BYTES"}:
        return "put the value in quotes"
    if token.kind in {"==", ">", "<", ">=", "<="} and _inside(tokens, index, "{"):
        return "a selector has only =, !=, =~ and !~; compare numbers behind it: | json | status >= 500"
    if text[token.start : token.end] in {"&", "|"} and token.kind in {"IDENTIFIER", "|"} and before.kind == token.kind:
        return "combine filters with and, or"
    if token.kind == "RANGE":
        return 'a range stands inside a function that counts or measures: rate({app="api"}[5m])'
    return ""


def _misspelt(_text: str, tokens: Sequence[Token], index: int) -> str:
    """A function or a stage that does not exist, at the token or right before it."""
    for place in (index, index - 1):
        token = tokens[place]
        if token.kind != "IDENTIFIER":
            continue
        if _is_call(tokens, place):
            return did_you_mean(str(token.value), sorted(FUNCTIONS)) or f"there is no function {token.value}"
        if place > 0 and tokens[place - 1].kind == "|":
            near = did_you_mean(str(token.value), sorted(STAGES))
            return near or "a stage is json, logfmt, regexp, pattern, … or a filter such as level=`error`"
    return ""


def _reserved(_text: str, tokens: Sequence[Token], index: int) -> str:
    """A label with the name of a keyword."""
    token, before = tokens[index], tokens[index - 1]
    expects_a_name = before.kind in {"{", ",", "|", "("}
    is_name = str(token.value).lower() in RESERVED and tokens[index + 1].kind in _MATCH_SIGNS | {",", ")"}
    if expects_a_name and is_name:
        return f"{token.value} is a word of the language and cannot be a label's name here; label_format renames it"
    return ""


def _unfinished(_text: str, tokens: Sequence[Token], index: int) -> str:
    """What is still open where the query ends, or closes what was never opened."""
    open_ones: list[Token] = []
    for token in tokens[:index]:
        if token.kind in _OPENING:
            open_ones.append(token)
        elif token.kind in _CLOSING and open_ones:
            open_ones.pop()
    kind = tokens[index].kind
    if kind == END and open_ones:
        return f"the query ends too early: {open_ones[-1].kind} is not closed"
    if kind == END:
        return "the query ends too early"
    if kind in _CLOSING and (not open_ones or open_ones[-1].kind != _CLOSING[kind]):
        return f"{kind} closes what was not opened"
    return ""


def _inside(tokens: Sequence[Token], index: int, opening: str) -> bool:
    """Whether a bracket of this kind is the innermost open one."""
    depth = 0
    for token in reversed(tokens[:index]):
        if token.kind == _OPENING[opening]:
            depth += 1
        elif token.kind == opening:
            if depth == 0:
                return True
            depth -= 1
    return False


def _is_call(tokens: Sequence[Token], index: int) -> bool:
    return tokens[index].kind == "IDENTIFIER" and tokens[index + 1].kind in {"(", "by", "without"}
