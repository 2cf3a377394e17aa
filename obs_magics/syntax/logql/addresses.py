"""Internet addresses in `ip("…")`: one address, a network, or a range from one to another."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import TypeAlias

from obs_magics.syntax.logql.strings import go_quote

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_NETWORK = re.compile(r"([^/]+)/([0-9]{1,3})")


@lru_cache(maxsize=256)
def address_range(text: str) -> tuple[Address, Address]:
    """First and last address that a text stands for.

    Raises:
        ValueError: In Loki's words.

    >>> [str(end) for end in address_range("10.1.2.3/8")]
    ['10.0.0.0', '10.255.255.255']
    """
    for read in (_single, _network, _range):
        found = read(text)
        if found is not None:
            return found
    raise ValueError(f"ip: invalid pattern: {go_quote(text)}")


def _single(text: str) -> tuple[Address, Address] | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return address, address


def _network(text: str) -> tuple[Address, Address] | None:
    if _NETWORK.fullmatch(text) is None:
        return None
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    return network.network_address, network.broadcast_address


def _range(text: str) -> tuple[Address, Address] | None:
    ends = [_single(part) for part in text.split("-")]
    if len(ends) != 2 or ends[0] is None or ends[1] is None:
        return None
    first, last = ends[0][0], ends[1][0]
    in_order = first.version == last.version and int(first) <= int(last)
    return (first, last) if in_order else None
