"""Logs as the display gets them: a bad quarter of an hour, and lines that nobody wrote in good faith."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from obs_magics.display.logs.lines import log_list
from obs_magics.display.logs.patterns import pattern_table
from obs_magics.display.logs.volume import volume_chart
from obs_magics.display.marks import Mark
from obs_magics.display.panel import Panel, notes_of
from obs_magics.model.frames import categories
from obs_magics.model.logs import LEVEL_DTYPE, LEVELS, Volume, logs_frame

SECOND = 1_000_000_000
START = 1_795_356_000 * SECOND  # 2026-11-22 14:00 UTC
MINUTE = 60 * SECOND

STACK = (
    "2026-11-22 14:00:08.000 ERROR [payment-api,f28ae8ea9c4da969d6d82a356a96be32,6a9d9a349f6c7ad8] 1 --- [exec-17] "
    "c.s.PaymentService : Connection pool exhausted path=/api/payments suppressed=17\n"
    "java.util.concurrent.TimeoutException: Timed out after 2000 ms\n"
    "\tat com.shop.redis.ConnectionPool.acquire(ConnectionPool.java:214)"
)
MESSAGES = (
    ("info", "api-gateway", '81.2.168.166 - - [22/Nov/2026:14:00:00 +0000] "GET /api/search HTTP/1.1" 200 3782'),
    ("warn", "payment-api", "Waited 337 ms for a redis connection (active=20, max=20)"),
    ("error", "payment-api", STACK),
    ("error", "user-service", 'ts=2026-11-22T14:00:09Z level=error msg="Connection timeout after 30s" path=/api/users'),
    ("info", "cart-service", '{"level":30,"time":1795356009465,"pid":1,"path":"/api/cart","msg":"request done"}'),
    (None, None, "a line of which nobody knows more"),
)

RAN = "window.ran = (window.ran || 0) + 1"
HOSTILE: Mapping[str, str] = {
    "script": f"<script>{RAN}</script>",
    "image": f'<img src=x onerror="{RAN}">',
    "end of everything": f"</bdi></span></summary></details></pre></td></tr></table></div><script>{RAN}</script>",
    "end of style": f"</style><script>{RAN}</script>",
    "comment": f"<!-- --!> <script>{RAN}</script> <![CDATA[ ]]> -->",
    "attribute": f"\" onmouseover='{RAN}' x=\"",
    "entity": f"&lt;script&gt;{RAN}&lt;/script&gt; &#60;img src=x onerror={RAN}&#62; &amp;amp;",
    "data link": f"<a href='data:text/html,<script>{RAN}</script>'>here</a> javascript:{RAN}",
    "svg": f"<svg onload='{RAN}'><title><img src=x onerror={RAN}></title></svg>",
    "mutation": f"<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=x onerror={RAN}&gt;'>",
    "sanitizer": f'<textarea></textarea><option><noscript><p title="</noscript><img src=x onerror={RAN}>">',
    "command linker": '<button data-commandlinker-command="runmenu:run-all" data-commandlinker-args="{}">run</button>',
    "form": "<form action=https://example.com><input name=q autofocus></form><base href=https://example.com/>",
    "meta": "<meta http-equiv=refresh content='0;url=https://example.com/'><iframe src=https://example.com></iframe>",
    "style": "<style>*{display:none !important}</style><link rel=stylesheet href=https://example.com/x.css>",
    "latex": r"$$\href{javascript:alert(1)}{x}$$ \(\unicode{x202e}\)",
    "colours": "\x1b[31mred\x1b[0m \x1b[8mhidden\x1b[0m \x1b[2J\x1b[H\x1b]0;title\x07\x1b]8;;http://example.com\x07x\x1b]8;;\x07",
    "controls": "".join(map(chr, (*range(32), *range(127, 160)))),
    "override": "user \u202e txt.exe \u202d\u202b\u202a end without a pop",
    "isolates": "\u2066\u2067\u2068 never closed \u2069\u2069\u2069 too often",
    "right to left": "שלום עולם 123 (abc) مرحبا",
    "marks of direction": "a\u200eb\u200fc\u061cd",
    "zero width": "a\u200b\u200c\u200d\u2060\ufeff\u00ad\u180eb\u2062\u2063\u2064 \U000e0041\U000e0042\U000e007f",
    "fillers": "\u3164\u115f\u1160\uffa0\u2800\u034f",
    "lone surrogates": "\ud800 \udfff \udc00\ud800",
    "separators": "one\u2028two\u2029three\x85four\x0bfive\x0csix\rseven\r\neight\nnine\tten",
    "flood of marks": "Z" + "\u0310\u0333\u0489\u035c\u0317" * 4000 + "algo",
    "marks first": "\u0301\u0301\u0301\u0301\u0301\u0301\u0301 at the start",
    "marks everywhere": "e\u0337\u0301\u0315\u0322\u0347" * 400,
    "wide": "﷽𒐫⸻" * 300,
    "one word of a megabyte": "x" * 1_000_000,
    "a megabyte of markup": "<b>&'\"" * 180_000,
    "a megabyte of NULs": "\x00" * 1_000_000,
    "many lines": "line\n" * 100_000,
    "only blanks": " \t\n \n",
    "empty": "",
    "wildcards": "<*> <*><*> < * > &lt;*&gt;",
    "deep": "{" * 5000 + '"a":' * 5000,
    "json": '{"msg": "<script>' + RAN + '</script>", "a\\u202e": ["\\u0000"]}',
    "non-characters": "\ufffe\uffff\U0010ffff \ue000 \ufdd0",
}


def frame_of(
    messages: Sequence[tuple[str | None, str | None, str]],
    *,
    step: int = 3 * SECOND,
    trace: str | None = "f28ae8ea9c4da969d6d82a356a96be32",
    labels: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """A logs frame with a line every `step` nanoseconds; those with a service have a trace and the labels."""
    codes = [LEVELS.index(level) if level else -1 for level, _, _ in messages]  # type: ignore[arg-type]
    services = [service for _, service, _ in messages]
    known = [trace if service else None for service in services]
    labels = {"namespace": "shop"} if labels is None else labels
    frame = logs_frame(
        START + np.arange(len(messages), dtype=np.int64) * step,
        pa.array([""] * len(messages), pa.string()),
        level_codes=np.array(codes, np.int8),
        service=pd.Categorical(services, categories=sorted({name for name in services if name is not None})),
        trace_id=pa.array(known, pa.string()),
        span_id=pa.array([None if one is None else "6a9d9a349f6c7ad8" for one in known], pa.string()),
        labels={name: categories([value] * len(messages)) for name, value in labels.items()},
    )
    # Arrow takes no lone surrogates; a frame that somebody made by hand may hold them.
    return frame.assign(message=pd.Series([text for _, _, text in messages], dtype=object))


def repeated(times: int) -> pd.DataFrame:
    """The frame of `MESSAGES`, again and again."""
    return frame_of(MESSAGES * times)


def patterns_of(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A table of patterns, as the analysis makes it, from what differs from row to row."""
    whole = [_pattern(number, row) for number, row in enumerate(rows)]
    lines = sum(row["count"] for row in whole)
    table = pd.DataFrame(whole).assign(share=[row["count"] / lines for row in whole])
    levels = pd.Categorical(table["level"], dtype=LEVEL_DTYPE)
    moments = {name: pd.to_datetime(table[name], utc=True) for name in ("first_seen", "last_seen")}
    return table.assign(level=levels, **moments)


def _pattern(number: int, row: Mapping[str, Any]) -> dict[str, Any]:
    service = row.get("service")
    return {
        "id": f"{number:08x}",
        "template": f"pattern {number}",
        "count": 10,
        "level": "info",
        "service": service,
        "services": [service] if service else [],
        "levels": [row.get("level", "info")],
        "first_seen": START + 5 * SECOND,
        "last_seen": START + 14 * MINUTE,
        "examples": [],
        "values": [],
        **row,
    }


def story() -> pd.DataFrame:
    """Four patterns of the bad quarter of an hour, as the analysis orders them: most lines first."""
    return patterns_of(
        [
            {"template": "request done path=<*>", "count": 900, "service": "api-gateway", "values": [["/a", "/b"]]},
            {"template": "Waited <*> ms", "count": 120, "level": "warn", "service": "payment-api"},
            {
                "template": "<*> <*> ERROR [payment-api,<*>,<*>] 1 --- [<*>] c.s.PaymentService : "
                "Connection pool exhausted path=<*> suppressed=<*>",
                "count": 32,
                "level": "error",
                "service": "payment-api",
                "examples": [STACK, STACK.replace("17", "18")],
                "values": [["2026-11-22"], ["14:00:08.000"], [], ["6a9d9a349f6c7ad8"], ["exec-17"], ["/api"], ["17"]],
            },
            {
                "template": "Connection timeout after <*>",
                "count": 12,
                "level": "error",
                "service": "user-service",
                "services": ["user-service", "order-service"],
                "first_seen": START + 9 * SECOND,
                "last_seen": START + 41 * SECOND,
            },
        ]
    )


def surges_of(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A surges frame from what differs from row to row."""
    usual = {
        "kind": "new",
        "pattern": "00000002",
        "template": "a template",
        "service": "payment-api",
        "level": "error",
        "start": pd.Timestamp(START + MINUTE, tz="UTC"),
        "end": pd.Timestamp(START + 9 * MINUTE, tz="UTC"),
        "count": 32,
        "expected": 0.0,
        "factor": np.inf,
        "p_value": 1e-9,
        "cascade": pd.NA,
    }
    return pd.DataFrame([{**usual, **row} for row in rows])


def changes() -> pd.DataFrame:
    """What became of the story's patterns, and of one that is not among them."""
    return surges_of(
        [
            {"cascade": 1},
            {"pattern": "00000003", "service": "user-service", "cascade": 2},
            {"kind": "surge", "pattern": "00000000", "count": 880, "expected": 290.0, "factor": 3.03},
            {"kind": "drop", "pattern": "00000000", "count": 3, "expected": 40.5, "factor": 0.074},
            {"kind": "vanished", "pattern": "ffffffff", "template": "sync took <*>", "count": 0, "expected": 12.4},
        ]
    )


def spark_of(table: pd.DataFrame) -> dict[str, list[int]]:
    """Counts over a quarter of an hour for each pattern, unlike ones."""
    return {
        name: [(minute * (number + 2)) % 7 if minute > number else 0 for minute in range(15)]
        for number, name in enumerate(table["id"])
    }


def volume() -> Volume:
    """A quarter of an hour in bars of thirty seconds."""
    errors = tuple(0 if minute < 16 else minute % 5 for minute in range(30))
    return Volume(
        START, 30 * SECOND, {"info": tuple(90 + minute % 9 for minute in range(30)), "error": errors, "warn": (7,) * 30}
    )


def panel(
    lines: pd.DataFrame | None = None, patterns: pd.DataFrame | None = None, *, text: str = "", limit: int = 30
) -> Panel:
    """A whole answer; `text` stands wherever a text from outside can stand."""
    table = story() if patterns is None else patterns
    return Panel(
        headline=text or "errors: 47 lines in 3 services from demo (folder)",
        chart=volume_chart(
            volume(), title=text or '{namespace="shop"}', marks=[Mark(START + MINUTE, text or "deploy")]
        ),
        sentences=[text or "47 errors in 3 services"],
        notes=notes_of(warnings=[text or "a warning"]),
        link="https://example.com/explore?x=1",
        next_cells=["errors.obs.surges()"],
        sections=[
            pattern_table(table, spark_of(table), surges=changes(), limit=limit),
            log_list(repeated(3) if lines is None else lines, phrases=["connection pool", "script"], limit=limit),
        ],
    )


def hostile_panel(text: str) -> Panel:
    """Every text of the answer is this one, and harmless lines stand around it."""
    stored = text.encode("utf-8", "replace").decode()  # of all columns, only that of the messages may hold surrogates
    lines = frame_of(
        [("info", "before", "harmless"), ("error", stored, text), ("info", "after", "harmless")],
        trace=stored,
        labels={"namespace": stored, "other": "fine"},
    )
    pattern = {
        "template": stored,
        "service": stored,
        "services": [stored] * 6,
        "examples": [text] * 3,
        "values": [[text] * 5],
        "level": "error",
    }
    table = patterns_of([{"template": "harmless one"}, pattern, {"template": "harmless two"}])
    return panel(lines, table, text=text)
