"""Adapters ask again without waiting long: how long one waits is tried with the client."""

from __future__ import annotations

from functools import partial

import pytest

from obs_magics.net import client
from obs_magics.net.retry import Retry


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "Retry", partial(Retry, first_delay=0.001))
