"""A document as Markdown, its pictures as files beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import singledispatch

from obs_magics.display.document.blocks import (
    Block,
    Bullets,
    Code,
    Document,
    Facts,
    Figure,
    Paragraph,
    Piece,
    Prose,
)
from obs_magics.display.panel import Note
from obs_magics.display.table import Table
from obs_magics.display.text import safe
from obs_magics.display.visible import visible

_SPECIAL = re.compile(r"([\\`*_{}\[\]<#|~$])")
# What would begin a quotation or a list, or underline a heading: "> a", "- a", "1. a", "---", "===".
_LEADING = re.compile(r"^(\s*)(?:(>|[-+=](?=[-=\s]|$))|(\d+)([.)])(?=\s|$))", re.MULTILINE)
_TEXT_WIDTH = 100


@dataclass(frozen=True, slots=True)
class MarkdownFiles:
    """Markdown, and what lies beside it by the relative path that it names."""

    text: str
    pictures: Mapping[str, str]


def to_markdown(document: Document, *, folder: str) -> MarkdownFiles:
    """The document in CommonMark with tables.

    Args:
        document: What to write.
        folder: Where its pictures will lie, relative to it.
    """
    names = {id(figure): f"{folder}/figure-{number}.svg" for number, figure in enumerate(document.figures, 1)}
    lines = [f"# {escaped(document.title)}", *([escaped(document.subtitle)] if document.subtitle else [])]
    lines += [f"*{_one_line(document.status)}*"] if document.status else []
    for part in document.parts:
        lines += [f"## {escaped(part.title)}", *(_block(block, names) for block in part.blocks)]
    if document.footer:
        lines += ["---", escaped(document.footer)]
    pictures = {names[id(figure)]: figure.chart.svg() for figure in document.figures}
    return MarkdownFiles("\n\n".join(lines) + "\n", pictures)


@singledispatch
def _block(block: Block, names: Mapping[int, str]) -> str:
    raise TypeError(f"no block: {type(block).__name__}")


@_block.register
def _(block: Prose, names: Mapping[int, str]) -> str:
    return visible(block.markdown, lines=True)


@_block.register
def _(block: Paragraph, names: Mapping[int, str]) -> str:
    return escaped(block.text)


@_block.register
def _(block: Bullets, names: Mapping[int, str]) -> str:
    return "\n".join(f"- {_one_line(item)}" for item in block.items)


@_block.register
def _(block: Facts, names: Mapping[int, str]) -> str:
    return "\n".join(f"- **{_one_line(name)}**: {_one_line(value)}" for name, value in block.rows)


@_block.register
def _(block: Code, names: Mapping[int, str]) -> str:
    return "\n\n".join([*([escaped(block.caption)] if block.caption else []), fenced(block.text)])


@_block.register
def _(block: Figure, names: Mapping[int, str]) -> str:
    said = f"\n\n*{_one_line(block.caption)}*" if block.caption else ""
    return f"![{_one_line(block.alt or block.caption or 'chart')}]({names[id(block)]}){said}"


@_block.register
def _(block: Piece, names: Mapping[int, str]) -> str:
    if block.plain:
        return "\n\n".join(_block(one, names) for one in block.plain)
    return fenced(block.section.to_text(_TEXT_WIDTH))


@_block.register
def _(block: Table, names: Mapping[int, str]) -> str:
    return _table(block)


@_block.register
def _(block: Note, names: Mapping[int, str]) -> str:
    return f"> **{block.kind}**: {_one_line(block.text)}"


def escaped(text: str) -> str:
    """A text in which nothing is markup."""
    shown = _SPECIAL.sub(r"\\\1", visible(text, lines=True))
    return _LEADING.sub(lambda at: f"{at[1]}\\{at[2]}" if at[2] else f"{at[1]}{at[3]}\\{at[4]}", shown)


def _one_line(text: str) -> str:
    return " ".join(escaped(text).split())


def fenced(text: str) -> str:
    """Text as a block of code, whatever fences it holds itself."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    lines = "\n".join(safe(line) for line in text.split("\n"))
    return f"{fence}text\n{lines}\n{fence}"


def _table(table: Table) -> str:
    if not table.rows:
        return escaped(" ".join(part for part in (table.caption and f"{table.caption}:", table.empty) if part))
    rows = [[_one_line(cell) for cell in row] for row in table.texts()]
    head, *body = rows
    aligns = ["---:" if numeric else "---" for numeric in table.numeric()]
    lines = [f"| {' | '.join(row)} |" for row in (head, aligns, *body)]
    caption = [f"**{_one_line(table.caption)}**", ""] if table.caption else []
    return "\n".join([*caption, *lines])
