"""What is typed to ask for events: kinds by their everyday names, `name=value` conditions, and words to find.

``deployments payment-api severity=~"crit.*" "rolled back"`` asks for deployments that have the words *payment-api* and
*rolled back* in them and a severity that matches. A selector as Prometheus and Alertmanager write it
(``{alertname="HighErrorRate",service!="x"}``) is taken too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from obs_magics.model.errors import QueryError, did_you_mean
from obs_magics.model.events import KINDS, EventKind
from obs_magics.model.query import EventMatcher
from obs_magics.syntax.logql.regexes import compiled

Op = Literal["=", "!=", "=~", "!~"]
_OPS: tuple[Op, ...] = get_args(Op)

# What people call each kind, beside its own name and the plural of it.
_CALLED: Mapping[EventKind, tuple[str, ...]] = {
    "deployment": ("deploy", "deploys", "release", "releases", "rollout", "rollouts"),
    "config_change": ("config", "configs", "configuration", "config-change", "config-changes"),
    "feature_flag": ("flag", "flags", "feature-flag", "feature-flags"),
    "alert": (),
    "incident": (),
    "restart": (),
    "scale": ("scaling", "scalings"),
    "annotation": ("note", "notes", "silence", "silences"),
}
KIND_WORDS: Mapping[str, EventKind] = {
    **{kind: kind for kind in KINDS},
    **{f"{kind}s": kind for kind in KINDS},
    **{word: kind for kind, words in _CALLED.items() for word in words},
}
"""Kinds by what people call them, in lower case."""
# Between the words that matter; `config changes` is two words for one kind.
_FILLERS = frozenset({
    "a", "all", "and", "any", "at", "by", "change", "changes", "events", "event", "for", "from", "in", "me", "of", "on",
    "show", "the", "to", "what", "with",
})  # fmt: skip

_QUOTED = r"\"(?:\\.|[^\"\\])*\"|'[^']*'|`[^`]*`"
_TOKEN = re.compile(
    rf"""(?P<name>[^\W\d][\w.:/-]*?)\s*(?P<op>=~|!~|!=|==?)\s*(?P<value>{_QUOTED}|[^\s,{{}}"'`]*)"""
    rf"""|(?P<phrase>{_QUOTED})|(?P<word>[^\s,{{}}"'`]+)|(?P<odd>["'`])"""
)
_COMMENT = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}


@dataclass(frozen=True, slots=True)
class EventWords:
    """What was understood.

    Args:
        kinds: Named kinds, each once.
        words: What must stand in the event, in any case of letters.
        matchers: The conditions.
    """

    kinds: tuple[EventKind, ...] = ()
    words: tuple[str, ...] = ()
    matchers: tuple[EventMatcher, ...] = ()


def read_event_query(text: str) -> EventWords:
    """Read a question about events.

    Raises:
        QueryError: A quote is not closed, or a regular expression is none.

    >>> found = read_event_query('deploys of payment-api version=~"v2.*"')
    >>> found.kinds, found.words, str(found.matchers[0])
    (('deployment',), ('payment-api',), 'version=~"v2.*"')
    """
    kinds: dict[EventKind, None] = {}
    words: dict[str, None] = {}
    matchers: list[EventMatcher] = []
    for token in _TOKEN.finditer(_COMMENT.sub("", text)):
        if token["odd"]:
            raise QueryError("a quote is opened and not closed", query=text, hint='quote a phrase: "rolled back"')
        if token["name"]:
            matchers.append(_matcher(token, text))
        elif token["phrase"]:
            words[_unquoted(token["phrase"])] = None
        elif (kind := KIND_WORDS.get(token["word"].lower())) is not None:
            kinds[kind] = None
        elif token["word"].lower() not in _FILLERS:
            words[token["word"]] = None
    return EventWords(tuple(kinds), tuple(word for word in words if word.strip()), tuple(matchers))


def event_kind(word: str) -> EventKind:
    """The kind that people call so.

    Raises:
        QueryError: There is none.
    """
    found = KIND_WORDS.get(word.strip().lower())
    if found is None:
        near = did_you_mean(word, KIND_WORDS)
        raise QueryError(f"there is no kind of event {word!r}", hint=near or f"the kinds are: {', '.join(KINDS)}")
    return found


def _matcher(token: re.Match[str], text: str) -> EventMatcher:
    op = next(op for op in _OPS if op == ("=" if token["op"] == "==" else token["op"]))
    value = _unquoted(token["value"])
    if op in ("=~", "!~"):
        _, problem = compiled(value)
        if problem:
            raise QueryError(problem, query=text, hint="correct the regular expression (RE2)")
    return EventMatcher(name=token["name"], op=op, value=value)


def _unquoted(text: str) -> str:
    if not text or text[0] not in "\"'`":
        return text
    inside = text[1:-1]
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), inside) if text[0] == '"' else inside
