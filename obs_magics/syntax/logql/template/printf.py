"""Go's `fmt.Sprintf`, for the values that a template can have."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from obs_magics.syntax.logql.strings import go_quote
from obs_magics.syntax.logql.template.values import TemplateError, go_float_text, inside, type_name

_VERB = re.compile(r"%([-+# 0]*)(\*|[0-9]+)?(?:\.(\*|[0-9]*))?(.|$)", re.DOTALL)
_WIDEST = 10_000


def sprintf(layout: str, values: Sequence[Any]) -> str:
    """Values put into a layout; what does not fit is said inside the text, as Go does.

    >>> sprintf("%-5s|%05.1f|%d", ["ab", 3.14159, "x"])
    'ab   |003.1|%!d(string=x)'
    """
    left = list(values)

    def filled(match: re.Match[str]) -> str:
        flags, width, precision, verb = match.groups()
        if verb == "%":
            return "%"
        if verb == "":
            return "%!(NOVERB)"
        wide = _number(width, left)
        exact = None if precision is None else _number(precision or "0", left)
        if not left:
            return f"%!{verb}(MISSING)"
        if wide is not None and wide < 0:
            flags, wide = flags + "-", -wide
        return _padded(_converted(verb, flags, exact, left.pop(0)), flags, wide, verb)

    text = _VERB.sub(filled, layout)
    extra = ", ".join(f"{_named(value)}" for value in left)
    return f"{text}%!(EXTRA {extra})" if left else text


def _number(text: str | None, left: list[Any]) -> int | None:
    """A width or precision; ``*`` takes it from the values."""
    if text == "*":
        text = str(left.pop(0)) if left and isinstance(left[0], int) else "0"
    number = None if text is None else int(text[:9])
    if number is not None and abs(number) > _WIDEST:
        raise TemplateError(f"error calling printf: a width over {_WIDEST:,} is not supported")
    return number


def _padded(text: str, flags: str, width: int | None, verb: str) -> str:
    missing = (width or 0) - len(text)
    if missing <= 0:
        return text
    if "-" in flags:
        return text + " " * missing
    if "0" in flags and verb != "v":
        sign = text[0] if text[:1] in {"+", "-"} and verb in "dbioxXeEfFgG" else ""
        return sign + "0" * missing + text[len(sign) :]
    return " " * missing + text


def _named(value: Any) -> str:
    return "<nil>" if value is None else f"{type_name(value)}={inside(value)}"


def _converted(verb: str, flags: str, precision: int | None, value: Any) -> str:
    if verb == "T":
        return "<nil>" if value is None else type_name(value)
    if verb == "v" and (value is None or "#" not in flags):
        return _plus(inside(value), flags, value)
    rule = next((rule for kind, rule in _RULES if isinstance(value, kind)), None)
    text = rule(verb, flags, precision, value) if rule else None
    if text is None and verb == "s" and not isinstance(value, bool | int | float):
        text = inside(value)
    return f"%!{verb}({_named(value)})" if text is None else text


def _plus(text: str, flags: str, value: Any) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or text.startswith(("-", "+")):
        return text
    return f"+{text}" if "+" in flags else f" {text}" if " " in flags else text


def _string(verb: str, flags: str, precision: int | None, value: str) -> str | None:
    text = value if precision is None else value[:precision]
    if verb in "sv":
        return go_quote(text) if verb == "v" else text
    if verb == "q":
        return f"`{text}`" if "#" in flags and "`" not in text and text.isprintable() else go_quote(text)
    if verb in "xX":
        digits = text.encode("utf-8", "surrogateescape").hex()
        return digits.upper() if verb == "X" else digits
    return None


def _bool(verb: str, _flags: str, _precision: int | None, value: bool) -> str | None:
    return inside(value) if verb in "tv" else None


_INTEGERS: Mapping[str, Callable[[int], str]] = {
    "d": str,
    "v": str,
    "b": lambda value: f"{value:b}",
    "o": lambda value: f"{value:o}",
    "O": lambda value: f"{'-' if value < 0 else ''}0o{abs(value):o}",
    "x": lambda value: f"{value:x}",
    "X": lambda value: f"{value:X}",
    "c": lambda value: chr(value) if 0 <= value < 0x110000 else "\ufffd",
    "q": lambda value: f"'{chr(value)}'" if 0 <= value < 0x110000 else "'\ufffd'",
    "U": lambda value: f"U+{value:04X}",
}


def _int(verb: str, flags: str, precision: int | None, value: int) -> str | None:
    rule = _INTEGERS.get(verb)
    if rule is None:
        return None
    text = rule(int(value))
    if verb in "cqU":
        return text
    if "#" in flags and verb in "xX":
        text = text.replace("-", "-0" + verb) if value < 0 else f"0{verb}{text}"
    if precision is not None and verb in "dbox":
        sign = "-" if text.startswith("-") else ""
        text = sign + text.lstrip("-").rjust(precision, "0")
    return _plus(text, flags, value)


def _float(verb: str, flags: str, precision: int | None, value: float) -> str | None:
    if verb in "vgG" and precision is None:
        text = go_float_text(value)
        text = text.upper() if verb == "G" and "e" in text else text
    elif verb in "eEfFgG":
        text = f"{value:.{6 if precision is None else precision}{verb}}"
        text = {"inf": "+Inf", "-inf": "-Inf", "nan": "NaN"}.get(text.lower(), text)
    else:
        return None
    return _plus(text, flags, value)


_RULES: tuple[tuple[type[Any], Callable[[str, str, int | None, Any], str | None]], ...] = (
    (bool, _bool),
    (str, _string),
    (int, _int),
    (float, _float),
)
