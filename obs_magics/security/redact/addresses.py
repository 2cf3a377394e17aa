"""E-mail and IP addresses: what is one, what only looks like one, and one spelling for each."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from obs_magics.security.redact.automata import searcher
from obs_magics.security.redact.rule import Kind, Match, Rule, Span, after, before, compiled

EMAIL = Kind("email", "e-mail address", "e-mail addresses", personal=True)
IPV4 = Kind("ipv4", "IPv4 address", "IPv4 addresses", personal=True)
IPV6 = Kind("ipv6", "IPv6 address", "IPv6 addresses", personal=True)

# --- e-mail ----------------------------------------------------------------------------------------------------------

# What only looks like a domain: files (icon@2x.png), units of systemd (user@1000.service).
_FILES = (
    "png jpg jpeg gif svg webp ico css js mjs ts tsx jsx json map html htm xml yml yaml toml lock md txt log py go rb"
)
_MORE_FILES = "rs java class jar c h cpp so dll exe zip tar gz tgz bz2 xz"
_UNITS = "service socket target timer mount slice scope path device swap"
_NO_DOMAIN = frozenset(f"{_FILES} {_MORE_FILES} {_UNITS}".encode("ascii").split())
_NO_PERSON = frozenset({b"git", b"hg", b"svn"})
_EMAIL = r"[A-Za-z0-9._%+\x80-\xfd-]+(?:@|%40)(?:[A-Za-z0-9\x80-\xfd-]+\.)+[A-Za-z\x80-\xfd]"


def _email(match: Match) -> Iterable[Span]:
    local, _, domain = match["hide"].replace(b"%40", b"@").rpartition(b"@")
    if domain.rpartition(b".")[2].lower() in _NO_DOMAIN or local in _NO_PERSON or not local.strip(b".-_%"):
        return ()
    start, end = match.span("hide")
    escaped = before(match, 1) == b"\\" and local[:1] in b"nrt"  # the letter belongs to a line break
    return ((start + escaped, end),)


def _one_email(value: bytes) -> bytes:
    """Lower case: mail servers make no difference, and logs write both."""
    return value.replace(b"%40", b"@").lower()


# --- IP addresses ----------------------------------------------------------------------------------------------------

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = rf"{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}"
# Nobody's: this host, everybody, masks of networks.
_NOBODY = frozenset({b"0.0.0.0", b"127.0.0.1", b"255.255.255.255"})
_MASK = re.compile(rb"255\.(?:255|254|252|248|240|224|192|128|0)\.")
# Four numbers after such a word, or right behind a product's name and slash, are a version.
_VERSION_WORDS = (
    r"version|versions|ver|v|release|released|rel|build|firmware|fw|driver|kernel|revision|rev|patch|sdk|jdk|jre"
    r"|assembly|upgraded|upgrading|updated|section|chapter|clause|rfc|oid|snmp|schema|api"
)
_is_version = searcher(
    rf"""(?i)(?:\b(?:{_VERSION_WORDS})["']?[ \t]{{0,2}}[:=]?[ \t]{{0,2}}["'(]?(?:from[ \t]|to[ \t])?v?"""
    r"""|[A-Za-z_]version["']?[ \t]{0,2}[:=][ \t]{0,2}["']?"""
    r"""|(?:==|~=|>=|<=|\^|~)"""
    r"""|upgrad[^\n]{0,40} (?:from|to) v?"""
    r"""|(?:^|[ \t"'(;,])[A-Za-z][A-Za-z_-]*/v?"""
    r"""|[A-Za-z0-9_][_-]v?"""
    r"""|(?:^|[^A-Za-z0-9])v)\n?\z"""
)
_ARTEFACT = re.compile(rb"[-+_.][A-Za-z]")
_PRIVATE = re.compile(rb"10\.|192\.168\.|172\.(?:1[6-9]|2[0-9]|3[01])\.")
_PORT = re.compile(rb":[0-9]{1,5}(?![0-9])")


def _ipv4(match: Match) -> Iterable[Span]:
    value = match["hide"]
    if value in _NOBODY or _MASK.match(value):
        return ()
    lead, rest = before(match, 56), after(match, 8)
    if lead[-1:].isalnum() or lead[-1:] in (b".", b"_") or lead[-2:] in (b"\\d",):
        return ()
    if _PORT.match(rest) or (_PRIVATE.match(value) and lead.endswith(b"-") and not _ARTEFACT.match(rest)):
        return (match.span("hide"),)
    if _is_version(lead, 0) or _ARTEFACT.match(rest):
        return ()
    return (match.span("hide"),)


_GROUPS = r"[0-9A-Fa-f:]{2,46}(?:\.[0-9]{1,3}){0,3}"
# All eight groups, or a gap.
_IPV6 = r"\b(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|\b(?:[0-9A-Fa-f]{1,4}:){1,7}:|::[0-9A-Fa-f]{1,4}"
_RATIO = re.compile(rb"(?![23][0-9]{3}:)[0-9]*::[0-9]+")  # two small numbers; addresses of everybody begin at 2000::
_EUI = re.compile(rb"(?:[0-9A-Fa-f]{2}:){7}[0-9A-Fa-f]{2}")


def _address(text: bytes) -> ipaddress.IPv6Address | None:
    try:
        return ipaddress.IPv6Address(text.decode("ascii"))
    except ValueError:
        return None


def _ipv6(match: Match) -> Iterable[Span]:
    text = match["hide"]
    lead, rest = before(match, 1), after(match, 1)
    if lead.isalnum() or lead in (b"_", b":", b".") or rest.isalnum() or rest in (b"_", b":"):
        return ()
    text = text.rstrip(b":") if not text.endswith(b"::") else text
    address = _address(text)
    if _RATIO.fullmatch(text):
        return ()
    if text.count(b":") < 4 and not re.search(rb"[0-9]", text):  # `db::Add`, `fe::`: names in C++ and Rust
        return ()
    if address is None or address.is_loopback or address.is_unspecified or _EUI.fullmatch(text):
        return ()
    return ((match.start("hide"), match.start("hide") + len(text)),)


def _one_ipv6(value: bytes) -> bytes:
    """The canonical form of RFC 5952."""
    address = _address(value)
    return value.lower() if address is None else address.compressed.encode("ascii")


ADDRESS_RULES: tuple[Rule, ...] = (
    Rule(EMAIL, "addresses", _EMAIL, compiled(rf"(?P<hide>{_EMAIL}[A-Za-z\x80-\xfd-]+)"), _email, _one_email),
    Rule(IPV4, "accounts", rf"\b{_IPV4}\b", compiled(rf"(?P<hide>{_IPV4})(?![0-9]|\.[0-9])"), _ipv4),
    Rule(IPV6, "addresses", _IPV6, compiled(rf"(?P<hide>{_GROUPS})"), _ipv6, _one_ipv6),
)
