"""Completion in cells of ours: options and their values, sources, and inside a query everything the catalog knows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from obs_magics.magics.anomaly_completion import MEASURES, AnomaliesCompleter
from obs_magics.magics.arguments import HELP, Command, Option, query_start
from obs_magics.magics.commands import MAGICS
from obs_magics.magics.commands_anomalies import ANOMALIES, CORRELATE
from obs_magics.magics.commands_ask import EVENTS, LOGS, TRACES
from obs_magics.magics.commands_frames import COMPARE, SQL
from obs_magics.magics.commands_incident import INCIDENT, TIMELINE, TIMELINE_COMMANDS, TIMELINE_IMPORT
from obs_magics.magics.commands_obs import OBS, SUBCOMMANDS
from obs_magics.magics.commands_rca import RCA, REPORT
from obs_magics.magics.event_completion import EventsCompleter
from obs_magics.magics.log_completion import LogsCompleter
from obs_magics.magics.names import Names, ranked
from obs_magics.magics.query_completion import Found, QueryCompleter, python_names, source_names, starting
from obs_magics.magics.sql_completion import SqlCompleter
from obs_magics.magics.trace_completion import TracesCompleter

if TYPE_CHECKING:
    from obs_magics.magics.context import Context

_CELL = re.compile(r"\A\s*%%(?P<name>obs\w*)(?P<space>[^\S\n]+)?(?P<line>[^\n]*)(?P<body>\n.*)?", re.DOTALL)
_LINE = re.compile(r"\s*(?:[\w.,\s\[\]\"']+=\s*)?%(?P<name>obs\w*)(?P<space>\s+)(?P<line>.*)\Z", re.DOTALL)
_SERVICE = re.compile(r"(?:^|\s)--service(?:\s+|=)[\"']?(?P<name>[^\s\"']+)")
_SOURCE = re.compile(r"(?:^|\s)(?:-s|--source|--platform)(?:\s+|=)[\"']?(?P<name>[^\s\"']+)")
_WORD = re.compile(r"""(?:"[^"]*+"?|'[^']*+'?|[^\s"']++)++""")


class Completer:
    """Completes in the cells of one shell.

    Args:
        context: The shell and its session.
        names: Where the catalog's names are kept; None makes one of its own.
    """

    def __init__(self, context: Context, names: Names | None = None) -> None:
        self._context = context
        self._names = names or Names()

    def complete(self, text: str, position: int) -> Found | None:
        """What fits at `position` in a cell; None where the cell, or the line, is not one of ours."""
        cell = _CELL.match(text)
        if cell is not None and cell["name"] in MAGICS:
            body_starts = cell.start("body") + 1
            if cell["body"] is not None and position >= body_starts:
                return self._in_query(MAGICS[cell["name"]], text[body_starts:], position - body_starts, cell["line"])
            if not cell["space"] or position < cell.start("line"):
                return None
            return self._in_line(MAGICS[cell["name"]], text[cell.start("line") : position])
        line_starts = text.rfind("\n", 0, position) + 1
        line = _LINE.match(text[line_starts:position])
        if line is None or line["name"] not in MAGICS:
            return None
        command = MAGICS[line["name"]]
        if "QUERY" in command.usage[0]:
            return self._in_query_line(command, line["line"], text[position:].partition("\n")[0])
        return self._in_line(command, line["line"])

    def _in_obs(self, line: str) -> Found:
        """``%obs`` and what stands behind it."""
        words = line.split(maxsplit=1)
        if not words or (len(words) == 1 and not line[-1].isspace()):
            return Found(line, ranked(sorted(SUBCOMMANDS), line), "keyword")
        command = SUBCOMMANDS.get(words[0])
        return Found("") if command is None else self._in_words(command, "".join(words[1:]))

    def _in_line(self, command: Command, line: str) -> Found:
        """A line without a query."""
        inside = {OBS.name: self._in_obs, TIMELINE.name: self._in_timeline}.get(command.name)
        return self._in_words(command, line) if inside is None else inside(line)

    def _in_timeline(self, line: str) -> Found:
        """``%obs_timeline`` and what stands behind it: one of its own commands, an incident, options."""
        word, space, rest = line.partition(" ")
        if space and word in TIMELINE_COMMANDS:
            return self._in_words(TIMELINE_COMMANDS[word], rest)
        return self._in_words(TIMELINE, line)

    def _in_words(self, command: Command, before: str) -> Found:
        """Options, their values, and words."""
        fragment, previous = _last_words(before)
        flag, equals, attached = fragment.partition("=")
        if equals and (option := command.option(flag)):
            return Found(attached, self._values(command, option, attached, before), "value")
        option = command.option(previous)
        if option is not None and option.metavar:
            return Found(fragment, self._values(command, option, fragment, before), "value")
        if fragment.startswith("-") or not command.words:
            return Found(fragment, self._flags(command, fragment), "option")
        return Found(fragment, self._words(command, before, fragment), "value")

    def _in_query_line(self, command: Command, before: str, after: str) -> Found:
        """A line that begins with options and goes on with a query."""
        starts = query_start(command, before)
        if starts is None:
            return self._in_words(command, before)
        found = self._in_query(command, before[starts:] + after, len(before) - starts, before[:starts])
        if before[starts:].strip():
            return found
        return Found("", [*found.names, *self._flags(command, "")], found.type)

    def _flags(self, command: Command, typed: str) -> list[str]:
        return [flag for flag in [*command.flags(), *HELP.flags] if flag.startswith(typed)]

    def _values(self, command: Command, option: Option, typed: str, before: str) -> list[str]:
        if option.name == "source":
            return ranked(["auto", *source_names(self._context, self._names)], typed)
        if option.name in {"o", "with"}:
            measures = starting(MEASURES, typed) if command is CORRELATE and option.name == "with" else []
            return [*measures, *python_names(self._context, typed)]
        if option.name == "ignore":
            services = self._services("", before)
            return AnomaliesCompleter(self._context, self._names, None).pattern(typed, services)
        if option.name in {"service", "operation"}:
            return self._service_values(command, option, typed, before)
        return [value for value in option.choices or option.suggestions if value.startswith(typed)]

    def _service_values(self, command: Command, option: Option, typed: str, before: str) -> list[str]:
        source, service = _SOURCE.search(before), _SERVICE.search(before)
        if command in (*TIMELINE_COMMANDS.values(), ANOMALIES, CORRELATE):
            return self._services(typed, before)
        if command is EVENTS:
            return EventsCompleter(self._context, self._names, source["name"] if source else None).services(typed)
        traces = TracesCompleter(self._context, self._names, source["name"] if source else None)
        if option.name == "service":
            return traces.services(typed)
        return traces.operations(service["name"] if service else None, typed)

    def _services(self, typed: str, before: str) -> list[str]:
        """Services of traces, else of events."""
        source = _SOURCE.search(before)
        name = source["name"] if source else None
        found = TracesCompleter(self._context, self._names, name).services(typed)
        return found or EventsCompleter(self._context, self._names, name).services(typed)

    def _words(self, command: Command, before: str, typed: str) -> list[str]:
        if command is SUBCOMMANDS["catalog"]:
            return list(self._in_query(command, typed, len(typed), before).names)
        if command in {COMPARE, TIMELINE_IMPORT, REPORT}:
            return python_names(self._context, typed)
        if command is TIMELINE:
            return [*starting(list(TIMELINE_COMMANDS), typed), *python_names(self._context, typed)]
        if command in {INCIDENT, RCA}:
            held = python_names(self._context, typed) if command is RCA else []
            return [*held, *self._services(typed, before)]
        if command is SUBCOMMANDS["help"]:
            return ranked(sorted([*MAGICS, *SUBCOMMANDS]), typed)
        return ranked(source_names(self._context, self._names), typed) if command is SUBCOMMANDS["use"] else []

    def _in_query(self, command: Command, body: str, position: int, options: str) -> Found:
        if command is TIMELINE:
            return Found("")  # what people said
        source = _SOURCE.search(options)
        language = _LANGUAGES.get(command.name, QueryCompleter)
        completer = language(self._context, self._names, source["name"] if source else None)
        if isinstance(completer, AnomaliesCompleter) and (found := completer.flags_behind(command, body, position)):
            return found
        return completer.complete(body, position)


_LANGUAGES: Mapping[str, type[QueryCompleter | SqlCompleter]] = {
    LOGS.name: LogsCompleter,
    TRACES.name: TracesCompleter,
    EVENTS.name: EventsCompleter,
    ANOMALIES.name: AnomaliesCompleter,
    CORRELATE.name: AnomaliesCompleter,
    SQL.name: SqlCompleter,
}


def answer(completer: Completer, request: Any) -> Any:
    """What IPython's matcher interface (version 2) wants to hear; in our cells no other matcher has a say.

    Others are silenced only by an answer that is not empty, and one of them, jedi, can take seconds: where nothing
    fits, what is typed stands for itself.
    """
    from IPython.core.completer import SimpleCompletion

    lines = request.full_text.split("\n")
    position = sum(len(line) + 1 for line in lines[: request.cursor_line]) + request.cursor_position
    found = completer.complete(request.full_text, position)
    if found is None:
        return {"completions": []}
    completions = [SimpleCompletion(text=text, type=found.type) for text in found.names or [found.fragment]]
    return {"completions": completions, "matched_fragment": found.fragment, "suppress": True, "ordered": True}


def _last_words(before: str) -> tuple[str, str]:
    """The word at the cursor (without the quote it begins with) and the one before it; empty where there is none."""
    words = [found[0] for found in _WORD.finditer(before)]
    at_cursor = bool(words) and before.endswith(words[-1])
    *earlier, fragment = words if at_cursor else [*words, ""]
    return fragment.lstrip("\"'"), earlier[-1] if earlier else ""
