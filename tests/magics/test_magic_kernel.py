"""In a real kernel: completion and interrupt over Jupyter's messages, and what is put into the notebook."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jupyter_client.manager import KernelManager

if TYPE_CHECKING:
    from conftest import FakePrometheus


_SECONDS = 90.0


class Kernel:
    """A kernel, and cells run in it."""

    def __init__(self, manager: KernelManager, client: Any) -> None:
        self.manager = manager
        self.client = client

    def start(self, cell: str) -> str:
        return str(self.client.execute(cell))

    def finish(self, request: str) -> list[dict[str, Any]]:
        """All that the cell put out, in the shape of the messages."""
        messages = []
        while True:
            message = self.client.get_iopub_msg(timeout=_SECONDS)
            if message["parent_header"].get("msg_id") != request:
                continue
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return messages
            messages.append({"type": message["msg_type"], **message["content"]})

    def run(self, cell: str) -> list[dict[str, Any]]:
        return self.finish(self.start(cell))

    def complete(self, marked: str) -> list[str]:
        position = marked.index("¦")
        text = marked.replace("¦", "")
        request = self.client.complete(text, position)
        while True:
            reply = self.client.get_shell_msg(timeout=_SECONDS)
            if reply["parent_header"].get("msg_id") == request:
                break
        content = reply["content"]
        return [text[: content["cursor_start"]] + one + text[content["cursor_end"] :] for one in content["matches"]]


@pytest.fixture
def kernel(server: FakePrometheus, tmp_path: Path) -> Iterator[Kernel]:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(tmp_path), extra_arguments=["--HistoryManager.enabled=False"])
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=_SECONDS)
        kernel = Kernel(manager, client)
        kernel.run("from obs_magics.magics import names\nnames.DEADLINE_SECONDS = 60")
        kernel.run(f"%load_ext obs_magics\n%obs connect prom {server.address}")
        yield kernel
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


def test_a_kernel_completes_draws_and_stops(kernel: Kernel, server: FakePrometheus) -> None:
    assert kernel.complete("%%obs_metrics --last 1h\nhttp_req¦") == ["%%obs_metrics --last 1h\nhttp_requests_total"]
    assert kernel.complete('%obs_metrics up{job="ca¦') == ['%obs_metrics up{job="cart']
    assert "%timeit" in kernel.complete(
        "%timei¦"
    )  # elsewhere IPython's own have their say; jedi may be late, this is not

    messages = kernel.run("%%obs_metrics errors <<\nup")
    chart, panel = (message["data"] for message in messages if message["type"] == "display_data")
    assert {"application/vnd.vegalite.v5+json", "image/svg+xml", "text/plain"} <= set(chart)
    assert {"text/html", "text/plain"} == set(panel)
    assert [message["type"] for message in messages if message["type"] == "execute_result"] == ["execute_result"]
    assert not any(message["type"] in {"stream", "error"} for message in messages)

    request = kernel.start("%obs_metrics errors << never")
    until = time.monotonic() + _SECONDS
    while not any("never" in query for query in server.queries()):
        assert time.monotonic() < until
        time.sleep(0.01)
    began = time.monotonic()
    kernel.manager.interrupt_kernel()
    (error,) = [message for message in kernel.finish(request) if message["type"] == "error"]
    assert time.monotonic() - began < _SECONDS / 2  # the server would not answer before 120 s
    assert error["traceback"] == ["interrupted: nothing was fetched"]
    (left,) = [message["data"]["text/plain"] for message in kernel.run("len(errors) > 0") if "data" in message]
    assert left == "True"
