"""LogsQL, as far as it has to be understood here: where the first pipe begins, and which pipes there are."""

from __future__ import annotations

import re
from dataclasses import dataclass

from obs_magics.adapters.log_levels import LEVEL_SOURCES, at_least, milder
from obs_magics.model.logs import Level
from obs_magics.model.query import LogWords

# A text in any of LogsQL's quotations, a comment, a bracket, or a pipe's sign.
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`|#[^\n]*|[(\[{]|[)\]}]|\|', re.DOTALL)
_PIPE_NAME = re.compile(r"\s*(\w+)")
# Their rows have no time of their own.
_NUMBERS = frozenset({"stats", "by", "count", "sum", "avg", "min", "max", "quantile", "median", "count_uniq", "rate"})
_WORD = re.compile(r"[A-Za-z_][\w.]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Pipes:
    """A query's filter, and what follows its first pipe's sign; `names` are those of the pipes."""

    filter: str
    rest: str
    names: tuple[str, ...]

    @property
    def gives_numbers(self) -> bool:
        """Whether it asks for numbers over time: there is a `stats` pipe."""
        return bool(_NUMBERS.intersection(self.names))


def pipes_of(text: str) -> Pipes:
    """Take a query apart at its pipes; those inside of brackets belong to queries inside of it."""
    depth, places = 0, []
    for token in _TOKENS.finditer(text):
        if token[0] in "([{":
            depth += 1
        elif token[0] in ")]}":
            depth -= 1
        elif token[0] == "|" and not depth:
            places.append(token.end())
    if not places:
        return Pipes(text.rstrip(), "", ())
    names = tuple(found[1] for place in places if (found := _PIPE_NAME.match(text, place)))
    return Pipes(text[: places[0] - 1].rstrip(), text[places[0] :].strip(), names)


def without_milder(text: str, level: Level) -> str:
    """The query without lines known to be less severe; it keeps those of unknown level."""
    words = milder(level)
    return _with_pipe(text, _filter(LEVEL_SOURCES, words, negated=True)) if words else text


def only_severe(text: str, level: Level) -> str:
    """The query over lines known to be severe enough; for queries that give numbers."""
    return _with_pipe(text, _filter(LEVEL_SOURCES, at_least(level)))


def with_stats(text: str) -> str:
    """The query that counts another's lines by their levels."""
    end = "\n" if "#" in text else " "
    return f"{text}{end}| stats by ({', '.join(LEVEL_SOURCES)}) count() lines"


def _filter(fields: tuple[str, ...], words: str, *, negated: bool = False) -> str:
    flag, _, words = words.rpartition(")")
    matching = f'"{flag})^({words})$"'
    joint, sign = (" ", "!") if negated else (" or ", "")
    return "filter " + joint.join(f"{sign}{field}:~{matching}" for field in fields)


def _with_pipe(text: str, pipe: str) -> str:
    """With a pipe in front of all others."""
    parts = pipes_of(text)
    end = "\n" if "#" in parts.filter else " "
    return f"{parts.filter}{end}| {pipe}" + (f" | {parts.rest}" if parts.rest else "")


def words_query(words: LogWords, service_field: str) -> str:
    """The LogsQL for lines of these services with all of these phrases."""
    field = _name(service_field or "service_name")
    services = [f"{field}:in({', '.join(map(quoted, words.services))})"] if words.services else []
    wanted = [[f"i({quoted(phrase)})" for phrase in group] for group in words.groups]
    return " ".join([*services, *(f"({' or '.join(one)})" if len(one) > 1 else one[0] for one in wanted)]) or "*"


def _name(field: str) -> str:
    return field if _WORD.fullmatch(field) else quoted(field)


def quoted(text: str) -> str:
    r"""A text as LogsQL writes it.

    >>> quoted('say "x"')
    '"say \\"x\\""'
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'
