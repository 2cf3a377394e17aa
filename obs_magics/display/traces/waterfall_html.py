"""The waterfall as HTML: static, and never larger than its room."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from obs_magics.display import markup
from obs_magics.display.budget import Row as Budgeted
from obs_magics.display.budget import fitted
from obs_magics.display.traces import headline, words
from obs_magics.display.traces.bars import CRITICAL, cells, parts
from obs_magics.display.traces.details import group_details, span_details
from obs_magics.display.traces.folding import Row
from obs_magics.display.traces.trace import Trace
from obs_magics.display.units import count_text

ROWS_BYTES, MORE_BYTES = 80_000, 80_000
_SERVICE, _OPERATION, _MESSAGE = 60, 120, 240
_DEEPEST = 9
_BLOCKS = 20
_NOUN = {True: ("span of", "spans of"), False: ("other span", "other spans")}
_OFF = "waits for others, or runs beside it"


def waterfall_html(trace: Trace, rows: list[Row], *, zone: str, title: str) -> str:
    """The picture with what stands above and below it."""
    if not len(trace):
        return _around(markup.element("p", headline.EMPTY, "obs-quiet"))
    said = headline.told(trace, rows)
    body = fitted(
        (_row(trace, row, message, zone) for row, message in zip(rows, said, strict=True)),
        heads=ROWS_BYTES,
        more=MORE_BYTES,
    )
    left = len(rows) - body.rows
    more = [markup.element("p", f"and {count_text(left, 'more row')}", "obs-quiet")] if left else []
    return _around(*_over(trace, zone, title), markup.element("div", _scale(trace) + body.html, "obs-fall"), *more)


def _around(*inside: str) -> str:
    return markup.element("div", "".join(inside), "obs-traces")


def _over(trace: Trace, zone: str, title: str) -> Iterator[str]:
    about = words.quiet(markup.text(headline.facts(trace)))
    yield markup.element("div", f"{markup.text(headline.title_of(trace, title))} {about}", "obs-over")
    when = markup.text(headline.began(trace, zone))
    yield markup.element("p", f"trace {words.trace_id(trace.trace_id)}, {when}", "obs-quiet")
    yield markup.element("p", "".join(_key(trace)), "obs-quiet obs-key")


def _key(trace: Trace) -> Iterator[str]:
    if trace.pieces is not None:
        yield f'<samp>{words.BLOCKS[CRITICAL]}</samp><i class="obs-critical"></i>on the critical path'
    yield f"<samp> {words.BLOCKS[1]}</samp><i></i>{_OFF if trace.pieces is not None else 'runs'}"
    if trace.failed.any():
        yield f'<i class="obs-bad"></i><span class="obs-error">{words.ERROR}</span> failed'


def _scale(trace: Trace) -> str:
    ticks = " ".join(markup.element("span", words.lasted(trace.length * place // 4)) for place in (0, 2, 4))
    return markup.element("div", markup.element("span", ticks, "obs-ticks"), "obs-scale")


def _row(trace: Trace, row: Row, message: str, zone: str) -> Budgeted:
    length, share = headline.figures(trace, row)
    cells_of = [
        _bar(trace, row),
        _name(trace, row),
        markup.element("span", length, "obs-number"),
        markup.element("span", share, "obs-number"),
    ]
    if message:
        shown = f"{words.ERROR} {words.bounded(message, _MESSAGE)}"
        cells_of.append(f'<span class="obs-says obs-error">{_indent(row, "&nbsp; ")}{shown}</span>')
    head = markup.element("summary", " ".join(cells_of))
    opens = group_details if row.folded else span_details
    return Budgeted(f"<details>{head}", partial(opens, trace, row, zone), "</details>")


def _bar(trace: Trace, row: Row) -> str:
    blocks = "".join(words.BLOCKS[kind] for kind in cells(trace, row.spans, _BLOCKS).tolist())
    bad = bool(trace.failed[list(row.spans)].any())
    drawn = "".join(
        f'<i{_css(part.kind == CRITICAL, bad)} style="left:{100 * part.start:.4g}%;width:'
        f'{100 * (part.end - part.start):.4g}%"></i>'
        for part in parts(trace, row.spans)
    )
    return f'<span class="obs-track" aria-hidden="true"><samp>{blocks}</samp>{drawn}</span>'


def _css(critical: bool, bad: bool) -> str:
    names = [name for name, there in (("obs-critical", critical), ("obs-bad", bad)) if there]
    return f' class="{" ".join(names)}"' if names else ""


def _indent(row: Row, branch: str) -> str:
    blanks = "&nbsp;" * (2 * min(row.depth, _DEEPEST) - 2)
    return f'<span class="obs-tree" aria-hidden="true">{blanks}{branch}</span>' if row.depth else ""


def _name(trace: Trace, row: Row) -> str:
    bad = int(trace.failed[list(row.spans)].sum())
    count = f" {bad:,}" if row.folded and bad else ""
    shown = [f'<span class="obs-error" title="failed">{words.ERROR}{count}</span>'] if bad else []
    shown += [words.quiet(f"⋯ {count_text(row.skipped, 'level')} ⋯")] if row.skipped else []
    shown += [f"+ {count_text(len(row.spans), *_NOUN[row.alike])}"] if row.folded else []
    if row.alike:
        service, operation = trace.services[row.span], trace.operations[row.span]
        shown += [markup.element("strong", words.bounded(service, _SERVICE)), words.bounded(operation, _OPERATION)]
    marked = _is_bottleneck(trace, row)
    shown += [f'<span class="obs-badge">{headline.BOTTLENECK}</span>'] if marked else []
    return markup.element(
        "span",
        _indent(row, "└ ") + markup.element("span", " ".join(shown), "obs-what"),
        f"obs-name{' obs-wraps' if marked else ''}",
    )


def _is_bottleneck(trace: Trace, row: Row) -> bool:
    return not row.folded and row.span == trace.bottleneck
