"""What stands under a cell: headline, chart, what the numbers say, what the reader must know, and what to do next."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from obs_magics.display import markup
from obs_magics.display.bundle import HTML, TEXT
from obs_magics.display.chart import Chart
from obs_magics.display.text import safe

NoteKind = Literal["warning", "incomplete", "failed", "note"]

# Icon and word: neither colour nor picture alone tells what a note is.
_MARKS: dict[NoteKind, tuple[str, str]] = {
    "warning": ("⚠", "Warning"),
    "incomplete": ("✂", "Not complete"),
    "failed": ("✖", "Failed"),
    "note": ("ℹ", "Note"),
}
_CSS: dict[NoteKind, str] = {"failed": "obs-note obs-failed", "note": "obs-note obs-info"}
_TEXT_WIDTH = 80


@dataclass(frozen=True, slots=True)
class Note:
    """Something that the reader must know; `kind` says how it is marked."""

    text: str
    kind: NoteKind = "warning"


def notes_of(*, warnings: Sequence[str] = (), truncated: str = "", failed: Sequence[str] = ()) -> tuple[Note, ...]:
    """The notes of an answer, the gravest first."""
    return (
        *(Note(text, "failed") for text in failed),
        *([Note(truncated, "incomplete")] if truncated else []),
        *(Note(text, "warning") for text in warnings),
    )


@dataclass(frozen=True)
class Panel:
    """A panel. Shown by itself it holds the chart as a still picture; `outputs` gives the interactive one and the rest.

    Args:
        headline: What this is, in a line: "latency: 5 series, 1,205 rows from prom".
        chart: None where there is nothing to draw.
        sentences: What the numbers say.
        notes: Warnings, what is not complete, what failed.
        link: Opens the same query in the platform; only http and https become links.
        next_cells: Ready code for the next cells.
    """

    headline: str
    chart: Chart | None = field(default=None, repr=False)
    sentences: Sequence[str] = ()
    notes: Sequence[Note] = ()
    link: str = ""
    next_cells: Sequence[str] = ()

    def outputs(self) -> Iterator[dict[str, Any]]:
        """MIME bundles to publish one after the other: the chart, if there is one, then everything else."""
        if self.chart is not None:
            yield self.chart._repr_mimebundle_()
        yield {HTML: self.to_html(picture=False), TEXT: self.to_text(picture=False)}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {HTML: self.to_html(), TEXT: self.to_text()}

    def to_html(self, *, picture: bool = True) -> str:
        """The panel as HTML; every text in it is escaped."""
        parts = [markup.element("div", markup.text(self.headline), "obs-head")]
        if picture and self.chart is not None:
            parts.append(markup.element("div", self.chart.svg()))
        parts += [_note_html(note) for note in self.notes]
        if self.sentences:
            items = "".join(markup.element("li", markup.text(sentence)) for sentence in self.sentences)
            parts.append(markup.element("ul", items))
        if self.link:
            parts.append(markup.element("p", markup.link(self.link, "open in the platform ↗")))
        parts += self._next_html()
        return markup.scoped("".join(parts))

    def _next_html(self) -> list[str]:
        if not self.next_cells:
            return []
        cells = "".join(markup.element("pre", markup.text(cell)) for cell in self.next_cells)
        return [markup.element("p", "next:", "obs-quiet") + cells]

    def to_text(self, width: int = _TEXT_WIDTH, *, picture: bool = True) -> str:
        """The panel for a terminal; nothing in it is an escape sequence."""
        parts = [*_wrapped(self.headline, width)]
        if picture and self.chart is not None:
            parts += ["", self.chart.to_text(width), ""]
        for note in self.notes:
            icon, word = _MARKS[note.kind]
            parts += _wrapped(f"{icon} {word}: {note.text}", width)
        for sentence in self.sentences:
            parts += _wrapped(f"• {sentence}", width)
        parts += [safe(self.link)] if self.link else []
        for number, cell in enumerate(self.next_cells):
            parts += ["" if number else "next:", *(f"    {safe(line)}" for line in cell.split("\n"))]
        return "\n".join(parts)


def _note_html(note: Note) -> str:
    icon, word = _MARKS[note.kind]
    head = markup.element("strong", f'<span aria-hidden="true">{icon}</span> {word}:')
    return markup.element("div", f"{head} {markup.text(note.text)}", _CSS.get(note.kind, "obs-note"))


def _wrapped(text: str, width: int) -> list[str]:
    lines = textwrap.wrap(safe(text), width, subsequent_indent="  ", break_on_hyphens=False)
    return lines or [""]
