"""Sources of type `events` in a real shell: behind a URL, and files with odd events in them."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.log_files import write_log

from obs_magics.model.errors import AuthError, BadAnswer, ConfigError

if TYPE_CHECKING:
    from conftest import Shell

ROWS = [
    {"time": "2026-11-22T14:00:00Z", "kind": "deployment", "service": "pay", "title": "v2"},
    {"time": "2026-11-22T15:00:00Z", "kind": "config_change", "service": "cart", "title": "pool"},
]
CSV = "time,kind,service,title\n2026-11-22T14:00:00Z,deployment,pay,v2\n"
ASK = "%obs_events --source ci --start 2026-11-22T12:00Z --end 2026-11-22T18:00Z"


@dataclass
class Server:
    """A server on loopback that answers what stands in a table of paths."""

    url: str = ""
    answers: dict[str, list[tuple[int, dict[str, str], bytes]]] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def says(self, path: str, body: bytes | str, status: int = 200, **headers: str) -> None:
        """One more answer to a path; the last one stays."""
        content = body.encode() if isinstance(body, str) else body
        self.answers.setdefault(path, []).append((status, headers, content))


@pytest.fixture
def server() -> Iterator[Server]:
    told = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append((self.path, self.headers.get("Authorization")))
            answers = told.answers[self.path.partition("?")[0]]
            status, headers, body = answers.pop(0) if len(answers) > 1 else answers[0]
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    told.url = f"http://127.0.0.1:{http.server_port}"
    yield told
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(ROWS),
        json.dumps({"events": ROWS}),
        "\n".join(map(json.dumps, ROWS)),
        gzip.compress(json.dumps(ROWS).encode()),
    ],
    ids=["list", "wrapped", "lines", "gzip"],
)
def test_events_come_from_a_url(bare_shell: Shell, server: Server, body: bytes | str) -> None:
    server.says("/api/changes", body)
    told = bare_shell.run(f"%obs connect ci {server.url}/api/changes?per_page=100 --type events --token s3cr3t-token")
    assert told.error is None
    assert "2 events" in told.text
    found = bare_shell.run(ASK)
    assert found.error is None
    assert found.result["title"].tolist() == ["v2", "pool"]
    assert server.asked[-1] == ("/api/changes?per_page=100", "Bearer s3cr3t-token")
    assert found.result.obs.provenance.native_query == f"GET {server.url}/api/changes?per_page=100"
    assert "s3cr3t" not in found.text + told.text.replace("--token", "")


def test_csv_from_a_url_and_what_to_make_of_it(bare_shell: Shell, server: Server) -> None:
    server.says("/deployments.csv", CSV, **{"Content-Type": "text/csv", "Link": f'<{server.url}/x>; rel="next"'})
    bare_shell.run(f"%obs connect ci {server.url}/deployments.csv --type events")
    found = bare_shell.run(ASK)
    assert found.result["kind"].tolist() == ["deployment"]
    assert "more pages than this one" in found.result.obs.provenance.truncated


def test_a_server_that_is_busy_is_asked_again_and_one_with_nothing_to_tell_is_well(
    bare_shell: Shell, server: Server
) -> None:
    server.says("/e", "busy", 503, **{"Retry-After": "0"})
    server.says("/e", "[]")
    assert bare_shell.run(f"%obs connect ci {server.url}/e --type events").error is None
    found = bare_shell.run(ASK)
    assert found.error is None
    assert found.result.empty
    assert "there are no events here" in found.text


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (401, "no", AuthError, "401"),
        (200, "<!doctype html><title>Sign in</title>", BadAnswer, "HTML page (title: Sign in)"),
        (200, '{"a": 1', BadAnswer, "the answer cannot be read as events"),
        (200, "hello", BadAnswer, "the answer cannot be read as events"),
    ],
)
def test_what_a_server_says_else_is_an_error(
    *, bare_shell: Shell, server: Server, status: int, body: str, kind: type[Exception], said: str
) -> None:
    server.says("/e", body, status)
    error = bare_shell.run(f"%obs connect ci {server.url}/e --type events").error
    assert isinstance(error, kind)
    assert said in str(error)


def test_a_secret_in_the_query_of_a_url_is_refused(bare_shell: Shell) -> None:
    error = bare_shell.run("%obs connect ci http://127.0.0.1:1/e?access_token=abc --type events").error
    assert isinstance(error, ConfigError)
    assert "access_token" in str(error)
    assert "auth:" in str(error)


LONG = "x" * 1_000_000


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a.json", json.dumps([{**ROWS[0], "title": LONG}])),
        ("b.json", json.dumps([{**ROWS[0], "title": LONG}], indent=2)),
        ("c.jsonl", json.dumps({**ROWS[0], "title": LONG}) + "\n"),
        ("d.json", json.dumps({"deployments": [{**ROWS[0], "title": LONG}]})),
        ("e.csv", f"time,kind,service,title\n2026-11-22T14:00:00Z,deployment,pay,{LONG}\n" * 1),
    ],
)
def test_events_with_titles_of_a_megabyte_are_events(bare_shell: Shell, tmp_path: Path, name: str, body: str) -> None:
    write_log(tmp_path / name, body)
    bare_shell.run(f"%obs connect ci {tmp_path}")
    found = bare_shell.run(f"{ASK} --no-plot")
    assert found.error is None
    assert found.result["kind"].tolist() == ["deployment"]


ALERTS = [
    {"time": "2026-11-22T14:00:00Z", "end": "2026-11-22T13:00:00Z", "kind": "alert", "title": "odd"},
    {"time": "2026-11-22T14:00:00Z", "end": "0001-01-01T00:00:00Z", "kind": "alert", "title": "fires"},
    {"time": "2026-11-22T14:00:00Z", "end": "2026-11-22T14:00:00Z", "kind": "alert", "title": "flash"},
    {"time": "2026-11-22T14:00:00Z", "end": "2026-11-22T15:00:00Z", "kind": "alert", "title": "over"},
]


def test_an_alert_that_ends_before_it_begins_is_contradictory_and_over(bare_shell: Shell, tmp_path: Path) -> None:
    write_log(tmp_path / "alerts.json", json.dumps(ALERTS))
    write_log(tmp_path / "app.log", "2026-11-22T18:00:00Z ERROR x\n")
    told = bare_shell.run(f"%obs connect ci {tmp_path}")
    said = "alerts.json: 1 event ends before it begins: taken as over at once, not as going on"
    assert said in told.text
    found = bare_shell.run(ASK)
    frame = found.result.set_index("title")
    assert frame["end"].isna().to_dict() == {"odd": False, "fires": True, "flash": False, "over": False}
    assert frame["contradiction"].dropna().to_dict() == {"odd": "ends 2026-11-22T13:00:00Z, before it begins"}
    assert said in found.result.obs.provenance.warnings[0]
    late = bare_shell.run(ASK.replace("T12:00Z", "T16:00Z"))
    assert late.result["title"].tolist() == ["fires"]
    assert [
        one for one in bare_shell.run("%obs_logs --last 1h").result.obs.provenance.warnings if "alerts" in one
    ] == []
