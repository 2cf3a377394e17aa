"""Documents: sections of words, facts, tables and charts, written as one HTML page, as Markdown or as data."""

from obs_magics.display.document.blocks import (
    Block,
    Bullets,
    Code,
    Document,
    Facts,
    Figure,
    Paragraph,
    Part,
    Piece,
    Prose,
)
from obs_magics.display.document.html import to_html
from obs_magics.display.document.markdown import MarkdownFiles, to_markdown
from obs_magics.display.document.page import page, picture

__all__ = [
    "Block",
    "Bullets",
    "Code",
    "Document",
    "Facts",
    "Figure",
    "MarkdownFiles",
    "Paragraph",
    "Part",
    "Piece",
    "Prose",
    "page",
    "picture",
    "to_html",
    "to_markdown",
]
