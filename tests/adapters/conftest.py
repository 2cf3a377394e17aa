"""Adapters ask again at once, how long one waits is tried with the client; and wait for what may come late."""

from __future__ import annotations

from functools import partial

import pytest

from obs_magics.adapters.prometheus import source
from obs_magics.net import client
from obs_magics.net.retry import Retry


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "Retry", partial(Retry, first_delay=0.001))


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "_UNIT_SECONDS", 60.0)
