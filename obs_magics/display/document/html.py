"""A document as HTML."""

from __future__ import annotations

import re
from functools import cache, singledispatch
from typing import Any

from obs_magics.display import markup
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
from obs_magics.display.document.page import page, pictures
from obs_magics.display.document.tables import with_headings
from obs_magics.display.panel import Note, note_html
from obs_magics.display.table import Table
from obs_magics.display.visible import visible

_CHECKBOX = re.compile(r'<input class="task-list-item-checkbox"[^>]*?(checked)?\s*/?>')
_FEWEST_LINKED = 4  # sections from which a list of contents helps


def to_html(document: Document) -> str:
    """The whole document as one page that needs nothing from anywhere else; light, dark and printable."""
    head = markup.element("h1", _text(document.title))
    if document.subtitle:
        head += markup.element("p", _text(document.subtitle), "subtitle")
    if document.status:
        head += markup.element("p", _text(document.status), "status")
    contents = [f'<a href="#{markup.text(part.key)}">{_text(part.title)}</a>' for part in document.parts]
    parts = [markup.element("header", head)]
    if len(contents) >= _FEWEST_LINKED:
        parts.append(f'<nav aria-label="Contents">{" ".join(contents)}</nav>')
    parts.append(markup.element("main", "\n".join(map(_part, document.parts))))
    if document.footer:
        parts.append(markup.element("footer", _text(document.footer)))
    return page(document.title, "\n".join(parts))


def _part(part: Part) -> str:
    key = markup.text(part.key)
    inside = with_headings("\n".join(map(block_html, part.blocks)))
    head = f'<h2 id="{key}-title">{_text(part.title)}</h2>'
    return f'<section id="{key}" aria-labelledby="{key}-title">\n{head}\n{inside}\n</section>'


@singledispatch
def block_html(block: Block) -> str:
    """One block; every text in it is escaped."""
    raise TypeError(f"no block: {type(block).__name__}")


@block_html.register
def _(block: Prose) -> str:
    return prose_html(block.markdown)


@block_html.register
def _(block: Paragraph) -> str:
    return markup.element("p", _text(block.text))


@block_html.register
def _(block: Bullets) -> str:
    return markup.element("ul", "".join(markup.element("li", _text(item)) for item in block.items))


@block_html.register
def _(block: Facts) -> str:
    pairs = (markup.element("dt", _text(name)) + markup.element("dd", _text(value)) for name, value in block.rows)
    return markup.element("dl", "".join(pairs))


@block_html.register
def _(block: Code) -> str:
    said = markup.element("p", _text(block.caption), "subtitle") if block.caption else ""
    return said + markup.element("pre", _text(block.text), "code")


@block_html.register
def _(block: Figure) -> str:
    said = markup.element("figcaption", _text(block.caption)) if block.caption else ""
    # On a narrow screen it is moved sideways, by keys as well.
    return f'<figure tabindex="0">{pictures(block.chart)}{said}</figure>'


@block_html.register
def _(block: Piece) -> str:
    return block.section.to_html()


@block_html.register
def _(block: Table) -> str:
    return block.to_html()


@block_html.register
def _(block: Note) -> str:
    return markup.scoped(note_html(Note(visible(block.text, lines=True), block.kind)))


def _text(value: str) -> str:
    """Escaped, and no line ends between a number and its %."""
    return markup.text(visible(value, lines=True)).replace(" %", "&nbsp;%")


def prose_html(markdown: str) -> str:
    """Markdown as HTML: what is HTML in it stays text, links lead to http(s) and mail only, pictures are not loaded."""
    html = _CHECKBOX.sub(_box, str(_markdown()(visible(markdown, lines=True))))
    return re.sub(r"<(/?)h([1-5])>", lambda found: f"<{found[1]}h{min(int(found[2]) + 2, 6)}>", html)


def _box(found: re.Match[str]) -> str:
    """A box that is read out: a disabled input has no name, and is lost on paper."""
    shown, spoken = ("☑", "done") if found[1] else ("☐", "to do")
    return f'<span role="img" aria-label="{spoken}">{shown}</span> '


@cache
def _markdown() -> Any:
    import mistune

    class Renderer(mistune.HTMLRenderer):
        def image(self, text: str, url: str, title: str | None = None) -> str:
            """A picture from elsewhere would tell that the page was opened, and be gone in a year."""
            return self.link(text or url, url, title)

    return mistune.create_markdown(renderer=Renderer(escape=True), plugins=["table", "strikethrough", "task_lists"])
