"""The list of lines as HTML: static, and never larger than its room."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from obs_magics.display import markup, times
from obs_magics.display.budget import Row, fitted
from obs_magics.display.inline import block, inline
from obs_magics.display.logs import levels
from obs_magics.display.logs.line_rows import Line, LineList
from obs_magics.display.text import columns_of
from obs_magics.display.units import count_text
from obs_magics.display.visible import visible

ROWS_BYTES, MORE_BYTES = 70_000, 60_000
_SHORT, _WHOLE, _SERVICE, _ID = 240, 4000, 60, 64
_LABELS, _LABEL = 24, 160
_SERVICE_COLUMNS = 20


def list_html(listed: LineList) -> str:
    """The list with what stands above and below it."""
    if not listed.lines:
        return _around(markup.element("p", f"{listed.count(0)}", "obs-quiet"))
    width = min(_SERVICE_COLUMNS, max(columns_of(visible(line.service[:_SERVICE])) for line in listed.lines))
    body = fitted((_row(line, listed, width) for line in listed.lines), heads=ROWS_BYTES, more=MORE_BYTES)
    about = markup.element("span", markup.text(listed.about()), "obs-quiet")
    over = markup.element("div", f"{listed.count(body.rows)} {about}", "obs-over")
    common = f"all of them: {_pairs(listed.common)}" if listed.common else ""
    under = [common] if common else []
    if listed.shortened:
        under.append("rows leave out what their columns say; each opens to the whole line")
    foot = "".join(markup.element("p", sentence, "obs-quiet") for sentence in under)
    return _around(over, body.html, foot)


def _around(*parts: str) -> str:
    return markup.element("div", "".join(parts), "obs-lines")


def _row(line: Line, listed: LineList, service: int) -> Row:
    time = markup.element("span", times.stamp(line.at_ns, listed.zone, day=listed.day), "obs-when")
    level = f"{levels.word(line.level):<{levels.WORD_WIDTH}}"
    # The blanks between hold the words apart where there is no style sheet.
    head = " ".join(
        (
            time,
            markup.element("span", level, levels.css(line.level)),
            f'<span class="obs-where" style="width:{service}ch">{inline(line.service, _SERVICE).html}</span>',
            markup.element("span", inline(line.short, _SHORT, highlight=listed.highlight).html, "obs-what"),
            *([markup.element("span", f"+{count_text(line.folded, 'line')}", "obs-quiet")] if line.folded else []),
        )
    )
    return Row(f"<details><summary>{head}</summary>", partial(_more, line, listed), "</details>")


def _more(line: Line, listed: LineList) -> str:
    message = block(line.message, _WHOLE, highlight=listed.highlight).html
    ids = [(name, value) for name, value in (("trace", line.trace_id), ("span", line.span_id)) if value]
    shown = [f"{name} {markup.element('code', inline(value, _ID).html, 'obs-id')}" for name, value in ids]
    about = [markup.element("code", times.exact(line.at_ns, listed.zone), "obs-id"), *shown]
    parts = [markup.element("p", " · ".join(about), "obs-quiet"), message]
    if line.labels:
        parts.append(markup.element("p", _pairs(line.labels), "obs-quiet"))
    return markup.element("div", "".join(parts), "obs-more")


def _pairs(labels: Sequence[tuple[str, str]]) -> str:
    shown = [f"{inline(name, _LABEL).html}={inline(value, _LABEL).html}" for name, value in labels[:_LABELS]]
    more = [f"and {len(labels) - _LABELS:,} more labels"] if len(labels) > _LABELS else []
    return " · ".join([*shown, *more])
