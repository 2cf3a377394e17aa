"""Personal data: e-mail and IP addresses, cards, accounts, social security and telephone numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable

from obs_magics.security.redact.addresses import ADDRESS_RULES
from obs_magics.security.redact.rule import END, Kind, Match, Rule, Span, after, before, compiled
from obs_magics.security.redact.sums import (
    digits_of,
    iban_length,
    is_card,
    is_iban,
    is_international,
    is_north_american,
    is_ssn,
)

CARD = Kind("card", "card number", personal=True)
IBAN = Kind("iban", "IBAN", personal=True)
SSN = Kind("ssn", "social security number", personal=True)
PHONE = Kind("phone", "telephone number", personal=True)

_QUOTE = r"(?:\\{0,4}[\"'`]|&quot;|%22)"
_EQUALS = rf"(?:{_QUOTE}?[ \t]{{0,4}}(?:=>|[:=]|%3[DdAa])[ \t]{{0,4}}{_QUOTE}?|[ \t#]{{1,3}}{_QUOTE}?)"

# --- numbers ---------------------------------------------------------------------------------------------------------

_INSIDE = re.compile(rb"[A-Za-z0-9_]$|[0-9][.,/:-]$|(?:^|[^A-Za-z])-$")
_INSIDE_ON = re.compile(rb"[A-Za-z0-9_]|[.,/:-][0-9]")


def _stands_alone(match: Match) -> bool:
    """Whether it is no part of a longer number, word, moment or id."""
    return _INSIDE.search(before(match, 2)) is None and _INSIDE_ON.match(after(match, 2)) is None


# By the first digits of the schemes, and in the groups that cards are written in; `_card` looks more closely.
_CARD = (
    r"(?:4[0-9]|5[0-8]|2[2-7]|3[04-9]|6[0-9]|8[12])[0-9]{2}"
    r"(?:[0-9]{9,15}|[ -][0-9]{4}[ -][0-9]{4}[ -][0-9]{4}|[ -][0-9]{6}[ -][0-9]{4})"
)
_ROW = r"[0-9]{1,24}(?:[ -][0-9]{1,24}){0,4}"
_CARD_GOES_ON = re.compile(rb"[A-Za-z0-9_]|[.-][0-9]")
_GROUP = re.compile(rb"(?<![0-9])[0-9]")
_CARDS = tuple(
    re.compile(form + rb"(?![A-Za-z0-9_])")
    for form in (
        rb"[0-9]{4}(?P<by>[ -])[0-9]{4}(?P=by)[0-9]{4}(?P=by)[0-9]{4}(?P=by)[0-9]{3}",
        rb"[0-9]{4}(?P<by>[ -])[0-9]{4}(?P=by)[0-9]{4}(?P=by)[0-9]{4}",
        rb"[0-9]{4}(?P<by>[ -])[0-9]{6}(?P=by)[0-9]{4,5}",
        rb"[0-9]{13,19}(?!-[0-9A-Fa-f])",
    )
)


_IS_ID = re.compile(rb"(?:[a-z]I[Dd]|(?:\b|_)(?i:id|offset|seq|sequence|timestamp|ts|ns|us))[\"']?[ ]?[=:][ ]?[\"']?$")
_SAYS_CARD = re.compile(rb"(?i)card|pan\b|maestro|unionpay|visa")


def _fits(found: Match) -> bool:
    """Whether it is a card; more than 16 digits in one piece, and what is called an id, only where it says so."""
    if not is_card(digits_of(found[0])):
        return False
    if not found[0].isdigit():
        return True
    lead = found.string[max(0, found.start() - 32) : found.start()].rpartition(END)[2]
    return (len(found[0]) <= 16 and _IS_ID.search(lead) is None) or _SAYS_CARD.search(lead) is not None


def _card(match: Match) -> Iterable[Span]:
    """Cards in a row of numbers: `2024 4111 1111 1111 1111 200` has one."""
    start, end = match.span("hide")
    done = start
    for group in _GROUP.finditer(match.string, start, end):
        at = group.start()
        lead = match.string[max(0, at - 2) : at]
        if at < done or _INSIDE.search(lead):
            continue
        for form in _CARDS:
            found = form.match(match.string, at)
            if found and _fits(found) and not _CARD_GOES_ON.match(match.string, found.end()):
                yield found.span()
                done = found.end()
                break


_IBAN = r"[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?"


def _iban(match: Match) -> Iterable[Span]:
    """The beginning that has the length of one; what follows in groups may belong to the sentence."""
    text, start = match["hide"], match.start("hide")
    size = end = iban_length(text)
    while size and (missing := size - end + text.count(b" ", 0, end)):
        end += missing
    if not size or end > len(text) or text[end : end + 1].isalnum() or _INSIDE.search(before(match, 2)):
        return ()
    if not is_iban(text[:end].replace(b" ", b"")) or (end == len(text) and after(match, 1).isalnum()):
        return ()
    return ((start, start + end),)


def _lower_iban(match: Match) -> Iterable[Span]:
    return (match.span("hide"),) if is_iban(match["hide"].upper()) else ()


def _ssn(match: Match) -> Iterable[Span]:
    return (match.span("hide"),) if _stands_alone(match) and is_ssn(digits_of(match["hide"])) else ()


_GOES_ON = re.compile(rb"(?!x[0-9])[A-Za-z0-9]")  # but for an extension, `x123`


def _plus(match: Match) -> Iterable[Span]:
    """A plus sign and a country code (E.164)."""
    start, text = match.start("hide"), match["hide"].rstrip(b" -./(")
    digits, lead = digits_of(text.removeprefix(b"%2B").removeprefix(b"%2b")), before(match, 1)
    if lead.isalnum() or lead in (b"_", b"+") or _GOES_ON.match(after(match, 2)):
        return ()
    spaced = not text.removeprefix(b"%").isalnum() and len(text) > len(digits) + 1
    return ((start, start + len(text)),) if is_international(digits, spaced=spaced) else ()


def _american(match: Match) -> Iterable[Span]:
    return (match.span("hide"),) if _stands_alone(match) and is_north_american(digits_of(match["hide"])) else ()


def _alone(match: Match) -> Iterable[Span]:
    return (match.span("hide"),) if _stands_alone(match) else ()


def _called(match: Match) -> Iterable[Span]:
    """Whatever has as many digits as a telephone number, behind a word that says it is one."""
    start, text = match.start("hide"), match["hide"].rstrip(b" -./(")
    least = 9 if match["equals"].isspace() and not text.startswith(b"+") else 7
    if not least <= len(digits_of(text)) <= 15 or after(match, 1).isalnum():
        return ()
    return ((start, start + len(text)),)


_NATIONAL = (
    r"0[1-9](?:[ .][0-9]{2}){4}"  # France, Belgium
    r"|0[0-9]{4} [0-9]{6}|0[0-9]{3} [0-9]{3} [0-9]{4}|0[0-9]{2} [0-9]{4} [0-9]{4}"  # United Kingdom
    r"|\(0[0-9]{2,5}\) ?[0-9]{3,8}(?: [0-9]{3,4})?"
    r"|0[0-9]{2,4}/[0-9]{4,9}"  # Germany
    r"|0[0-9]{1,3}-[0-9]{3,4}-[0-9]{4}"  # Japan, Korea
)
_AMERICAN = r"(?:1[ .-])?(?:\([0-9]{3}\) ?|[0-9]{3}[-. ])[0-9]{3}[-. ][0-9]{4}"
_PLUS = r"(?:\+|%2[Bb])[0-9](?:[ ./-]{0,2}\(?[0-9]\)?){6,16}"
_CALLED = (
    r"(?:(?i:(?:tele)?phone|mobile|telefon|telefono|msisdn|whatsapp)|(?:\b|_)(?i:tel|fax|sms[ _](?:to|from)))"
    r"(?:[_ -]?(?i:number|no|nr|num|to|from|home|work))?\.?"
)
_NUMBERS = r"\+?\(?[0-9](?:[ ./()-]{0,2}[0-9]){6,15}"
_SSN = r"[0-9]{3}-[0-9]{2}-[0-9]{4}"
_SSN_NAMES = r"(?i:ssn|social(?:[ _-]security(?:[ _-](?:number|no\.?|nr))?)?|itin|tax[ _-]?id)"
_SSN_CALLED = rf"{_SSN_NAMES}{_EQUALS}"


def _closed(value: bytes) -> bytes:
    return value.replace(b" ", b"").upper()


PERSONAL_RULES: tuple[Rule, ...] = (
    *ADDRESS_RULES,
    Rule(
        IBAN,
        "accounts",
        r"\b[A-Z]{2}[0-9]{2} ?[A-Z0-9]{4} ?[A-Z0-9]{4}",
        compiled(f"(?P<hide>{_IBAN})"),
        _iban,
        _closed,
    ),
    Rule(CARD, "card", rf"\b{_CARD}", compiled(f"(?P<hide>{_ROW})"), _card, digits_of),
    Rule(SSN, "accounts", rf"\b{_SSN}\b", compiled(f"(?P<hide>{_SSN})"), _ssn, digits_of),
    Rule(
        SSN,
        "called",
        rf"{_SSN_CALLED}[0-9]{{3}}",
        compiled(rf"{_SSN_CALLED}(?P<hide>[0-9]{{3}}(?P<by>[ -]?)[0-9]{{2}}(?P=by)[0-9]{{4}})"),
        _ssn,
        digits_of,
    ),
    Rule(
        IBAN,
        "called",
        rf"\b(?i:iban){_EQUALS}[a-z]{{2}}[0-9]{{2}}[a-z0-9]{{4}}",
        compiled(rf"(?i:iban){_EQUALS}(?P<hide>[a-z]{{2}}[0-9]{{2}}[a-z0-9]{{11,30}})(?![A-Za-z0-9])"),
        _lower_iban,
        _closed,
    ),
    Rule(PHONE, "phone", _PLUS, compiled(f"(?P<hide>{_PLUS})"), _plus, digits_of),
    Rule(PHONE, "phone", _AMERICAN, compiled(f"(?P<hide>{_AMERICAN})"), _american, digits_of),
    Rule(PHONE, "phone", _NATIONAL, compiled(f"(?P<hide>{_NATIONAL})"), _alone, digits_of),
    Rule(
        PHONE,
        "called",
        rf"{_CALLED}{_EQUALS}[+(]{{0,2}}[0-9]",
        compiled(rf"{_CALLED}(?P<equals>{_EQUALS})(?P<hide>{_NUMBERS})"),
        _called,
        digits_of,
    ),
)
"""In order of who wins where two find the same digits."""

_COLUMNS = (("phone=", re.compile(rf".*{_CALLED}", re.DOTALL)), ("ssn=", re.compile(rf".*{_SSN_NAMES}", re.DOTALL)))


def called_column(name: str) -> str:
    """What to read the values of a column of this name after; empty when the name says nothing about digits.

    >>> called_column("customer_phone")
    'phone='
    """
    return next((lead for lead, pattern in _COLUMNS if pattern.fullmatch(name)), "")
