"""What stands under a cell: headline, chart, what the numbers say, what the reader must know, and what to do next."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from obs_magics.display import markup
from obs_magics.display.bundle import HTML, TEXT
from obs_magics.display.chart import Chart
from obs_magics.display.text import safe
from obs_magics.display.visible import visible

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
_LEAST_WIDTH = 40
_LINK_LABEL = "open in the platform ↗"
# No answer that makes sense is longer; what comes from outside may be.
_MAX_TEXTS, _TEXT_LENGTH = 40, 1000
_MAX_CELLS, _CODE_LENGTH, _LINK_LENGTH = 8, 4000, 8000


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
class Section:
    """A part of a panel with a form of its own, in HTML and in text; it can be shown by itself.

    Args:
        inside: Its HTML: every text in it escaped and visible, its size bounded.
        text: The same in characters, for a width.
        style: Rules for its classes, all below `.obs-magics`.
    """

    inside: Callable[[], str] = field(repr=False)
    text: Callable[[int], str] = field(repr=False)
    style: str = field(default="", repr=False)

    def to_html(self) -> str:
        """The section alone, with its style sheet."""
        return markup.scoped(self.inside(), self.style)

    def to_text(self, width: int = _TEXT_WIDTH) -> str:
        """The section for a terminal, at most `width` columns wide (40 at least)."""
        return self.text(max(width, _LEAST_WIDTH))

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {HTML: self.to_html(), TEXT: self.to_text()}


@dataclass(frozen=True)
class Panel:
    """A panel. Shown by itself it holds the chart as a still picture; `outputs` gives the interactive one and the rest.

    Args:
        headline: What this is, in a line: "latency: 5 series, 1,205 rows from prom".
        chart: None where there is nothing to draw.
        sentences: What the numbers say.
        sections: Tables and lists that belong to the answer, below the sentences.
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
    sections: Sequence[Section] = ()

    def outputs(self) -> Iterator[dict[str, Any]]:
        """MIME bundles to publish one after the other: the chart, if there is one, then everything else."""
        if self.chart is not None:
            yield self.chart._repr_mimebundle_()
        yield {HTML: self.to_html(picture=False), TEXT: self.to_text(picture=False)}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {HTML: self.to_html(), TEXT: self.to_text()}

    def to_html(self, *, picture: bool = True) -> str:
        """The panel as HTML; every text in it is escaped."""
        parts = [markup.element("div", markup.text(_bounded(self.headline)), "obs-head")]
        if picture and self.chart is not None:
            parts.append(markup.element("div", self.chart.svg()))
        parts += [note_html(note) for note in self._shown_notes()]
        if self.sentences:
            items = "".join(markup.element("li", markup.text(sentence)) for sentence in _all_bounded(self.sentences))
            parts.append(markup.element("ul", items))
        parts += [section.inside() for section in self.sections]
        if self.link:
            shown = self._shown_link()
            opens = shown == self.link
            parts.append(markup.element("p", markup.link(shown, _LINK_LABEL) if opens else markup.text(shown)))
        parts += self._next_html()
        return markup.scoped("".join(parts), *dict.fromkeys(section.style for section in self.sections))

    def _shown_notes(self) -> list[Note]:
        notes = list(dict.fromkeys(self.notes))  # several questions may have the same to say
        kinds: list[NoteKind] = [*(note.kind for note in notes[:_MAX_TEXTS]), "note"]
        texts = _all_bounded([note.text for note in notes])
        return [Note(text, kind) for text, kind in zip(texts, kinds, strict=False)]

    def _next_html(self) -> list[str]:
        cells = "".join(markup.element("pre", markup.text(cell)) for cell in self._shown_cells())
        return [markup.element("p", "next:", "obs-quiet") + cells] if cells else []

    def _shown_link(self) -> str:
        """Whole, or no link any more: one that is cut leads elsewhere."""
        fits = markup.is_link(self.link) and len(self.link) <= _LINK_LENGTH
        return self.link if fits else _bounded(self.link)

    def _shown_cells(self) -> list[str]:
        """Code whole or not at all."""
        return [cell for cell in self.next_cells if len(cell) <= _CODE_LENGTH][:_MAX_CELLS]

    def to_text(self, width: int = _TEXT_WIDTH, *, picture: bool = True) -> str:
        """The panel for a terminal; nothing in it is an escape sequence."""
        parts = _wrapped(_bounded(self.headline), width)
        if picture and self.chart is not None:
            parts += ["", self.chart.to_text(width), ""]
        for note in self._shown_notes():
            icon, word = _MARKS[note.kind]
            parts += _wrapped(f"{icon} {word}: {note.text}", width)
        for sentence in _all_bounded(self.sentences):
            parts += _wrapped(f"• {sentence}", width)
        for section in self.sections:
            parts += ["", section.to_text(width)]
        parts += [""] if self.sections else []
        parts += [safe(self._shown_link())] if self.link else []
        for number, cell in enumerate(self._shown_cells()):
            parts += ["" if number else "next:", *(f"    {safe(line)}" for line in cell.split("\n"))]
        return "\n".join(parts)


def note_html(note: Note) -> str:
    """A note as HTML, escaped."""
    icon, word = _MARKS[note.kind]
    head = markup.element("strong", f'<span aria-hidden="true">{icon}</span> {word}:')
    return markup.element("div", f"{head} {markup.text(note.text)}", _CSS.get(note.kind, "obs-note"))


def _bounded(text: str) -> str:
    """A text with what cannot be seen spelled out, and not longer than a reader takes."""
    shown = visible(text[: _TEXT_LENGTH + 1], lines=True)
    return shown if len(shown) <= _TEXT_LENGTH else f"{shown[: _TEXT_LENGTH - 1]}…"


def _all_bounded(texts: Sequence[str]) -> list[str]:
    shown = [_bounded(text) for text in texts[:_MAX_TEXTS]]
    return [*shown, f"and {len(texts) - _MAX_TEXTS:,} more"] if len(texts) > _MAX_TEXTS else shown


def _wrapped(text: str, width: int) -> list[str]:
    lines = textwrap.wrap(safe(text), width, subsequent_indent="  ", break_on_hyphens=False)
    return lines or [""]
