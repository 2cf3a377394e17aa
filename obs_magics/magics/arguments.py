"""Reads what stands after a magic's name: options from a table, a variable to fill, and the query, byte for byte."""

from __future__ import annotations

import io
import keyword
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from obs_magics.model.errors import UsageError, did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option of a magic.

    Args:
        flags: As typed; the last one that begins with ``--`` and stands first names the option.
        help: One line for ``--help``.
        metavar: What its value is called; empty for a switch.
        choices: The only values it takes; empty for any.
        suggestions: Values worth offering in completion; others are taken too.
        number: The value is a whole number above zero.
        may_be_asked: The value may be left out, and is then asked for without echo.
    """

    flags: tuple[str, ...]
    help: str
    metavar: str = ""
    choices: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    number: bool = False
    may_be_asked: bool = False

    @property
    def name(self) -> str:
        """The first long flag without its dashes (``source``), or the short one where there is no long one (``o``)."""
        return next((flag for flag in self.flags if flag.startswith("--")), self.flags[0]).lstrip("-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A magic, or a subcommand of one: what it takes, and what its help says.

    Args:
        name: As typed: ``%obs_metrics``, ``%obs connect``.
        summary: One line.
        usage: Lines of the form ``%obs connect NAME URL [options]``.
        examples: Cells that work as they stand.
        options: In the order in which the help shows them.
        words: Names of what stands beside the options; optional ones in brackets, a last one of any number with …
        details: Paragraphs between the options and the examples.
    """

    name: str
    summary: str
    usage: tuple[str, ...]
    examples: tuple[str, ...]
    options: tuple[Option, ...] = ()
    words: tuple[str, ...] = ()
    details: str = ""

    def option(self, flag: str) -> Option | None:
        """The option a flag belongs to."""
        return next((option for option in self.options if flag in option.flags), None)

    def flags(self) -> list[str]:
        """Every flag of every option, long ones first."""
        return sorted((flag for option in self.options for flag in option.flags), key=lambda flag: flag[:2] != "--")


@dataclass(frozen=True, slots=True)
class Arguments:
    """What was typed after a magic's name.

    Args:
        values: Text by option name; an empty text for a switch, None where the value is to be asked for.
        words: What stands beside the options.
        rest: The line form's query, byte for byte.
        target: The variable to fill.
    """

    values: Mapping[str, str | None] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    rest: str = ""
    target: str | None = None

    def text(self, name: str) -> str | None:
        """The value of an option; None when it was not given."""
        return self.values.get(name)

    def has(self, name: str) -> bool:
        """Whether an option was given."""
        return name in self.values

    def number(self, name: str) -> int | None:
        """The value of an option that is a whole number; None when it was not given."""
        text = self.values.get(name)
        return None if text is None else int(text)


HELP = Option(flags=("-h", "--help"), help="show this and do nothing else")
_OPTION = re.compile(r"-(?:-|[^\W\d])")
_TARGET = re.compile(r"""\s*(?P<name>[^\s<>"'`{}()\[\]]*)\s*<<\s*""")
_NAME = re.compile(r"[^\W\d][\w,.-]*")
_LATE_TARGET = re.compile(r"[^\W\d]\w*\s*<<")
_STRING = re.compile(r"""("(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?|`[^`]*`?)""", re.DOTALL)


def read_query(command: Command, text: str, names: Mapping[str, Any] | None = None) -> Arguments:
    """Read ``[NAME <<] [options] QUERY``: the query is the rest of the line, exactly as typed.

    Options stand before the query, because only there can they be told from it. ``--`` ends them.
    An option behind the query is an error, not part of the query.

    Args:
        command: What it takes.
        text: The line.
        names: Python's variables, for ``${name}`` in the values of options; None where these stay as typed.

    Raises:
        UsageError: It takes no such option, or not this value.
    """
    target, position = _read_target(text)
    reader = _Reader(command, text, position, names)
    reader.read_options()
    rest = text[reader.position :]
    if not reader.ended:
        _refuse_late_options(command, rest)
    return Arguments(reader.values, (), rest, _one_target(target, reader.values))


def read_words(command: Command, text: str, names: Mapping[str, Any] | None = None) -> Arguments:
    """Read ``[NAME <<]``, options and words in any order; the words must be as many as the command takes.

    Args and errors as for `read_query`; words stay as typed.
    """
    target, position = _read_target(text) if command.option("-o") else (None, 0)
    reader = _Reader(command, text, position, names)
    words: list[str] = []
    reader.read_options()
    while not reader.at_end:
        words.append(reader.read_word())
        reader.read_options()
    arguments = Arguments(reader.values, tuple(words), "", _one_target(target, reader.values))
    if not arguments.has(HELP.name):
        _check_words(command, words)
    return arguments


def query_start(command: Command, text: str) -> int | None:
    """Where the query begins in a line that ends at the cursor; None while the cursor stands in the options."""
    try:
        _, position = _read_target(text)
        reader = _Reader(command, text, position, None)
        reader.read_options()
    except UsageError:
        return None
    in_last_option = reader.at_end and reader.position > position and not text[-1].isspace()
    return None if in_last_option or text[reader.position :] == "-" else reader.position


def check_variable(name: str) -> str:
    """The name itself, when a Python variable can be called so.

    Raises:
        UsageError: It cannot.
    """
    if not name.isidentifier() or keyword.iskeyword(name):
        what = "is a Python keyword" if keyword.iskeyword(name) else "is not a variable name"
        raise UsageError(f"{name!r} {what}", hint="name the variable like errors: errors << …, or -o errors")
    return name


# A path of Windows, perhaps quoted or behind `--out=`: what follows a backslash there is a name.
_WINDOWS = re.compile(r"(?:--?[\w-]+=)?[\"']?(?:[A-Za-z]:\\|\\\\[\w.])")


class _Reader:
    """Walks over a line word by word and keeps the options it meets."""

    def __init__(self, command: Command, text: str, position: int, names: Mapping[str, Any] | None) -> None:
        self.command = command
        self.text = text
        self.position = position
        self.names = names
        self.values: dict[str, str | None] = {}
        self.ended = False
        self._skip_space()

    @property
    def at_end(self) -> bool:
        return self.position >= len(self.text)

    def read_options(self) -> None:
        """Read up to the first word that is not an option; ``--`` ends them for good."""
        while not self.ended and _OPTION.match(self.text, self.position):
            word = self.read_word()
            if word == "--":
                self.ended = True
            else:
                self._keep(word)

    def _keep(self, word: str) -> None:
        flag, equals, attached = word.partition("=")
        option = HELP if flag in HELP.flags else self.command.option(flag)
        if option is None:
            raise _unknown_option(self.command, flag)
        if option.name in self.values:
            raise UsageError(f"{flag} is given twice", hint="keep one of them")
        self.values[option.name] = self._value(option, flag, attached if equals else None)

    def _value(self, option: Option, flag: str, attached: str | None) -> str | None:
        if not option.metavar:
            if attached is not None:
                raise UsageError(f"{flag} takes no value", hint=f"write {flag} alone")
            return ""
        value = attached if attached is not None else self._following(option, flag)
        if value is None:
            return None
        return _checked(option, flag, self._expanded(value))

    def _expanded(self, value: str) -> str:
        if self.names is None or "${" not in value:
            return value
        from obs_magics.magics.variables import expand_option  # not needed to load the extension

        return expand_option(value, self.names)

    def _following(self, option: Option, flag: str) -> str | None:
        """The next word as a value. It may begin with a dash (``--start -1h``), but not be an option itself."""
        known = {*self.command.flags(), *HELP.flags}
        before = self.position
        word = self.read_word() if not self.at_end else None
        if word is not None and word.partition("=")[0] not in known and not (option.may_be_asked and word[:1] == "-"):
            return word
        self.position = before
        if option.may_be_asked:
            return None
        raise UsageError(f"{flag} needs a value", hint=f"{flag} {option.metavar}")

    def read_word(self) -> str:
        """The next word, without its quotes."""
        stream = io.StringIO(self.text[self.position :])
        lexer = shlex.shlex(stream, posix=True)
        lexer.whitespace_split = True
        lexer.commenters = ""
        if _WINDOWS.match(self.text, self.position):
            lexer.escape = ""
        try:
            word = lexer.get_token()
        except ValueError:
            raise UsageError(
                f"a quote is opened and not closed: {self.text[self.position :][:60]}",
                hint='quote a whole value: --last "2 hours"',
            ) from None
        self.position += stream.tell()
        self._skip_space()
        return word or ""

    def _skip_space(self) -> None:
        while not self.at_end and self.text[self.position].isspace():
            self.position += 1


def _read_target(text: str) -> tuple[str | None, int]:
    found = _TARGET.match(text)
    return (check_variable(found["name"]), found.end()) if found else (None, 0)


def _one_target(arrow: str | None, values: Mapping[str, str | None]) -> str | None:
    option = values.get("o")
    if arrow and option and arrow != option:
        raise UsageError(f"two variables to fill: {arrow} << and -o {option}", hint="keep one of them")
    return arrow or (check_variable(option) if option is not None else None)


def _checked(option: Option, flag: str, value: str) -> str:
    if not value.strip():
        raise UsageError(f"{flag} has an empty value", hint=f"{flag} {option.metavar}")
    if option.choices and value not in option.choices:
        guess = did_you_mean(value, option.choices)
        known = f"one of {', '.join(option.choices)}"
        raise UsageError(f"{flag} does not take {value!r}", hint="; ".join(filter(None, [guess, known])))
    if option.number and not (value.isascii() and value.isdigit() and int(value) > 0):
        raise UsageError(f"{flag} takes a whole number above 0, not {value!r}", hint=f"{flag} 20")
    return value


def _unknown_option(command: Command, flag: str) -> UsageError:
    guess = did_you_mean(flag, [*command.flags(), *HELP.flags])
    hint = guess or f"see {command.name} --help"
    if "QUERY" in command.usage[0] and not flag.startswith("--"):
        hint = f"a query that begins with a dash goes after --: {command.name} -- {flag}{f'; {guess}' if guess else ''}"
    return UsageError(f"{command.name} has no option {flag}", hint=hint)


def _refuse_late_options(command: Command, rest: str) -> None:
    """An option behind the query would silently become part of it: say so instead."""
    if _LATE_TARGET.match(rest):
        name = rest.partition("<<")[0]
        raise UsageError("NAME << stands first, before the options", hint=f"{command.name} {name}<< [options] QUERY")
    words = _STRING.sub('""', rest).split()
    for word, following in pairwise([*words[1:], ""]):
        flag = word.partition("=")[0]
        # `sum(a) -s` is a query; `sum(a) -s prom` is none in any language here.
        is_option = flag.startswith("--") or (flag == word and _NAME.fullmatch(following))
        if is_option and command.option(flag):
            raise UsageError(
                f"{flag} stands behind the query",
                hint=f"options go first: {command.name} {flag} … QUERY; everything after -- is the query",
            )


def _check_words(command: Command, words: list[str]) -> None:
    needed = [name for name in command.words if not name.startswith("[")]
    if len(words) < len(needed):
        missing = " and ".join(needed[len(words) :])
        raise UsageError(f"{command.name} needs {missing}", hint=command.examples[0])
    if len(words) > len(command.words) and not (command.words and command.words[-1].endswith("…")):
        extra = words[len(command.words)]
        way_out = "NAME << stands first" if "<<" in words else f"usage: {command.usage[-1]}"
        raise UsageError(f"{command.name}: {extra!r} does not belong here", hint=way_out)
