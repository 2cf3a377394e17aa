"""``ip("…")``: whether a text holds an address, one of a range, or one of a network.

Candidates are found as Loki finds them (`pkg/logql/log/ip.go`): where a digit is followed by a dot within three
characters, or up to four hexadecimal digits by a colon, an address is read as far as its characters go.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
from collections.abc import Callable

from obs_magics.model.errors import QueryError
from obs_magics.syntax.logql.addresses import Address, address_range

_HINT = re.compile(
    r"(?P<four>[0-9](?=\.|[^\n]\.|[^\n]{2}\.))|(?P<six>::(?=[0-9a-fA-F])|[0-9a-fA-F]{1,4}(?=:))", re.ASCII
)
_FOUR, _SIX = re.compile(r"[0-9.]+", re.ASCII), re.compile(r"[0-9a-fA-F:.]+", re.ASCII)
_LEAST_FOUR, _LEAST_SIX = 4, 5

_QUAD = r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}"
_GROUPS = r"::|(?:[0-9a-fA-F]{1,4}:){6}"


def candidate(pattern: str) -> str:
    """A regular expression (RE2) for what every text with such an address has, and few others."""
    return _QUAD if address_range(pattern)[0].version == 4 else _GROUPS


def address_test(pattern: str) -> Callable[[str], bool]:
    """Whether a text holds an address of `pattern`.

    Args:
        pattern: One address, two with a dash between, or a network in CIDR.

    Raises:
        QueryError: It is none of these.
    """
    try:
        first, last = address_range(pattern)
    except ValueError as problem:
        raise QueryError(str(problem), hint="write 10.0.0.1, 10.0.0.1-10.0.0.9 or 10.0.0.0/8") from None
    version, low, high = first.version, int(first), int(last)
    return lambda text: any(one.version == version and low <= int(one) <= high for one in _addresses(text))


def _addresses(text: str) -> list[Address]:
    found, place = [], 0
    while hint := _HINT.search(text, place):
        start = hint.start()
        is_four = hint["four"] is not None
        if len(text) - start < (_LEAST_FOUR if is_four else _LEAST_SIX):
            place = start + 1
            continue
        span = (_FOUR if is_four else _SIX).match(text, start)
        assert span is not None, "the hint begins with one of its characters"  # noqa: S101
        with contextlib.suppress(ValueError):
            found.append(ipaddress.ip_address(span[0]))
        place = span.end() + 1
    return found
