"""A report says the same wherever it was written: no folder of the machine stands in it."""

from __future__ import annotations

import re

# Where a failure happened stands in brackets behind its source: here an absolute path of Unix or Windows, or of a home.
_PLACE = re.compile(r"\((?:~|[A-Za-z]:)?[/\\](?:[^()]*[/\\])?([^()/\\]+)[/\\]?\)")


def portable(text: str) -> str:
    """A sentence in which a folder of this machine, where something failed, is no more than its name.

    >>> portable("shop (/home/anna/incidents/4711): there are no spans in this folder")
    'shop (…/4711): there are no spans in this folder'
    >>> portable("prom (https://prom.example.com/api): 503; POST /api/pay")
    'prom (https://prom.example.com/api): 503; POST /api/pay'
    """
    return _PLACE.sub(r"(…/\1)", text)
