"""Check sums and number plans: whether digits are a card, an account, a social security number, a telephone number."""

from __future__ import annotations

import re

_NOT_DIGITS = re.compile(rb"[^0-9]")


def digits_of(value: bytes) -> bytes:
    """Only the digits."""
    return _NOT_DIGITS.sub(b"", value)


def luhn(digits: bytes) -> bool:
    """The sum of ISO/IEC 7812-1, annex B: from the right every second digit is doubled."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = digit - 48
        if place % 2:
            number = number * 2 - 9 * (number > 4)
        total += number
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
    (re.compile(rb"50(?:18|20|38)|5[68]|6304|67"), frozenset({13, 15, 16, 18, 19})),  # Maestro
    (re.compile(rb"60|82|508"), frozenset({16})),  # RuPay
)

def is_card(digits: bytes) -> bool:
    """Whether it is a number of a scheme, with the right sum.

    The numbers that payment providers publish for tests are cards too: a line does not say that they are nobody's.
    """
    return any(len(digits) in lengths and begin.match(digits) for begin, lengths in _SCHEMES) and luhn(digits)


# Length of an IBAN by country: the registry of ISO 13616 (SWIFT).
IBAN_LENGTHS: dict[bytes, int] = {
    name.encode("ascii"): int(length)
    for name, length in (
        pair.split(":")
        for pair in (
            "AD:24 AE:23 AL:28 AT:20 AZ:28 BA:20 BE:16 BG:22 BH:22 BI:27 BR:29 BY:28 CH:21 CR:22 CY:28 CZ:24 DE:22 "
            "DJ:27 DK:18 DO:28 EE:20 EG:29 ES:24 FI:18 FK:18 FO:18 FR:27 GB:22 GE:22 GI:23 GL:18 GR:27 GT:28 HN:28 "
            "HR:21 HU:28 IE:22 IL:23 IQ:23 IS:26 IT:27 JO:30 KW:30 KZ:20 LB:28 LC:32 LI:21 LT:20 LU:20 LV:21 LY:25 "
            "MC:27 MD:24 ME:22 MK:19 MN:20 MR:27 MT:31 MU:30 NI:28 NL:18 NO:15 OM:23 PK:24 PL:28 PS:29 PT:25 QA:29 "
            "RO:24 RS:22 RU:33 SA:24 SC:31 SD:18 SE:24 SI:19 SK:24 SM:27 SO:23 ST:25 SV:28 TL:23 TN:24 TR:26 UA:29 "
            "VA:22 VG:24 XK:20 YE:30"
        ).split()
    )
}


def is_iban(text: bytes) -> bool:
    """Whether the country has IBANs of this length, and the remainder by 97 is 1 (ISO 7064).

    Args:
        text: Upper case, without spaces.
    """
    if IBAN_LENGTHS.get(text[:2]) != len(text):
        return False
    turned = text[4:] + text[:4]
    return int("".join(str(int(chr(letter), 36)) for letter in turned)) % 97 == 1


def is_ssn(digits: bytes) -> bool:
    """Whether the Social Security Administration may have given it: no area 000, 666, 9xx, no group 00, no serial 0000."""
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
    """Ten digits of the North American plan: neither area nor exchange begin with 0 or 1, nor are they of the form N11."""
    ten = digits[1:] if len(digits) == 11 and digits.startswith(b"1") else digits
    return len(ten) == 10 and all(ten[at] in b"23456789" and ten[at + 1 : at + 3] != b"11" for at in (0, 3))
