"""Real servers for tests: each is a context manager that gives the server's address."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

# Below what systems hand out by themselves (32,768 and up on Linux, 49,152 elsewhere), and of this process alone: what
# a server is told to listen on a moment later is then taken by no connection and by no test of another process.
_FIRST_PORT, _PORTS_EACH, _SLICES = 20_000, 60, 200
_ports = itertools.cycle(range(_PORTS_EACH))

# How long a server may take to start on a machine that has much else to do.
_START_SECONDS = 120.0
_STOP_SECONDS = 30.0


def free_port() -> int:
    """A port nobody listens on, for a server that has to be told one."""
    first = _FIRST_PORT + os.getpid() % _SLICES * _PORTS_EACH
    for offset in itertools.islice(_ports, _PORTS_EACH):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", first + offset))
            return first + offset
    raise RuntimeError(f"no port from {first} to {first + _PORTS_EACH - 1} is free")


@contextlib.contextmanager
def nobody() -> Iterator[str]:
    """An address at which every connection is refused: its port is held, and nobody listens."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{holder.getsockname()[1]}"


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process: kindly, and if that does not help, not."""
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended at once: {log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(url, timeout=10) as reply:
                if reply.status == 200:
                    return
        except OSError:  # urllib's own errors and timeouts are such
            time.sleep(0.05)
    raise RuntimeError(f"the server did not get ready: {log.read_text()[-2000:]}")


@contextlib.contextmanager
def _running(command: Sequence[str], ready_url: str, folder: Path) -> Iterator[None]:
    log = folder / "log.txt"
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, cwd=folder)
    try:
        _wait_ready(ready_url, process, log)
        yield
    finally:
        stop(process)


@contextlib.contextmanager
def prometheus(
    openmetrics: str = "", *, options: Sequence[str] = (), web_config: str = "", rules: str = "", alertmanager: str = ""
) -> Iterator[str]:
    """A real Prometheus over blocks made from OpenMetrics text with timestamps (ending in ``# EOF``).

    Args:
        openmetrics: The data; empty for a server without any.
        options: More command-line options (``--query.max-samples=1000``).
        web_config: YAML for ``--web.config.file`` (basic auth, TLS).
        rules: A file of rules, which are evaluated every second.
        alertmanager: Where alerts are sent to: an address.
    """
    with tempfile.TemporaryDirectory(prefix="obs-prometheus-") as name:
        folder = Path(name)
        (folder / "prometheus.yml").write_text(_prometheus_config(rules, alertmanager))
        (folder / "rules.yml").write_text(rules or "groups: []\n")
        if openmetrics:
            (folder / "data.om").write_text(openmetrics)
            make = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", "data.om", "data"]
            subprocess.run(make, check=True, capture_output=True, cwd=folder)
        port = free_port()
        command = [
            "prometheus",
            "--config.file=prometheus.yml",
            "--storage.tsdb.path=data",
            "--storage.tsdb.retention.time=3650d",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
            "--enable-feature=promql-at-modifier,promql-negative-offset",
            *(["--rules.alert.resend-delay=1s"] if alertmanager else []),  # else what it missed comes a minute later
            *options,
        ]
        ready = f"http://127.0.0.1:{port}/-/ready"
        if web_config:
            (folder / "web.yml").write_text(web_config)
            command.append("--web.config.file=web.yml")
        with _running(command, ready, folder) if not web_config else _guarded(command, port, folder):
            yield f"http://127.0.0.1:{port}"


def _prometheus_config(rules: str, alertmanager: str) -> str:
    told = "global: {scrape_interval: 15s, evaluation_interval: 1s, external_labels: {cluster: test}}\n"
    told += "rule_files: [rules.yml]\n" if rules else ""
    if alertmanager:
        host = alertmanager.removeprefix("http://")
        told += f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{host}']}}]}}]}}\n"
    return told if rules else "global: {scrape_interval: 15s}\n"


@contextlib.contextmanager
def alertmanager(config: str = "", *, web_config: str = "") -> Iterator[str]:
    """A real Alertmanager that tells nobody.

    Args:
        config: Its configuration; empty for one receiver without a way to tell.
        web_config: YAML for ``--web.config.file`` (basic auth, TLS).
    """
    with tempfile.TemporaryDirectory(prefix="obs-alertmanager-") as name:
        folder = Path(name)
        quiet = "route: {receiver: nobody, group_wait: 0s}\nreceivers: [{name: nobody}]\n"
        (folder / "alertmanager.yml").write_text(config or quiet)
        port = free_port()
        command = [
            "prometheus-alertmanager",
            "--config.file=alertmanager.yml",
            "--storage.path=data",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
            "--log.level=warn",
        ]
        ready = f"http://127.0.0.1:{port}/-/ready"
        if web_config:
            (folder / "web.yml").write_text(web_config)
            command.append("--web.config.file=web.yml")
        with _running(command, ready, folder) if not web_config else _guarded(command, port, folder):
            yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def _guarded(command: Sequence[str], port: int, folder: Path) -> Iterator[None]:
    """A server that answers 401 to those who do not know the password is ready as soon as it answers."""
    log = folder / "log.txt"
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, cwd=folder)
    try:
        _wait_listening(port, process, log)
        yield
    finally:
        stop(process)


def _wait_listening(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=10):
            return
        time.sleep(0.05)
    raise RuntimeError(f"the server does not listen: {log.read_text()[-2000:]}")


@contextlib.contextmanager
def victoria_metrics(prometheus_text: str = "") -> Iterator[str]:
    """A real VictoriaMetrics, filled through its import API (text format with millisecond timestamps)."""
    with tempfile.TemporaryDirectory(prefix="obs-victoria-") as name:
        folder = Path(name)
        port = free_port()
        command = [
            "victoria-metrics",
            f"-httpListenAddr=127.0.0.1:{port}",
            "-storageDataPath=data",
            "-retentionPeriod=100y",
            "-loggerLevel=ERROR",
            "-search.latencyOffset=0s",
        ]
        address = f"http://127.0.0.1:{port}"
        with _running(command, f"{address}/health", folder):
            if prometheus_text:
                request = urllib.request.Request(
                    f"{address}/api/v1/import/prometheus", data=prometheus_text.encode(), method="POST"
                )
                urllib.request.urlopen(request, timeout=60).close()
                urllib.request.urlopen(f"{address}/internal/force_flush", timeout=60).close()
            yield address
