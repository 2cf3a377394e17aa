"""Secrets that have a name: `password=…`, `"apiKey": "…"`, `<secret>…</secret>`, `?token=…`, `PGPASSWORD=…`.

A table of names. How a name and its value are written is the same for all of them: key=value, JSON (also inside a JSON
string), YAML, query strings (also encoded), XML, arrays of Ruby and PHP, structs of Go and Rust, forms.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from obs_magics.security.redact.rule import END, Kind, Match, Rule, Span, compiled
from obs_magics.security.redact.shapes import is_mixed, is_path, is_placeholder, is_random, is_thing
from obs_magics.security.redact.vendors import AWS_SECRET_KEY

PASSWORD = Kind("password", "password")
SECRET = Kind("secret", "secret")
API_KEY = Kind("api_key", "API key")
TOKEN = Kind("token", "token")
SESSION = Kind("session", "session id")
CREDENTIAL = Kind("credential", "credential")
SIGNATURE = Kind("signature", "signature")
CODE = Kind("one_time_code", "one-time code")
AZURE_KEY = Kind("azure_key", "Azure key")


class Strength(enum.Enum):
    """How far a name can be trusted that its value is secret."""

    SURE = "whatever it says, but for placeholders"
    SHORT = "as sure, but also a word of other meanings: only mixed ones from prose, no paths, no small numbers"
    LIKELY = "unless it is a word"
    WEAK = "only what looks made by a generator"
    KEY = "only what looks like a key of an API, not of a cache or table"
    DIGITS = "only a few digits"


@dataclass(frozen=True, slots=True)
class Name:
    """A row of the table: what is found, the names (RE2 and `re`), how sure they are."""

    kind: Kind
    names: str
    strength: Strength


_GAP = r"[_. -]?"
_WORD = r"(?:\b|_)"  # a short name counts only as a word: not `bypass`, `compass`
_KEYS = (
    r"api|access|auth|encryption|signing|master|account|license|subscription|session|consumer|deploy|service|app"
    r"|application|admin|ssh|jwt|hmac|aes|crypto|cipher|webhook|functions|instrumentation|ingest|integration|insert"
    r"|write|client|user|shared|storage|host|server|management|personal|developer|account[_-]?access|datadog|stripe"
    r"|sendgrid|mailgun|openai|pagerduty|algolia|rapidapi"
)

NAMES: tuple[Name, ...] = (
    Name(PASSWORD, r"(?i:pass?word|passwd|passwort|kennwort|pass[_ -]?phrase|contrasena|senha)", Strength.SURE),
    Name(PASSWORD, rf"(?:{_WORD}|[a-z0-9])(?:Pass|Pwd|Passwd)", Strength.SHORT),
    Name(
        PASSWORD,
        rf"(?:{_WORD}(?i:pass|pwd|psw|passw|pw)|(?i:db|user|my|smtp|root|admin|ftp|proxy|login|mysql|pg)(?i:pass|pwd|pw))",
        Strength.SHORT,
    ),
    Name(AWS_SECRET_KEY, rf"(?i:secret{_GAP}access{_GAP}key|aws{_GAP}secret(?:{_GAP}key)?)", Strength.LIKELY),
    Name(AZURE_KEY, r"(?i:account[_-]?key|shared[_-]?access[_-]?key|storage[_-]?key)", Strength.LIKELY),
    Name(
        SECRET,
        rf"(?i:(?:client|app|api|consumer|shared|webhook|signing|oauth2?|jwt|auth|session|cookie|token|hmac|server"
        rf"|application|csrf|encryption|master|totp|mfa|otp){_GAP}secret|secret{_GAP}(?:key(?:{_GAP}base)?|token|id)"
        rf"|private{_GAP}key(?:_id)?|client[_-]key[_-]data|signing{_GAP}salt|encryption{_GAP}salt)",
        Strength.LIKELY,
    ),
    Name(API_KEY, rf"(?i:(?:{_KEYS}){_GAP}key)", Strength.LIKELY),
    Name(API_KEY, r"[A-Z0-9]_KEY", Strength.WEAK),
    Name(API_KEY, r"\b(?i:key)", Strength.KEY),
    Name(
        TOKEN,
        rf"(?i:(?:access|refresh|auth|id|bearer|session|security|api|csrf|xsrf|user|bot|personal|device|push|oauth|jwt"
        rf"|service|registration|verification|reset|invite|magic|login|sso|deploy|job|runner|webhook|app|admin){_GAP}"
        rf"token|authenticity_token|_auth_?token|x-vault-token|nonce_token)",
        Strength.WEAK,
    ),
    Name(TOKEN, r"(?i:token)", Strength.WEAK),
    Name(SECRET, r"(?i:secret)", Strength.WEAK),
    Name(CREDENTIAL, rf"(?i:credentials?)|{_WORD}(?i:creds?|auth|_auth)|[a-z]Auth", Strength.WEAK),
    Name(
        SESSION,
        rf"(?i:session{_GAP}(?:id|key|uuid)|sessionid|sess[_-]?id|phpsessid|jsessionid|connect\.sid|asp\.net_sessionid"
        rf"|aspsessionid[a-z]*|laravel_session|_gitlab_session|csrftoken|xsrf-token)|{_WORD}(?i:session|sid|sess)",
        Strength.WEAK,
    ),
    Name(SIGNATURE, rf"(?i:x-(?:amz|goog|hub)-signature(?:-256)?)|{_WORD}(?i:sig|signature)", Strength.WEAK),
    Name(
        CODE,
        rf"{_WORD}(?i:otp|totp|pin|pin_?code|cvv2?|cvc2?|csc|passcode|one{_GAP}time{_GAP}(?:code|password)"
        rf"|(?:mfa|2fa|verification|auth|authorization|security|sms|confirmation|recovery|backup){_GAP}code)",
        Strength.DIGITS,
    ),
)  # fmt: skip
"""Names of secrets; a name ends where its separator begins: `token_count` and `passwordless` are none."""

_SUFFIX = (
    r"(?:[_-]?(?i:hash|value|plain|plaintext|raw|text|old|new|current|confirm|confirmation|again|repeat|base64|b64|enc"
    r"|encrypted|digest)|[_-]?[0-9])?"
)
_QUOTE = r"(?:\\{0,4}[\"'`]|&quot;|&#34;|%22|\\u0022)"
_EQUALS = (
    rf"{_QUOTE}?\]?(?:[ \t]{{0,8}}(?:=>|->|:=|={{1,3}}|:|%3[DdAa])[ \t]{{0,8}}"
    r"|>"  # <password>…
    rf"|,?[ \t]{{0,2}}{_QUOTE}?(?i:value){_QUOTE}?[ \t]{{0,2}}[:=][ \t]{{0,2}}"  # {"name": "TOKEN", "value": "…"}
    r"|(?:\r?\n|(?:\\r)?\\n){2})"  # name="password", an empty line, the value: a part of a form
)
_WRAP = r"(?:(?:Some|Just|Optional|Secret|SecretString|SecretStr)\()?[\[(]{0,2}"
_LONGEST = 256
_FIRST = r"[^\s\"'`\xfe\xff]"
# Up to the closing quote (the same as the opening one, backslashes and all) or the end of the line; else up to a blank.
_VALUE = (
    rf"{_WRAP}(?:[bur]?(?P<quote>{_QUOTE}))?"
    rf"(?P<hide>(?(quote)(?:(?!(?P=quote))(?:\\[^\n\xff]|[^\n\xff]))*+|[^\s\"'`\xff]{{1,{_LONGEST}}}+))"
)
# Longer ones are read on only once it is clear that nothing cuts them short: a line may hold a hundred thousand names.
_RUN = re.compile(rb"[^\s\"'`\xff]*+")
# Where a bare value ends although no blank is there: the next parameter, field or tag.
_CUT = re.compile(rb"[;&]|,(?=$|[\w.\-\[{]+[=:]|[\"'{\[])|</[A-Za-z]|\\+[nrt]|%26|%22|&quot;")
_CLOSERS = b")]},:;.\\"  # a backslash belongs to the quotation mark behind it
_IN_TAG = re.compile(rb"<[\w:.-]*$")
_IN_ADDRESS = re.compile(rb"://[^\s/]*$")
_FIRST_OF_LINE = re.compile(rb"(?:^|\n)[ \t]*(?:- )?[\"']?[\w.-]*$")
# Tokens that are none: of pages in a listing, and what .NET writes of an assembly's public key.
_HARMLESS = re.compile(rb"(?i)(?:public[_-]?key|next|page|paging|continuation|continue|cursor|sync)[_.-]?$")
_KEY = re.compile(rb"[A-Za-z0-9_-]+")
_HEX = re.compile(rb"[0-9a-fA-F-]+")
_REST = re.compile(rb"[ \t]*[\"'}\]),]*[ \t]*(?:[\r\n\xff]|\Z)")


def _hidden(match: Match, *, strength: Strength) -> Iterable[Span]:
    """The value that a name introduces, when it is one."""
    start, end = match.span("hide")
    if match["equals"] == b">":
        lead = match.string[max(0, match.start() - 64) : match.start()]
        if _IN_TAG.search(lead) is None:
            return ()
        end = start + len(match["hide"].partition(b"<")[0])
    if match["equals"] == b":" and _IN_ADDRESS.search(_lead(match)):  # https://x-access-token:…@host: a user's name
        return ()
    if match["quote"] is None:
        end = _bare_end(match.string, start, end)
    value = match.string[start:end].strip()
    if not value or is_placeholder(value):
        return ()
    return ((start, end),) if _CHECKS[strength](match, value, end) else ()


def _bare_end(text: bytes, start: int, end: int) -> int:
    """Where a value ends that stands without quotes: what was matched of it is looked through, then more."""
    for reach in (_LONGEST, 16 * _LONGEST):
        value = text[start : min(end, start + reach)]
        cut = _CUT.search(value)
        if cut or len(value) < reach:
            value = value[: cut.start()] if cut else value
            return start + len(value.rstrip(_CLOSERS))
        run = _RUN.match(text, start)
        end = run.end() if run else end
    return end


def _in_prose(match: Match) -> bool:
    """Whether it may be a sentence: `password: must be changed`."""
    equals = match["equals"]
    return match["quote"] is None and equals.endswith((b" ", b"\t")) and b"=" not in equals


def _sure(match: Match, value: bytes, end: int) -> bool:
    if not _in_prose(match):
        return not (b" " in match["equals"] and is_thing(value))  # `self.password = password`
    if is_mixed(value) or (value.isdigit() and len(value) >= 6):
        return True
    alone = _REST.match(match.string, end) and _FIRST_OF_LINE.search(_lead(match))
    return alone is not None and not is_thing(value)


def _lead(match: Match) -> bytes:
    """What stands before the name, of its record."""
    return match.string[max(0, match.start() - 64) : match.start()].rpartition(END)[2]


def _short(match: Match, value: bytes, _: int) -> bool:
    small = value.isdigit() and len(value) < 4
    if small or is_path(value) or is_thing(value):
        return False
    passed = match.string[match.start() : match.start("equals")].endswith(b"PASS")  # what test runners say
    return not _in_prose(match) or (is_mixed(value) and not passed)


def _likely(match: Match, value: bytes, _: int) -> bool:
    if _in_prose(match):
        return is_random(value)
    return (len(value) >= 6 and not (is_thing(value) or is_path(value))) or is_random(value)


def _weak(match: Match, value: bytes, _: int) -> bool:
    return is_random(value) and _HARMLESS.search(_lead(match)) is None


def _key(match: Match, value: bytes, _: int) -> bool:
    """Hex alone is a key only as a parameter of an address: elsewhere it is mostly a digest."""
    asked = _lead(match)[-1:] in (b"?", b"&")
    return _KEY.fullmatch(value) is not None and is_random(value, 20) and (asked or _HEX.fullmatch(value) is None)


def _digits(_: Match, value: bytes, __: int) -> bool:
    return value.isdigit() and 3 <= len(value) <= 10


_CHECKS = {
    Strength.SURE: _sure,
    Strength.SHORT: _short,
    Strength.LIKELY: _likely,
    Strength.WEAK: _weak,
    Strength.KEY: _key,
    Strength.DIGITS: _digits,
}


def _rule(name: Name) -> Rule:
    head = rf"(?:{name.names}){_SUFFIX}"
    return Rule(
        name.kind,
        "fields",
        rf"{head}{_EQUALS}{_WRAP}[bur]?{_QUOTE}?{_FIRST}",
        compiled(rf"{head}(?P<equals>{_EQUALS}){_VALUE}"),
        partial(_hidden, strength=name.strength),
    )


FIELD_RULES: tuple[Rule, ...] = tuple(map(_rule, NAMES))

_COLUMN = [(name, compiled(rf"(?:.*[^A-Za-z])?(?:{name.names}){_SUFFIX}")) for name in NAMES]


def secret_column(name: str) -> Name | None:
    """The row of the table for a column of this name; None when the name tells of no secret.

    >>> secret_column("db_password").kind.name
    'password'
    """
    text = name.encode("utf-8", "replace")
    return next((row for row, pattern in _COLUMN if pattern.fullmatch(text)), None)


def hides_cell(name: Name, value: bytes) -> bool:
    """Whether a cell in a column of this name is secret as a whole."""
    if is_placeholder(value.strip()):
        return False
    match = _CELL.match(b'="' + value + b'"')
    return match is not None and _CHECKS[name.strength](match, value, match.end("hide"))


_CELL = compiled(r"(?P<equals>=)(?P<quote>\")(?P<hide>.*)\"\Z")
