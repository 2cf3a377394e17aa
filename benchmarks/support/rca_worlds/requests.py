"""A world's requests: spans of sampled requests, and the lines that services write about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
import pandas as pd
from support.rca_worlds.faults import FAULTS
from support.rca_worlds.graph import Node
from support.rca_worlds.series import unseen
from support.rca_worlds.state import STEP_S
from support.rca_worlds.world import World

_MOST_DEPTH = 8
_SPARSE = 4  # every so many instants requests are drawn from, by how many there were
_PLAIN = ("request received", "loaded {domain} in {n} ms", "calling {other}", "request done in {n} ms")
_FORMS: Mapping[str, str] = {
    "java": "{clock} {level} c.a.{domain}.{Title}Service#{line} {text}",
    "python": "{domain}/handlers.py:{line} {text}",
    "json": '{{"msg": "{text}", "svc": "{domain}", "n": {n}}}',
    "plain": "{text}",
    "logfmt": 'level={level} msg="{text}" took={n}ms',
}


@dataclass
class Recorded:
    """Spans and lines, as columns of tables."""

    spans: list[dict[str, Any]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class _Walk:
    """Walks requests down the graph."""

    world: World
    random: Random
    form: str
    traced_logs: bool
    out: Recorded
    span: int = 0

    def request(self, number: int, second: float) -> None:
        """One request from an entry."""
        entry = self.random.choice(self.world.graph.entries)
        self.visit(entry, number, -1, second, 0)

    def visit(self, at: int, trace: int, parent: int, second: float, depth: int) -> tuple[float, bool]:
        """A node's part of a request: how long it took in seconds, and whether it failed."""
        world, random = self.world, self.random
        node, state = world.graph.nodes[at], world.state
        now = min(max(int((second - state.seconds[0]) // STEP_S), 0), len(state.seconds) - 1)
        self.span += 1
        own_id = self.span
        work = state.own[now, at] / 1e3 * random.lognormvariate(0, 0.25)
        took, said = work * 0.4, second
        failed = random.random() < state.fails[now, at]
        self.say(node, (trace, own_id), said, _PLAIN[0], "INFO")
        if failed:
            error = self.error(at)
            self.say(node, (trace, own_id), second + took, error, "ERROR")
            self.record(at, (trace, own_id, parent), second, took, error)
            return took, True
        self.say(node, (trace, own_id), second + took, _PLAIN[1], "INFO")
        broken = ""
        for number, edge in enumerate(world.graph.edges):
            if edge.caller != at or depth >= _MOST_DEPTH or broken:
                continue
            times = edge.calls * state.repeats[now, number]
            for _ in range(int(times) + (random.random() < times % 1)):
                callee = world.graph.nodes[edge.callee]
                gap = state.gap[now, number] / 1e3 * random.lognormvariate(0, 0.4)
                self.say(node, (trace, own_id), second + took, _PLAIN[2], "INFO", other=callee.domain)
                spent, bad = self.visit(edge.callee, trace, own_id, second + took + gap / 2, depth + 1)
                took += gap + spent
                if bad and not edge.optional:
                    broken = f"call to {callee.name} failed"
                    break
        took += work * 0.6
        if broken:
            self.say(node, (trace, own_id), second + took, broken, "ERROR")
        else:
            self.say(node, (trace, own_id), second + took, _PLAIN[3], "INFO")
        if at == world.place and FAULTS[world.fault].warnings and world.start <= second < world.end:
            self.warn(node, trace, own_id, second + took)
        self.record(at, (trace, own_id, parent), second, took, broken)
        return took, bool(broken)

    def error(self, at: int) -> str:
        """What a failing node logs: the fault's words at its place, else what always fails now and then."""
        fault = FAULTS[self.world.fault]
        if at == self.world.place and fault.errors:
            place = self.world.seed % len(fault.errors)
            return fault.errors[place].format(**self.world.names)
        return "client closed connection"

    def warn(self, node: Node, trace: int, span: int, second: float) -> None:
        """Now and then what the faulty node says besides."""
        if self.random.random() < 0.3:
            text = self.random.choice(FAULTS[self.world.fault].warnings).format(**self.world.names)
            self.say(node, (trace, span), second, text, "WARN")

    def say(self, node: Node, ids: tuple[int, int], second: float, text: str, level: str, *, other: str = "") -> None:
        """One line of a node's log; stores write none."""
        if node.kind not in {"gateway", "service"}:
            return
        n = self.random.randrange(2, 900)
        body = text.format(domain=node.domain, other=other, n=n) if text in _PLAIN else text
        line = 20 + sum(map(ord, text)) % 400
        clock = f"{int(second) % 86400 // 3600:02d}:{int(second) % 3600 // 60:02d}:{int(second) % 60:02d}.{n:03d}"
        message = _FORMS[self.form].format(
            clock=clock, level=level, domain=node.domain, Title=node.domain.title(), line=line, text=body, n=n
        )
        told = dict(zip(("trace_id", "span_id"), ids, strict=True)) if self.traced_logs else {}
        self.out.lines.append(
            {"ts_ms": int(second * 1000), "service": node.name, "level": level, "message": message, **told}
        )

    def record(self, at: int, ids: tuple[int, int, int], second: float, took: float, error: str) -> None:
        """One span, of nodes that are traced."""
        node = self.world.graph.nodes[at]
        self.out.spans.append(
            {
                "trace_id": ids[0],
                "span_id": ids[1],
                "parent_id": ids[2],
                "service": node.name,
                "node": at,
                "operation": f"{'GET' if node.kind != 'queue' else 'publish'} /{node.domain}",
                "start_us": int(second * 1e6),
                "duration_us": max(int(took * 1e6), 1),
                "error": error,
            }
        )


def recorded(world: World) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    """The tables `logs.parquet` and `traces.parquet` of a case; None where there are none."""
    if world.evidence in {"metrics only", "metrics and graph"}:
        return None, None
    random = Random(f"requests {world.seed}")
    form = random.choice(sorted(_FORMS))
    out = Recorded()
    walk = _Walk(world, random, form, random.random() < 0.6, out)
    count = random.choice((150, 300, 500, 800))
    entry = world.state.entry[::_SPARSE]
    seconds = world.state.seconds[::_SPARSE].tolist()
    instants = random.choices(seconds, weights=entry.tolist(), k=count)
    instants = [second + random.uniform(0, _SPARSE * STEP_S) for second in instants]
    for number, second in enumerate(sorted(instants)):
        walk.request(number, second)
    logs = None if world.evidence == "no logs" else _logs(world, out, random)
    return logs, None if world.evidence == "no traces" else _traces(world, out, random)


def _logs(world: World, out: Recorded, random: Random) -> pd.DataFrame:
    names = {world.graph.nodes[at].name for at in unseen(world)}
    table = pd.DataFrame(out.lines)
    skews = {
        name: random.randrange(-4000, 4000) if world.evidence == "clocks apart" else 0
        for name in sorted(set(table["service"]))
    }
    table["ts_ms"] += table["service"].map(skews)
    return table[~table["service"].isin(names)].sort_values("ts_ms", kind="stable").reset_index(drop=True)


def _traces(world: World, out: Recorded, random: Random) -> pd.DataFrame:
    table = pd.DataFrame(out.spans)
    hidden = unseen(world) | {at for at, node in enumerate(world.graph.nodes) if not node.traced}
    parents = dict(zip(table["span_id"].tolist(), table["parent_id"].tolist(), strict=True))
    lost = set(table.loc[table["node"].isin(list(hidden)), "span_id"].tolist())
    table["parent_id"] = [_seen(parent, parents, lost) for parent in table["parent_id"].tolist()]
    table = table[~table["node"].isin(list(hidden))].drop(columns="node")
    if world.evidence == "few traces":
        kept = set(random.sample(sorted(set(table["trace_id"].tolist())), k=min(8, table["trace_id"].nunique())))
        table = table[table["trace_id"].isin(list(kept))]
    if random.random() < 0.6:
        table["status"] = np.where(table["error"] != "", "ERROR", "OK")
    error = table.pop("error")
    if "status" in table and random.random() < 0.5:
        table["attributes"] = [
            f'{{"error": "{text}"}}'.replace("\\", "") if text and '"' not in text else "{}" for text in error
        ]
    return table.reset_index(drop=True)


def _seen(parent: int, parents: Mapping[int, int], lost: set[int]) -> int:
    while parent in lost:
        parent = parents[parent]
    return parent
