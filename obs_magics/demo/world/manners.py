"""How the programs of the demo world write a log line: JSON, logfmt, Java's pattern, nginx's access log, pino."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from obs_magics.demo.world.population import Pod


@dataclass(frozen=True, slots=True)
class Said:
    """What a program wants to say, before it is in the program's format."""

    time: int
    level: str
    text: str
    fields: tuple[tuple[str, str], ...]
    trace: str
    span: str
    pod: Pod


Writer = Callable[[Said], str]

_PINO = {"debug": 20, "info": 30, "warn": 40, "error": 50}


def written_time(time: int, pattern: str) -> str:
    """A time in nanoseconds as strftime writes it."""
    return datetime.fromtimestamp(time // 1_000_000 / 1000, UTC).strftime(pattern)


def milliseconds(time: int) -> str:
    """The three digits after the second."""
    return f"{time // 1_000_000 % 1000:03d}"


def _json(said: Said) -> str:
    return json.dumps(
        {
            "ts": written_time(said.time, "%Y-%m-%dT%H:%M:%S.") + milliseconds(said.time) + "Z",
            "level": said.level.upper(),
            "logger": said.pod.service.name.split("-", maxsplit=1)[0],
            "msg": said.text,
            **dict(said.fields),
            "trace_id": said.trace,
        },
        ensure_ascii=False,
    )


def _pino(said: Said) -> str:
    head = {"level": _PINO[said.level], "time": said.time // 1_000_000, "pid": 1, "hostname": said.pod.name}
    return json.dumps({**head, **dict(said.fields), "traceId": said.trace, "msg": said.text}, separators=(",", ":"))


def logfmt(said: Said) -> str:
    """Key=value pairs, as Go programs like them."""
    fields = " ".join(f"{name}={value}" for name, value in said.fields)
    when = written_time(said.time, "%Y-%m-%dT%H:%M:%S.") + milliseconds(said.time) + "Z"
    return f'ts={when} level={said.level} msg="{said.text}" {fields} trace_id={said.trace}'


def _python(said: Said) -> str:
    fields = " ".join(f"{name}={value}" for name, value in said.fields)
    when = written_time(said.time, "%Y-%m-%d %H:%M:%S,") + milliseconds(said.time)
    return f"{when} {said.level.upper():<7} ranking: {said.text} {fields}"


def _java(said: Said) -> str:
    words = said.pod.service.name.split("-", maxsplit=1)[0]
    when = written_time(said.time, "%Y-%m-%d %H:%M:%S.") + milliseconds(said.time)
    thread = f"http-nio-8080-exec-{int(said.trace[-2:], 16) % 24 + 1}" if said.trace else "scheduling-1"
    fields = "".join(f" {name}={value}" for name, value in said.fields if name != "stack")
    head = f"{when} {said.level.upper():>5} [{said.pod.service.name},{said.trace},{said.span}] 1 --- [{thread}] "
    stack = dict(said.fields).get("stack", "")
    return f"{head}c.s.{words}.{words.title()}Service : {said.text}{fields}{stack}"


def _nginx(said: Said) -> str:
    fields = dict(said.fields)
    client = f"81.2.{int(said.trace[:2], 16)}.{int(said.trace[2:4], 16)}"
    when = written_time(said.time, "%d/%b/%Y:%H:%M:%S +0000")
    request = f"{fields['method']} {fields['path']} HTTP/1.1"
    size = 180 + int(said.trace[4:7], 16)
    return (
        f'{client} - - [{when}] "{request}" {fields["status"]} {size} "-" "Mozilla/5.0" '
        f"rt={fields['seconds']} trace={said.trace}"
    )


WRITERS: dict[str, Writer] = {
    "api-gateway": _nginx,
    "checkout-api": _json,
    "payment-api": _java,
    "inventory-service": _java,
    "order-service": _java,
    "user-service": logfmt,
    "cart-service": _pino,
    "search-service": _java,
    "recommendation-service": _python,
    "notification-service": _pino,
}
