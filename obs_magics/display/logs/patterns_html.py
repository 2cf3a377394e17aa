"""The table of patterns as HTML: static, and never larger than its room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from obs_magics.display import markup, times
from obs_magics.display.budget import Row, fitted
from obs_magics.display.inline import block, inline
from obs_magics.display.logs import levels, spark
from obs_magics.display.logs.events import Event
from obs_magics.display.logs.gist import template_gist
from obs_magics.display.logs.pattern_rows import Pattern, PatternTable
from obs_magics.display.units import count_text, format_value

ROWS_BYTES, MORE_BYTES = 60_000, 50_000
_TEMPLATE = 400  # characters
_WHOLE_TEMPLATE, _EXAMPLE, _VALUE, _SERVICE = 2000, 1000, 80, 60
_EXAMPLES = 3
# Said in place, too: JupyterLab's own tables stand to the right where it takes our style sheet away.
_LEFT, _NUMBER = ' style="text-align:left"', ' class="obs-number"'
_SERVICES, _WILDCARDS, _EVENTS, _GONE = 4, 12, 3, 5


def table_html(table: PatternTable) -> str:
    """The table with what stands above and below it."""
    if not table.total:
        return _around(markup.element("p", "no patterns: there are no lines", "obs-quiet"), "")
    body = fitted((_row(one, table) for one in table.shown), heads=ROWS_BYTES, more=MORE_BYTES)
    head = "".join(
        f"<th{css}>{title}</th>"
        for title, css in (("lines", _NUMBER), (_spark_title(table), _LEFT), ("level", _LEFT), ("pattern", _LEFT))
    )
    inside = f"{markup.element('thead', markup.element('tr', head))}{markup.element('tbody', body.html)}"
    return _around(_over(table, body.rows) + markup.element("table", inside), _under(table, body.rows))


def _spark_title(table: PatternTable) -> str:
    return times.stretch(*table.span_ns, table.zone, day=False) if table.span_ns else "over time"


def _around(*parts: str) -> str:
    return markup.element("div", "".join(parts), "obs-patterns")


def _over(table: PatternTable, shown: int) -> str:
    many, about = table.about(shown)
    return markup.element("div", f"{many} {markup.element('span', markup.text(about), 'obs-quiet')}", "obs-over")


def _under(table: PatternTable, shown: int) -> str:
    patterns, lines = table.rest(shown)
    parts = []
    if patterns:
        more = f"and {count_text(patterns, 'more pattern')} ({count_text(lines, 'line')})"
        parts.append(markup.element("p", more, "obs-quiet"))
    parts += [_event(event, table, service=True, template=True) for event in table.gone[:_GONE]]
    if len(table.gone) > _GONE:
        more = f"and {len(table.gone) - _GONE:,} more that changed and have no line here"
        parts.append(markup.element("p", more, "obs-quiet"))
    return "".join(parts)


def _row(one: Pattern, table: PatternTable) -> Row:
    figures = f"<strong>{one.count:,}</strong><br>{_quiet(format_value(one.share, '1'))}"
    picture = spark.svg(one.spark)
    level = markup.element("span", levels.word(one.level) or "–", levels.css(one.level))
    gist = template_gist(one.template, service=one.service)
    template = inline(gist, _TEMPLATE, wildcards=True)
    cells = f"<td{_NUMBER}>{figures}</td><td{_LEFT}>{picture}</td><td{_LEFT}>{level}</td>"
    what = markup.element("div", template.html, "obs-template") + "".join(_changes(one, table))
    summary = f"<details>{markup.element('summary', _where_and_when(one, table), 'obs-quiet')}"
    whole = template.whole and gist == one.template
    return Row(f"<tr>{cells}<td{_LEFT}>{what}{summary}", partial(_more, one, whole=whole), "</details></td></tr>")


def _where_and_when(one: Pattern, table: PatternTable) -> str:
    services = ", ".join(inline(name, _SERVICE).html for name in one.named[:_SERVICES])
    more = f" +{len(one.named) - _SERVICES:,}" if len(one.named) > _SERVICES else ""
    when = markup.text(times.stretch(one.first_ns, one.last_ns, table.zone, day=table.day))
    return f"{services}{more}{' · ' if services else ''}{when}"


def _changes(one: Pattern, table: PatternTable) -> Iterator[str]:
    for event in one.events[:_EVENTS]:
        yield _event(event, table, service=len(one.named) > 1)
    if len(one.events) > _EVENTS:
        yield markup.element("div", f"and {len(one.events) - _EVENTS:,} more changes", "obs-quiet")


def _event(event: Event, table: PatternTable, *, service: bool, template: bool = False) -> str:
    said = inline(event.said(table.zone, day=table.day, service=service), 300).html
    line = inline(template_gist(event.template, service=event.service), _TEMPLATE, wildcards=True).html
    what = markup.element("div", line, "obs-template") if template else ""
    return markup.element("div", f"<strong>{event.mark()}</strong> {said}{what}", "obs-mark")


def _more(one: Pattern, *, whole: bool) -> str:
    parts = [] if whole else [inline(one.template, _WHOLE_TEMPLATE, wildcards=True).html]
    parts += [_values(place, values) for place, values in enumerate(one.values[:_WILDCARDS], start=1)]
    if len(one.values) > _WILDCARDS:
        parts.append(_quiet(f"and {len(one.values) - _WILDCARDS:,} more wildcards"))
    paragraphs = "".join(markup.element("p", part) for part in parts)
    examples = "".join(block(example, _EXAMPLE).html for example in one.examples[:_EXAMPLES])
    return markup.element("div", paragraphs + examples, "obs-more")


def _values(place: int, values: Sequence[str]) -> str:
    shown = ", ".join(markup.element("code", inline(value, _VALUE).html) for value in values[:5])
    return f"<var>{markup.text('<*>')}</var> {place}: {shown or _quiet('nothing')}"


def _quiet(text: str) -> str:
    return markup.element("span", markup.text(text), "obs-quiet")
