"""Check sums and number plans: whether digits are a card, an account, a social security number, a telephone number."""

from __future__ import annotations

import re

_NO_DIGITS = bytes(set(range(256)) - set(b"0123456789"))
_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")  # twice the digit, and the sum of the digits of that
_ZERO = ord("0")


def digits_of(value: bytes) -> bytes:
    """Only the digits."""
    return value.translate(None, _NO_DIGITS)


def luhn(digits: bytes) -> bool:
    """The sum of ISO/IEC 7812-1, annex B: from the right every second digit is doubled."""
    total = sum(digits[-1::-2]) + sum(digits[-2::-2].translate(_DOUBLED)) - _ZERO * len(digits)
    return total % 10 == 0


# Beginnings and lengths of the schemes' numbers (ISO/IEC 7812 issuer identification numbers, as the schemes publish).
_SCHEMES: tuple[tuple[re.Pattern[bytes], frozenset[int]], ...] = (
    (re.compile(rb"4"), frozenset({16, 19})),  # Visa; 13 digits are long gone, and look like moments and EANs
    (re.compile(rb"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), frozenset({16})),  # Mastercard
    (re.compile(rb"3[47]"), frozenset({15})),  # American Express
    (re.compile(rb"6011|64[4-9]|65"), frozenset({16, 19})),  # Discover, RuPay
    (re.compile(rb"3(?:0[0-5]|095|[689])"), frozenset({14, 16})),  # Diners Club
    (re.compile(rb"35(?:2[89]|[3-8])"), frozenset({16, 17, 18, 19})),  # JCB
    (re.compile(rb"62|81"), frozenset({16, 17, 18, 19})),  # UnionPay
    (re.compile(rb"220[0-4]"), frozenset({16, 17, 18, 19})),  # Mir
    (re.compile(rb"50(?:18|20|38)|5[68]|6304|67"), frozenset({16, 18, 19})),  # Maestro
    (re.compile(rb"60|82|508"), frozenset({16})),  # RuPay
)


def is_card(digits: bytes) -> bool:
    """Whether it is a number of a scheme, with the right sum.

    The numbers that payment providers publish for tests are cards too: a line does not say that they are nobody's.
    """
    return luhn(digits) and any(len(digits) in lengths and begin.match(digits) for begin, lengths in _SCHEMES)


# Length of an IBAN by country: the registry of ISO 13616 (SWIFT).
_LENGTHS = """
AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18
FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20
LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24
SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30
"""
_IBAN_LENGTHS = {entry[:2]: int(entry[2:]) for entry in _LENGTHS.encode("ascii").split()}


def iban_length(text: bytes) -> int:
    """How long the IBAN has to be that begins like this; 0 when there is no such country."""
    return _IBAN_LENGTHS.get(text[:2], 0)


def is_iban(text: bytes) -> bool:
    """Whether the country has IBANs of this length, and the remainder by 97 is 1 (ISO 7064).

    Args:
        text: Upper case, without spaces.
    """
    if _IBAN_LENGTHS.get(text[:2]) != len(text):
        return False
    turned = text[4:] + text[:4]
    return int("".join(str(int(chr(letter), 36)) for letter in turned)) % 97 == 1


def is_ssn(digits: bytes) -> bool:
    """Whether it may have been given: areas 000, 666 and 9xx never are, nor group 00, nor serial 0000 (SSA)."""
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    known = digits in {b"078051120", b"219099999"}  # printed in wallets and advertisements: nobody's
    return not (area in {b"000", b"666"} or area[0] == 57 or group == b"00" or serial == b"0000" or known)


# Country codes (ITU-T E.164, list of assigned codes).
_COUNTRIES = re.compile(
    rb"1|7|2(?:0|7|1[1-3689]|[2-69][0-9]|[89][0-9])|3(?:[0-469]|[578][0-9])|4(?:[013-9]|2[0-9])|5(?:[1-8]|[09][0-9])"
    rb"|6(?:[0-6]|[789][0-9])|8(?:[1246]|[058][0-9]|7[0-9])|9(?:[0-58]|[679][0-9])"
)


def is_international(digits: bytes, *, spaced: bool) -> bool:
    """Whether what follows a plus sign is a telephone number (ITU-T E.164).

    Args:
        digits: Without the plus sign.
        spaced: It is written in groups. Else a short one may be a difference (`+10485760`), and is not taken.
    """
    if digits.startswith(b"1"):  # the North American plan: ten digits
        return len(digits) == 11
    return (8 if spaced else 10) <= len(digits) <= 15 and _COUNTRIES.match(digits) is not None


def is_north_american(digits: bytes) -> bool:
    """Ten digits of the North American plan: neither area nor exchange begin with 0 or 1, or are of the form N11."""
    ten = digits[1:] if len(digits) == 11 and digits.startswith(b"1") else digits
    return len(ten) == 10 and all(ten[at] in b"23456789" and ten[at + 1 : at + 3] != b"11" for at in (0, 3))
