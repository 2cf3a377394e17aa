"""Recorded exchanges with real servers, replayed byte for byte over a real socket."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

# The body is stored decoded, so headers that speak of its transport no longer hold.
_TRANSPORT_HEADERS = {"content-encoding", "transfer-encoding", "content-length", "connection", "date"}


@dataclass(frozen=True)
class Recording:
    """One exchange: what was asked, and what the server answered."""

    file: str
    name: str
    method: str
    path: str
    parameters: Mapping[str, Any]
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    truncated: bool
    server_version: str


def load(folder: Path) -> list[Recording]:
    """All exchanges of one server that ended in an answer."""
    found = []
    for path in sorted(folder.glob("*.json")):
        data = json.loads(path.read_text())
        if "response" not in data:  # the transport failed: nothing to replay
            continue
        request, response = data["request"], data["response"]
        body = response.get("body") or ""
        raw = base64.b64decode(body) if response.get("encoding") == "base64" else body.encode()
        found.append(
            Recording(
                file=path.name,
                name=data["name"],
                method=request["method"],
                path=request["path"],
                parameters={**(request["params"] or {}), **(request["form"] or {})},
                status=response["status"],
                headers=tuple((k, v) for k, v in response["headers"] if k.lower() not in _TRANSPORT_HEADERS),
                body=raw,
                truncated=bool(response.get("truncated")),
                server_version=data.get("server_version", ""),
            )
        )
    return found


@dataclass
class Seen:
    """A request as it reached the replaying server."""

    method: str
    path: str
    parameters: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes


@contextlib.contextmanager
def replay(answers: Mapping[str, Recording]) -> Iterator[tuple[str, list[Seen]]]:
    """Serve recordings by path: whatever is asked at a path gets that path's recording, unknown paths a 404.

    Gives the address and a list that fills with the requests as they arrive.
    """
    seen: list[Seen] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            parts = urlsplit(self.path)
            pairs = parse_qsl(parts.query, keep_blank_values=True)
            if "form" in (self.headers.get("content-type") or ""):
                pairs += parse_qsl(body.decode(), keep_blank_values=True)
            headers = {key.lower(): value for key, value in self.headers.items()}
            seen.append(Seen(self.command, parts.path, pairs, headers, body))
            recording = answers.get(parts.path)
            status, content = (recording.status, recording.body) if recording else (404, b"404 page not found\n")
            self.send_response(status)
            for key, value in recording.headers if recording else (("content-type", "text/plain"),):
                self.send_header(key, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _answer

        def log_message(self, *args: Any) -> None:
            """Tests do not talk."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", seen
    finally:
        server.shutdown()
        server.server_close()
