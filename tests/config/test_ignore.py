"""What a project ignores: a file of entries with reasons, kept by hand and by the session alike."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pytest

from obs_magics.config.ignore import (
    IGNORE_FILE,
    Ignored,
    Kind,
    add_ignored,
    checked_entry,
    read_ignored,
    remove_ignored,
)
from obs_magics.model.anomalies import KINDS
from obs_magics.model.errors import ConfigError, UsageError

NOON = 1_795_348_800_000_000_000  # 2026-11-22 12:00 UTC
MINUTE = 60_000_000_000


def covers(entry: Ignored, event: Mapping[str, Any]) -> bool:
    whole = {
        "metric": "error_rate",
        "service": "cart",
        "series": "a",
        "kind": "spike",
        "start_ns": NOON,
        "end_ns": NOON,
    }
    return entry.covers(**{**whole, **event})


def test_entries_are_kept_in_a_file_that_people_read(tmp_path: Path) -> None:
    file = tmp_path / IGNORE_FILE
    assert read_ignored(file) == ()
    entry = checked_entry(
        metric="error_rate",
        service="notification-*",
        start="2026-11-22T14:05:00Z",
        end="2026-11-22 14:20",
        reason="the mail provider's limit",
        by="anna",
        at="2026-11-23",
    )
    assert add_ignored(file, entry) == entry
    add_ignored(file, checked_entry(series="*queue*", kind="spike", reason="ü"))
    assert file.read_text(encoding="utf-8") == (
        "# Anomalies that this project ignores, and why. Edited by people and by `--ignore` alike.\n"
        "ignored:\n"
        "- metric: error_rate\n"
        "  service: notification-*\n"
        "  start: '2026-11-22T14:05:00Z'\n"
        "  end: '2026-11-22T14:20:00Z'\n"
        "  reason: the mail provider's limit\n"
        "  by: anna\n"
        "  at: '2026-11-23'\n"
        "- series: '*queue*'\n"
        "  kind: spike\n"
        "  reason: ü\n"
    )
    assert read_ignored(file)[0] == entry
    assert str(entry) == (
        "error_rate of notification-* from 2026-11-22T14:05:00Z until 2026-11-22T14:20:00Z: "
        "the mail provider's limit (anna, 2026-11-23)"
    )
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_the_same_entry_takes_the_place_of_the_old_one_and_goes_by_its_id(tmp_path: Path) -> None:
    file = tmp_path / "ignore.yaml"
    first = add_ignored(file, checked_entry(metric="a", reason="one"))
    second = add_ignored(file, checked_entry(metric="a", reason="another"))
    assert (first.id, [one.reason for one in read_ignored(file)]) == (second.id, ["another"])
    with pytest.raises(UsageError, match=r"(?s)no entry with the id 'zzz'.*the ids are"):
        remove_ignored(file, "zzz")
    assert remove_ignored(file, first.id[:3]).reason == "another"
    with pytest.raises(UsageError, match="nothing is ignored"):
        remove_ignored(file, first.id)


def test_an_empty_id_is_no_id(tmp_path: Path) -> None:
    file = tmp_path / "ignore.yaml"
    for metric in ("a", "b"):
        add_ignored(file, checked_entry(metric=metric, reason="r"))
    with pytest.raises(UsageError, match="no entry"):
        remove_ignored(file, "")
    assert len(read_ignored(file)) == 2


def test_files_written_by_hand_may_have_times_as_yaml_has_them(tmp_path: Path) -> None:
    file = tmp_path / "ignore.yaml"
    file.write_text("ignored:\n- {start: 2026-11-22T12:00:00+01:00, end: 2026-11-23, reason: r, at: 2026-11-24}\n")
    (entry,) = read_ignored(file)
    assert str(entry) == "anything from 2026-11-22T11:00:00Z until 2026-11-23T00:00:00Z: r (2026-11-24)"
    file.write_text("# nothing yet\n")
    assert read_ignored(file) == ()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"reason": "x"}, "would ignore everything"),
        ({"metric": "a"}, r"(?s)reason: is missing.*say why"),
        ({"metric": "a", "reason": "b", "kind": "spik"}, r"(?s)kind: must be .*did you mean spike"),
        ({"start": "yesterday-ish", "reason": "b"}, "start: must be a time in ISO 8601"),
        ({"start": 5, "reason": "b"}, "start: must be a time in ISO 8601"),
        ({"start": "2026-11-23", "end": "2026-11-22", "reason": "b"}, "ends before it starts"),
    ],
)
def test_an_entry_that_makes_no_sense_is_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        checked_entry(**given)


def test_a_damaged_file_names_the_line(tmp_path: Path) -> None:
    file = tmp_path / "ignore.yaml"
    file.write_text("ignored:\n- metric: x\n  reson: y\n")
    with pytest.raises(ConfigError, match=r"(?s)ignore.yaml:3: ignored\[0\].reson: is not a key.*did you mean reason"):
        read_ignored(file)


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(ConfigError, match="cannot be written"):
        add_ignored(tmp_path / "folder" / "ignore.yaml", checked_entry(metric="a", reason="b"))


def test_a_file_that_cannot_be_put_in_place_leaves_the_old_one_and_nothing_besides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ignore.yaml"
    old = add_ignored(file, checked_entry(metric="a", reason="r"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(ConfigError, match="cannot be written: No space left on device"):
        add_ignored(file, checked_entry(metric="b", reason="r"))
    assert read_ignored(file) == (old,)
    assert [path.name for path in tmp_path.iterdir()] == ["ignore.yaml"]


@pytest.mark.parametrize(
    ("entry", "event", "found"),
    [
        ({"metric": "error_*"}, {}, True),
        ({"metric": "error_*", "service": "cart"}, {"service": "other"}, False),
        ({"series": "up{job=[a]}*"}, {"series": "up{job=[a]} x"}, True),
        ({"series": "up{job=[a]}"}, {"series": "up{job=a}"}, False),
        ({"kind": "drop"}, {}, False),
        ({"start": "2026-11-22T12:04Z"}, {}, True),
        ({"start": "2026-11-22T12:06Z"}, {}, False),
        ({"end": "2026-11-22T12:00Z"}, {"end_ns": NOON + 4 * MINUTE}, True),
        ({"end": "2026-11-22T12:00Z"}, {"end_ns": NOON + 6 * MINUTE}, False),
    ],
)
def test_an_entry_covers_what_matches_it_and_lies_in_its_window(
    entry: dict[str, str], event: dict[str, Any], found: bool
) -> None:
    assert covers(checked_entry(**entry, reason="r"), event) is found


def test_every_kind_of_anomaly_can_be_ignored() -> None:
    assert set(get_args(Kind)) == {"*", *KINDS}
