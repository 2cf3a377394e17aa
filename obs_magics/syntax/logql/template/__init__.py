"""Templates of `line_format` and `label_format`: Go's text/template, as far as Loki's documentation goes.

>>> compile_template("{{ .method | lower }} {{ if eq .status `500` }}!{{ end }}").render(
...     {"method": "GET", "status": "500"}, "the line", 0
... )
'get !'
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from obs_magics.syntax.logql.template.functions import FUNCTIONS, Function, Line
from obs_magics.syntax.logql.template.parser import parse_template
from obs_magics.syntax.logql.template.running import Compiler, Run
from obs_magics.syntax.logql.template.values import TemplateError

__all__ = ["FUNCTIONS", "Function", "Template", "TemplateError", "compile_template"]


class Template:
    """A template that is ready to be filled in, for as many lines as there are.

    Args:
        text: The template.
        name: What Loki calls it in errors: ``line``, or ``label``.

    Raises:
        QueryError: No template; the position is one in `text`.
    """

    def __init__(self, text: str, *, name: str = "line") -> None:
        self.text = text
        nodes, self._slots = parse_template(text, name, FUNCTIONS)
        self._body = Compiler(text, name).body(nodes)

    def render(self, labels: Mapping[str, str], line: str, timestamp_ns: int, *, now_ns: int | None = None) -> str:
        """The template filled in for one line.

        Args:
            labels: The line's labels; one that is missing is an empty text.
            line: The line.
            timestamp_ns: When it was written, in nanoseconds since 1970.
            now_ns: What `now` gives; the time of the line by default, because nothing here looks at a clock.

        Raises:
            TemplateError: It cannot be filled in for this line, which Loki marks as ``TemplateFormatErr``.
        """
        run = Run(labels, Line(line, timestamp_ns, timestamp_ns if now_ns is None else now_ns), self._slots)
        self._body(run)
        return "".join(run.out)


@lru_cache(maxsize=128)
def compile_template(text: str, *, name: str = "line") -> Template:
    """A template, compiled once for the same text.

    Raises:
        QueryError: No template; `position` is one in `text`, `words` are Go's.
    """
    return Template(text, name=name)
