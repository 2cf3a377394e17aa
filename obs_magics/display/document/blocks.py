"""What a document is made of: sections of blocks, each plain data with one meaning in every form it is written in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from obs_magics.display.chart import Chart
from obs_magics.display.panel import Note, Section
from obs_magics.display.table import Table


@dataclass(frozen=True, slots=True)
class Prose:
    """What a person wrote, in Markdown. HTML in it is shown as text, and pictures from elsewhere become links."""

    markdown: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A sentence or more, as it stands; nothing in it is markup."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list, as it stands."""

    items: Sequence[str]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values, side by side: "Duration", "35 min"."""

    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Code:
    """A query or a cell."""

    text: str
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart, the sentence under it, and what stands for it where pictures are not shown (its caption by default)."""

    chart: Chart
    caption: str = ""
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a panel: a table with bars, a waterfall, a strip.

    Args:
        section: As the panel has it.
        plain: The same in blocks that have a form in Markdown; without them its text stands in a block of code.
    """

    section: Section
    plain: Sequence[Block] = ()


Block = Prose | Paragraph | Bullets | Facts | Code | Figure | Piece | Table | Note


@dataclass(frozen=True, slots=True)
class Part:
    """A section of a document. `key` names it in links and in JSON."""

    key: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Document:
    """A document for people.

    Args:
        title: What it is called.
        subtitle: A line under the title.
        status: How far it is, a sentence below; empty when it is done.
        parts: Its sections in order; empty ones are left out.
        footer: Where it comes from, a line at the end.
    """

    title: str
    subtitle: str = ""
    status: str = ""
    parts: Sequence[Part] = ()
    footer: str = ""
    figures: Sequence[Figure] = field(init=False)

    def __post_init__(self) -> None:
        kept = tuple(part for part in self.parts if part.blocks)
        object.__setattr__(self, "parts", kept)
        figures = tuple(block for part in kept for block in part.blocks if isinstance(block, Figure))
        object.__setattr__(self, "figures", figures)
