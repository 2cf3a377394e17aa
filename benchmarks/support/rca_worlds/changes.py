"""Changes: the one behind a fault, and those that happened to be near it in time, in place or in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

_PEOPLE = ("amir.haddad", "chen.li", "dana.weiss", "femi.ade", "ines.costa", "jonas.berg", "mara.novak", "tom.okafor")


@dataclass(frozen=True, slots=True)
class Written:
    """What a commit says: title, file below its service's folder, removed and added lines."""

    title: str
    file: str
    removed: str
    added: str


# The changes behind faults; `{}` are the things that the fault's messages name as well.
CAUSES: Mapping[str, tuple[Written, ...]] = {
    "pool": (
        Written(
            "tune {domain} datasource",
            "config/application.yaml",
            "  maximum-pool-size: 50",
            "  maximum-pool-size: {few}",
        ),
        Written(
            "chore: align {thing} connection settings",
            "db/pool.go",
            "\tdb.SetMaxOpenConns(80)",
            "\tdb.SetMaxOpenConns({few})",
        ),
    ),
    "limit": (
        Written("chore: tidy {domain} limits", "config/limits.yaml", "  {field}_limit: 5000", "  {field}_limit: {few}"),
        Written(
            "config: {field} quotas per tenant", "config/tenants.json", '  "{field}": 20000,', '  "{field}": {few},'
        ),
    ),
    "timeout": (
        Written("perf: fail fast when {thing} hangs", "client/{thing}.py", "TIMEOUT = 2.0", "TIMEOUT = 0.0{few}"),
        Written(
            "align client deadlines",
            "internal/client.go",
            "\tDeadline: 3 * time.Second,",
            "\tDeadline: {few} * time.Millisecond,",
        ),
    ),
    "code": (
        Written(
            "refactor: simplify {thing} mapping",
            "src/{thing}_handler.py",
            "    if value is None:\n        return None",
            "    return value.{field}()",
        ),
        Written(
            "feat({domain}): support new {thing} layout",
            "handlers/{thing}.go",
            "\tif in.{Field} == nil {{\n\t\treturn nil\n\t}}",
            "\tout := in.{Field}.Copy()",
        ),
        Written(
            "cleanup after {domain} migration",
            "src/main/java/{Thing}Handler.java",
            '    return map.getOrDefault("{field}", EMPTY);',
            '    return map.get("{field}_id");',
        ),
    ),
    "slow_code": (
        Written(
            "feat: enrich {thing} with details",
            "src/{thing}.py",
            "    rows = fetch_all(ids)",
            "    rows = [fetch_one(i) for i in ids]",
        ),
        Written("use precise {thing} matching", "internal/match.go", "\tcache.Get(key)", "\tcompute(key)"),
        Written("bump framework", "pom.xml", "    <version>2.7.8</version>", "    <version>3.1.0</version>"),
    ),
    "leak": (
        Written(
            "keep recent {thing} at hand",
            "src/{thing}_store.py",
            "        self._items = deque(maxlen=1000)",
            "        self._items = []",
        ),
        Written(
            "feat: cache {thing} per session",
            "internal/cache.go",
            "\tcache := lru.New(1024)",
            "\tcache := map[string]any{{}}",
        ),
    ),
    "index": (
        Written(
            "migration: drop unused indexes", "db/migrate/0{few}_cleanup.sql", "", "DROP INDEX idx_{thing}_{field};"
        ),
        Written(
            "filter {thing} by {field}", "repository/{thing}.py", "    WHERE id = :id", "    WHERE {field} = :{field}"
        ),
    ),
    "batch": (
        Written(
            "nightly job for {thing} every hour",
            "jobs/{thing}_cron.yaml",
            "schedule: '0 3 * * *'",
            "schedule: '0 * * * *'",
        ),
    ),
    "retry": (
        Written("make {domain} calls more robust", "client/retry.go", "\tMaxAttempts: 1,", "\tMaxAttempts: {few},"),
        Written("retry on slow answers", "src/http_client.py", "retries = 0", "retries = {few}"),
    ),
}

# Innocent ones: generic, or near the fault's words.
_DECOYS: tuple[Written, ...] = (
    Written("docs: describe {domain} runbook", "docs/runbook.md", "", "# Runbook"),
    Written("test: cover {domain} edge cases", "src/test_{domain}.py", "", "def test_edge(): ..."),
    Written("chore: bump dependencies", "package.json", '    "axios": "1.6.2",', '    "axios": "1.6.7",'),
    Written("style: sort imports", "src/{domain}.py", "import os", "import io"),
    Written(
        "feat: add {other} badge to {domain} page", "src/views/{domain}.ts", "  return <Row/>", "  return <Row badge/>"
    ),
    Written(
        "refactor({domain}): extract helper", "internal/{domain}.go", "\treturn build(a, b)", "\treturn assemble(a, b)"
    ),
    Written("fix: rounding of {other}", "src/{other}.py", "    return round(x)", "    return round(x, 2)"),
    Written("log {other} identifiers", "internal/log.go", "", '\tlog.Info("{other}", "id", id)'),
    Written("ci: cache layers", ".github/workflows/build.yml", "", "      cache: true"),
    Written("feat: export {other} counters", "internal/metrics.go", "", '\tprometheus.NewCounter("{other}_total")'),
    Written("remove deprecated {other} field", "api/{domain}.proto", "  string {other} = 4;", "  reserved 4;"),
    Written("raise {other} workers", "deploy/values.yaml", "  workers: 4", "  workers: 6"),
)
# What shares words with the fault and is innocent.
_NEAR_DECOYS: tuple[Written, ...] = (
    Written("tidy {thing} naming", "src/{thing}.py", "    {thing}_list = []", "    {thing}s = []"),
    Written("feat: show {field} in admin", "web/{field}.ts", "", "  <Cell value={field}/>"),
    Written("chore: log {thing} sizes", "internal/{thing}_log.go", "", '\tlog.Debug("{thing}", "n", n)'),
)


class Told:
    """Writes the events of one world.

    Args:
        random: For what is drawn.
        names: What `{}` stand for.
        start: When the trouble began, in seconds since the epoch.
    """

    def __init__(self, random: Random, names: Mapping[str, Any], start: int) -> None:
        self._random, self._names, self._start = random, names, start
        self.events: list[dict[str, Any]] = []
        self.decoys: list[str] = []

    def cause(self, key: str, service: str, domain: str, lag_s: int) -> str:
        """The change behind the fault; its id."""
        at = self._start - lag_s
        if key == "flag":
            name = f"{self._names['thing']}_{self._names['field']}_v2"
            self.events.append({"kind": "flag", "ts": at, "service": service, "id": name, "change": "off->on"})
            return name
        written = self._random.choice(CAUSES[key])
        if key in {"pool", "limit", "timeout", "retry"} and self._random.random() < 0.5:
            return self._setting(written, service, domain, at)
        return self._commit(written, service, domain, at, deployed=True)

    def decoy(self, service: str, domain: str, at: int, *, near: bool, deployed: bool) -> None:
        """An innocent change; `near` ones have words in common with the trouble."""
        written = self._random.choice(_NEAR_DECOYS if near else _DECOYS)
        self.decoys.append(self._commit(written, service, domain, at, deployed=deployed))

    def alert(self, service: str, title: str, at: int) -> None:
        """An alert."""
        self.events.append({"kind": "alert", "ts": at, "service": service, "title": title, "severity": "critical"})

    def flag(self, service: str, at: int) -> None:
        """An innocent flag."""
        name = f"{self._random.choice(('new', 'beta', 'fast'))}_{self._names['other']}_{self._random.randrange(90)}"
        self.events.append({"kind": "flag", "ts": at, "service": service, "id": name, "change": "off->on"})
        self.decoys.append(name)

    def provider(self, name: str, at: int) -> None:
        """A provider's status page."""
        started = f"{_iso(at)}+00:00"
        told = [{"id": f"inc-{at}", "name": f"Elevated errors on {name} API", "impact": "major", "started_at": started}]
        self.events.append({"kind": "status_feed", "ts": at, "data": {"provider": name, "incidents": told}})

    def _setting(self, written: Written, service: str, domain: str, at: int) -> str:
        names = {**self._names, "domain": domain}
        (key, old), (_key, new) = (
            (
                line.format(**names).strip().rstrip(",").replace("=", ":").rsplit(":", 1)
                for line in (written.removed, written.added)
            )
            if ":" in written.removed or "=" in written.removed
            else ((written.title, "80"), ("", "8"))
        )
        ident = f"cfg-{self._random.getrandbits(32):08x}"
        title = f"{service}: {key.strip()} {old.strip()} -> {new.strip()}"
        self.events.append({"kind": "config_change", "ts": at, "service": service, "id": ident, "title": title})
        return ident

    def _commit(self, written: Written, service: str, domain: str, at: int, *, deployed: bool) -> str:
        names = {**self._names, "domain": domain}
        ident = f"{self._random.getrandbits(160):040x}"
        folder = self._random.choice(("services/{}/", "{}/", "apps/{}/")).format(service.rsplit("/", maxsplit=1)[-1])
        file = folder + written.file.format(**names)
        lines = [f"@@ {file} @@"]
        for sign, text in (("-", written.removed), ("+", written.added)):
            lines += [sign + line for line in text.format(**names).split("\n") if line]
        made = at - self._random.randrange(120, 2400)
        self.events.append(
            {
                "kind": "commit",
                "ts": made,
                "id": ident,
                "author": self._random.choice(_PEOPLE),
                "title": written.title.format(**names),
                "files": [file],
                "diff": "\n".join(lines) if self._random.random() < 0.85 else None,
            }
        )
        if deployed:
            version = f"v{self._random.randrange(1, 9)}.{self._random.randrange(40)}.{self._random.randrange(9)}"
            self.events.append({"kind": "deploy", "ts": at, "service": service, "id": ident, "version": version})
        return ident


def _iso(seconds: int) -> str:
    """ISO 8601 in UTC, without an offset."""
    return str(np.datetime64(seconds, "s"))


def drawn_names(random: Random, words: Sequence[str]) -> dict[str, Any]:
    """What the things of a world are called."""
    thing, other = random.sample(words, 2)
    field = random.choice(("amount", "region", "variant", "tier", "locale", "segment", "checksum", "weight", "owner"))
    return {
        "thing": thing,
        "Thing": thing.title(),
        "other": other,
        "field": field,
        "Field": field.title(),
        "few": random.randrange(2, 9),
        "number": random.randrange(800, 9000),
        "partner": random.choice(("stripe", "twilio", "adyen", "sendgrid", "maxmind", "auth0", "avalara")),
    }
