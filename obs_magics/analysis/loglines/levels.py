"""Words and numbers for how severe a line is, and the six levels that they come to."""

from __future__ import annotations

from functools import lru_cache

from obs_magics.analysis.loglines.names import squashed
from obs_magics.model.logs import LEVELS, Level

UNKNOWN_CODE = -1

# Where two systems disagree, the milder reading: `notice` is no warning, `verbose` is Serilog's and logcat's lowest.
_WORDS: dict[Level, str] = {
    "trace": "trace trc trac verbose vrb v finest finer",
    "debug": "debug dbg debu dbug deb d fine config debug1 debug2 debug3 debug4 debug5",
    "info": "info inf information informational i notice note success default",
    "warn": "warn warning wrn w",
    "error": "error err eror erro e severe fail",
    "fatal": "fatal critical crit crt c panic dpanic emerg emergency alert fata ftl pnc f",
}
CODE_OF_WORD = {word: LEVELS.index(level) for level, words in _WORDS.items() for word in words.split()}

_TRACE, _DEBUG, _INFO, _WARN, _ERROR, _FATAL = range(6)
# RFC 5424, section 6.2.1: 0 emergency, 1 alert, 2 critical, 3 error, 4 warning, 5 notice, 6 informational, 7 debug
SYSLOG = (_FATAL, _FATAL, _FATAL, _ERROR, _WARN, _INFO, _INFO, _DEBUG)
_LONGEST = 32  # characters of a level, brackets and blanks included


def level_code(text: str | None, name: str = "level") -> int:
    """The position in `LEVELS` of what a label or key says, -1 when it says none.

    Args:
        text: A word in any case and spelling (`INFO`, `Warning`, `E`, `[error]`), or a number.
        name: The label's or key's name, which tells whose numbers these are.

    >>> [level_code(text) for text in ("Warning", "E", "30", "3", "so-so")]
    [3, 4, 2, 4, -1]
    """
    return _code(text, name) if text and len(text) <= _LONGEST else UNKNOWN_CODE


@lru_cache(maxsize=4096)
def _code(text: str, name: str) -> int:
    word = text.strip(" \t\r\n[]<>()|:\"'").lower()
    code = CODE_OF_WORD.get(word)
    if code is not None:
        return code
    digits = word.removesuffix(".0")
    return _of_number(int(digits), name) if digits.isascii() and digits.isdigit() else UNKNOWN_CODE


def _of_number(number: int, name: str) -> int:
    """The level of a number, on the scale that a name of this kind has."""
    short = squashed(name)
    if short == "severitynumber":
        return _of_open_telemetry(number)
    if short in ("priority", "syslogseverity"):
        return SYSLOG[number % 8]  # a whole PRI has the facility in front
    if short == "levelno":
        return _of_python(number)
    return _of_level(number)


def _of_open_telemetry(number: int) -> int:
    """1–4 trace, 5–8 debug, … 21–24 fatal: https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber."""
    return (number - 1) // 4 if 1 <= number <= 24 else UNKNOWN_CODE


def _of_python(number: int) -> int:
    """The `logging` module: 10 debug, 20 info, 30 warning, 40 error, 50 critical."""
    return min(number // 10, _FATAL) if number >= 5 else UNKNOWN_CODE


def _of_level(number: int) -> int:
    """Bunyan's and pino's 10 (trace) to 60 (fatal); below 8 syslog's, as GELF has it.

    A 0 is an emergency there, but plain information where Go's loggers count verbosity: it is left unknown.
    """
    if 1 <= number <= 7:
        return SYSLOG[number]
    return min(number // 10 - 1, _FATAL) if 10 <= number <= 69 else UNKNOWN_CODE
