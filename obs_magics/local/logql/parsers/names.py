"""Names of fields as names of labels: what may not stand in one becomes an underscore.

Source: `sanitizeLabelKey` and `appendSanitized` in Loki's `pkg/logql/log`.
"""

from __future__ import annotations

import re
from functools import lru_cache

_FORBIDDEN = re.compile(r"[^a-zA-Z0-9_]")


@lru_cache(maxsize=65_536)
def label_name(key: str, prefix: str = "") -> str:
    """The label of a field, or of one inside the object whose label is `prefix`; empty for a key without a character.

    >>> label_name("http.status"), label_name("5xx"), label_name("code", "http"), label_name(" ")
    ('http_status', '_5xx', 'http_code', '')
    """
    clean = _FORBIDDEN.sub("_", key.strip())
    if not clean:
        return prefix
    if prefix:
        return f"{prefix}_{clean}"
    return f"_{clean}" if clean[0].isdigit() else clean
