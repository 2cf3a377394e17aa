"""A real IPython shell with the magics on it, and a small server that speaks Prometheus' API."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import RichOutput, capture_output
from support.servers import nobody

from obs_magics.api import Session
from obs_magics.magics import names, register, unregister

SERIES = [
    {"__name__": "up", "job": "api", "instance": "a:1"},
    {"__name__": "up", "job": "cart", "instance": "b:1"},
    {"__name__": "http_requests_total", "job": "api", "code": "200", "path": 'say "hi"'},
    {"__name__": "http_requests_total", "job": "api", "code": "500", "path": "/a.b"},
]
METADATA = {
    "up": {"type": "gauge", "unit": "", "help": "Is it <b>up</b>?"},
    "http_requests_total": {"type": "counter", "unit": "", "help": "Requests."},
}


@dataclass
class FakePrometheus:
    """What the server was asked, and how it is to behave.

    A query with `never` in it is not answered before `release` is set; one with `broken` is refused.
    """

    address: str = ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    slow_names: bool = False

    def queries(self) -> list[str]:
        return [form["query"] for path, form in self.asked if path in {"/api/v1/query", "/api/v1/query_range"}]

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        self.asked.append((path, form))
        if path.startswith("/api/v1/query"):
            return self._query(path, form)
        if self.slow_names and ("labels" in path or "/label/" in path):
            self.release.wait(120)
        match = form.get("match[]", "")
        chosen = [one for one in SERIES if match in {"", one["__name__"]}]
        data: Any = {
            "/api/v1/status/buildinfo": {"version": "2.42.0", "revision": "", "branch": "", "goVersion": "go1.19"},
            "/api/v1/labels": sorted({name for one in chosen for name in one}),
            "/api/v1/series": chosen,
            "/api/v1/metadata": {form.get("metric"): [METADATA[form["metric"]]]}
            if form.get("metric") in METADATA
            else {},
        }.get(path)
        if path.startswith("/api/v1/label/"):
            label = path.split("/")[4]
            data = sorted({one[label] for one in chosen if label in one})
        return (404, {}) if data is None else (200, {"status": "success", "data": data})

    def _query(self, path: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        query = form["query"]
        if "never" in query:
            self.release.wait(120)
        if "broken" in query:
            error = 'invalid parameter "query": 1:5: parse error: unexpected <op:->'
            return 400, {"status": "error", "errorType": "bad_data", "error": error}
        chosen = [] if "empty" in query else [one for one in SERIES if one["__name__"] in query] or [{}]
        if path == "/api/v1/query":
            at = float(form.get("time", 0))
            result = [{"metric": one, "value": [at, "1"]} for one in chosen]
            return 200, {"status": "success", "data": {"resultType": "vector", "result": result}}
        start, end, step = (float(form[key]) for key in ("start", "end", "step"))
        points = [[start + step * index, str(index % 7)] for index in range(int((end - start) / step) + 1)]
        result = [{"metric": one, "values": points} for one in chosen]
        return 200, {"status": "success", "data": {"resultType": "matrix", "result": result}}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._reply(dict(parse_qsl(urlsplit(self.path).query)))

    def do_POST(self) -> None:
        self._reply(dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode())))

    def _reply(self, form: dict[str, str]) -> None:
        status, body = self.server.fake.answer(urlsplit(self.path).path, form)  # type: ignore[attr-defined]
        data = json.dumps(body).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except OSError:
            self.close_connection = True  # who asked has gone, as after an interrupt

    def log_message(self, *_arguments: Any) -> None:
        """The test's output is its own."""


@pytest.fixture
def server() -> Iterator[FakePrometheus]:
    fake = FakePrometheus()
    http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    http.fake = fake  # type: ignore[attr-defined]
    http.daemon_threads = True
    fake.address = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield fake
    fake.release.set()
    http.shutdown()
    http.server_close()
    thread.join(60)


@dataclass
class Cell:
    """What a cell did."""

    result: Any
    error: BaseException | None
    stdout: str
    stderr: str
    outputs: list[RichOutput]

    @property
    def text(self) -> str:
        """All that a person sees, as text."""
        return "\n".join([self.stdout, *(output.data.get("text/plain", "") for output in self.outputs)])


@dataclass
class Shell:
    """A shell to run cells in."""

    ip: Any
    session: Session

    def run(self, cell: str) -> Cell:
        with capture_output() as captured:
            done = self.ip.run_cell(cell)
        error = done.error_before_exec or done.error_in_exec
        return Cell(done.result, error, captured.stdout, captured.stderr, captured.outputs)

    @property
    def variables(self) -> dict[str, Any]:
        return self.ip.user_ns


@pytest.fixture(scope="session")
def one_shell() -> Any:
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    shell.colors = "nocolor"
    return shell


@pytest.fixture
def ipython(one_shell: Any) -> Any:
    """The shell of the process; tests elsewhere have shells of their own, and clear the one there is."""
    for kind in one_shell._walk_mro():
        kind._instance = one_shell
    return one_shell


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names for completion are waited for, however busy the machine; what the deadline does has tests of its own."""
    monkeypatch.setattr(names, "DEADLINE_SECONDS", 60.0)


@pytest.fixture
def bare_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.chdir(tmp_path)
    for name in ("OBS_MAGICS_CONFIG", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with Session(zone="UTC") as session:
        yield session


@pytest.fixture
def make_shell(ipython: Any, bare_session: Session) -> Iterator[Callable[[], Shell]]:
    before = dict(ipython.user_ns)

    def make() -> Shell:
        register(ipython, lambda: bare_session)
        return Shell(ipython, bare_session)

    yield make
    unregister(ipython)
    for name in [name for name in ipython.user_ns if name not in before]:
        del ipython.user_ns[name]


@pytest.fixture
def bare_shell(make_shell: Callable[[], Shell]) -> Shell:
    """Without any source."""
    return make_shell()


@pytest.fixture
def shell(make_shell: Callable[[], Shell], bare_session: Session, server: FakePrometheus) -> Shell:
    """With the source `prom`."""
    bare_session.connect("prom", server.address)
    server.asked.clear()
    return make_shell()


@pytest.fixture
def unused_address() -> Iterator[str]:
    """Nobody listens there."""
    with nobody() as address:
        yield address
