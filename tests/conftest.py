"""What all tests share: where the contracts lie, and when a missing server is a failure."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
CI = os.environ.get("CI", "").lower() in {"1", "true"}

# Jobs that a shell runs in the background ignore Ctrl-C, and hand that on; what is tried with it here needs it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("default", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")


def missing(what: str, way_out: str) -> None:
    """A test needs `what`: a failure on the build machine, a reported skip anywhere else."""
    message = f"{what} is not here: {way_out}"
    if CI:
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with contracts and data beside the project."""
    if not SHARED.is_dir():
        missing("../shared", "contract tests run only where it lies beside the project")
    return SHARED


@pytest.fixture(scope="session")
def prometheus_binary() -> str:
    """The real Prometheus server."""
    found = shutil.which("prometheus")
    if found is None or shutil.which("promtool") is None:
        missing("prometheus", "apt-get install prometheus (make test does it as root)")
    assert found
    return found


@pytest.fixture(scope="session")
def victoria_metrics_binary() -> str:
    """The real VictoriaMetrics server."""
    found = shutil.which("victoria-metrics")
    if found is None:
        missing("victoria-metrics", "apt-get install victoria-metrics (make test does it as root)")
    assert found
    return found


@pytest.fixture(scope="session")
def alertmanager_binary() -> str:
    """The real Alertmanager."""
    found = shutil.which("prometheus-alertmanager")
    if found is None:
        missing("prometheus-alertmanager", "apt-get install prometheus-alertmanager (make test does it as root)")
    assert found
    return found


@pytest.fixture(scope="session")
def vega_lite_schema() -> jsonschema.protocols.Validator:
    """The schema of the Vega-Lite that JupyterLab bundles."""
    from support.vega_lite import vega_lite_validator

    return vega_lite_validator()
