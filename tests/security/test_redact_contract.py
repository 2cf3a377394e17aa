"""The floors and aims on the labelled lines; predictions never see the labels."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from obs_magics.security.redact import PERSONAL_KINDS, Redactor, new_key

PERSONAL = PERSONAL_KINDS | {"phone"}


def leaks(text: str, secret: str) -> bool:
    inner = secret.split("\n")[1:-1] if "\n" in secret else [secret]
    return any(line in text for line in inner)


@pytest.mark.contract
def test_the_labelled_lines(shared: Path) -> None:
    lines = pd.read_parquet(shared / "data" / "logs" / "redact.parquet")
    redactor = Redactor(new_key(), pii=True)
    lines["safe"] = redactor.column(lines["text"])
    hide = lines[lines["kind"] != ""]
    gone = pd.Series([not leaks(*pair) for pair in zip(hide["safe"], hide["secret"], strict=True)], hide.index)
    recall = gone.groupby(hide["kind"]).mean()
    assert recall.min() >= 0.99, recall.to_string()
    clean = lines[lines["kind"] == ""]
    assert (clean["text"] != clean["safe"]).mean() <= 0.01
    assert redactor.column(lines["safe"]).equals(lines["safe"])


@pytest.mark.contract
@pytest.mark.parametrize("name", ["lines", "surge_lines"])
def test_real_logs_are_hardly_touched_without_a_policy(shared: Path, name: str) -> None:
    frame = pd.read_parquet(shared / "data" / "logs" / f"{name}.parquet")
    text = frame["raw" if "raw" in frame else "message"]
    redactor = Redactor(new_key(), pii={"card", "iban", "ssn", "phone"})
    assert (redactor.column(text) != text).mean() < 0.001, str(redactor.report)
