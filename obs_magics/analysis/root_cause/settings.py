"""The setting that a change moved, and from what to what: as its source tells it, else as its title says it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# As in: redis pool: max connections 100 → 20; pool size 100 -> 20; timeout from 5s to 500ms.
_VALUE = r"[\w.,+-]+(?: ?%)?"
_ARROW = re.compile(rf"^(?P<key>.*?\w.*?)[\s:=]+(?P<old>{_VALUE}) *(?:→|->|=>|➔) *(?P<new>{_VALUE})\s*$")
_FROM_TO = re.compile(rf"(?i)^(?P<key>.*?\w.*?)[\s:=]+from (?P<old>{_VALUE}) to (?P<new>{_VALUE})\s*$")
_SET_BY_HAND = frozenset({"config_change", "feature_flag", "scale"})


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting and its two values; the key is empty where nobody named it."""

    key: str
    old: str
    new: str


def setting_of(change: Mapping[str, Any]) -> Setting | None:
    """The setting that a change moved; None where it is not told.

    Args:
        change: `kind`, `title`, and `key`, `old`, `new` where they are known.

    >>> setting_of({"kind": "config_change", "title": "pool size 100 -> 20"})
    Setting(key='pool size', old='100', new='20')
    """
    old, new = (str(change.get(name) or "") for name in ("old", "new"))
    if old and new:
        return Setting(str(change.get("key") or ""), old, new)
    if change.get("kind") not in _SET_BY_HAND:
        return None
    title = str(change["title"])
    found = _ARROW.match(title) or _FROM_TO.match(title)
    return None if found is None else Setting(found["key"].strip(" :="), found["old"], found["new"])
