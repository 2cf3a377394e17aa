"""What a value looks like: a secret, or only a word, a placeholder, a path, a number.

A name such as `password` says that what follows is secret, except where it is plainly not: `password=<*>`,
`password: required`, `token=EOF`. The weaker the name (`token`, `session`), the more its value has to look like one.
"""

from __future__ import annotations

import re

# What stands in place of a secret, as loggers, templates and shells write it.
_PLACEHOLDER = re.compile(
    rb"""
    [*x.\-_#?]{3,} | \*+ | \S{0,4}\*{3,}\S{0,4} | (?:\xe2\x80\xa2)+               # ***, xxxx, ab***, dots
    | <[^<>]*> | \[[A-Za-z _-]*\]? | \(?redacted\)? | \(null\)                    # <*>, <password>, [FILTERED]
    | \$(?:[A-Z_][A-Z0-9_]*|[a-z_]+) | \$?\{+[^{}]*\}+ | \$\([^()]*\) | \$\{.*    # $NAME, ${NAME}, {{ .Values.x }}
    | %\(?[a-z_]*\)?[sdvrq] | %[A-Za-z_]+% | [:@?][a-z_]{0,30}                    # %s, %(x)s, %NAME%, :name
    | (?:os\.environ|process\.env|System\.getenv|ENV|env|secretKeyRef)[.\[:(].*   # where it comes from
    | (?:self|this|config|cfg|args|opts|options|settings|request|req|params|ctx|data)\.[A-Za-z_.]+
    | [A-Za-z_.]{3,}\((?:[^()]*\))?                                               # a call
    """,
    re.VERBOSE | re.DOTALL,
)

_MARKS = re.compile(rb"[*.:(\[{]")  # one of these is in all that begin with a letter or digit, but for rows of x


def _words(text: str) -> frozenset[bytes]:
    return frozenset(word.encode("ascii") for word in text.split())


# There is no secret, or it is gone already; what is said about it.
_STATES = _words(
    "null none nil true false yes no on off undefined empty blank missing invalid valid expired required incorrect "
    "wrong "
    "changed updated reset ok okay failed failure denied rejected accepted enabled disabled unknown n/a na string str "
    "int integer bool boolean bytes byte object array optional mandatory redacted filtered masked hidden removed set "
    "unset error success successful succeeded active inactive revoked revoke rotated refreshed generated created "
    "deleted found mismatch mismatched verified unverified authenticated unauthorized unauthenticated forbidden begin "
    "started done pending skipped ignored cached pass passed fail warn match matches matched differs differ plaintext"
)
# What a weak name is followed by, and what a sentence goes on with.
_THINGS = _words(
    "secret secrets password passwd token tokens key keys not default errors rotation refresh notfound basic bearer "
    "digest oauth oauth2 oidc saml saml2 ldap ldaps kerberos jwt ntlm negotiate plain scram md5 sha1 sha256 sha512 "
    "bcrypt scrypt argon2 argon2id x509 tls mtls ssl cert iam sso mfa trust peer ident gss sspi pam radius internal "
    "external local remote static dynamic anonymous guest public private protected starting hit miss type name value "
    "file path read write admin user users root api app login logout session cookie header query body eof identifier "
    "newline unexpected expecting and or for from in is was the a an of to with without by must should cannot could "
    "has have does did too short long weak strong needs need requires expires expiring please check enter try using "
    "used use provided supplied given skip self same"
)

_WORDISH = re.compile(rb"[A-Z]?[a-z]+(?:[A-Z][a-z]+)*|[A-Z]+(?:_[A-Z]+)*|[A-Z][A-Za-z]*(?:Exception|Error|Failure)")
_SLUG = re.compile(rb"[A-Za-z]+(?:[-_./:@][A-Za-z]+)*(?:[-_.]?v?[0-9]{1,4})?")
_PATH = re.compile(
    rb"(?:~|\.{1,2}|[A-Za-z]:)?[/\\][\w./\\ -]*|[\w.-]+(?:/[A-Za-z][\w.-]*)+"
    rb"|[\w./-]+\.(?:json|ya?ml|pem|crt|key|txt|conf|env|p12)"
)
_SEGMENTS = re.compile(rb"[/\\. ]")
_DATE = re.compile(rb"S-1-[0-9]|0x[0-9A-Fa-f]{1,16}$|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}:[0-9]{2}")
_ADDRESS = re.compile(
    rb"[A-Za-z][A-Za-z0-9+.-]*://|(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?::[0-9]+)?$|[A-Za-z][\w.-]*:[0-9]{1,5}$"
)
_CLASS = re.compile(rb"[a-z]\w*(?:\.[A-Za-z_$]\w*){2,}(?:@[0-9a-f]+)?")
_TOKEN = re.compile(rb"[\w+/=.~:@!#$%^&*|,-]+")
_LETTER = re.compile(rb"[A-Za-z]")
_DIGIT = re.compile(rb"[0-9]")
_SPECIAL = re.compile(rb"[!@#$%^&*+=~?|][A-Za-z0-9]|[A-Za-z0-9][!@#$%^&*+=~|]{1,3}[A-Za-z0-9]|[#$%^&*]")
_LONG = 512
_NO_WORD = 24


def is_placeholder(value: bytes) -> bool:
    """Whether it stands in place of a secret, or says that there is none."""
    if len(value) > _LONG:
        return False
    if value.strip(b".,:;!").lower() in _STATES:
        return True
    if value[:1].isalnum() and not value.startswith(b"x") and _MARKS.search(value) is None:
        return False
    return _PLACEHOLDER.fullmatch(value) is not None


def is_thing(value: bytes) -> bool:
    """Whether it is a word that often stands behind `token` or `auth`, or goes on a sentence."""
    return value.strip(b".,:;!").lower() in _THINGS


def is_path(value: bytes) -> bool:
    """Whether it is the path or name of a file: base64 has slashes too, but long pieces of all sorts between them."""
    if len(value) > _LONG or value.isalnum() or _PATH.fullmatch(value) is None:
        return False
    return not any(len(piece) >= 10 and _all_sorts(piece) for piece in _SEGMENTS.split(value))


def _all_sorts(value: bytes) -> bool:
    return _DIGIT.search(value) is not None and not (value.islower() or value.isupper())


def is_mixed(value: bytes) -> bool:
    """Whether it is no word: digits among letters, punctuation inside, or letters of both cases in no camel's order."""
    if len(value) > _LONG:
        return True
    if _LETTER.search(value) is None:
        return False
    if _DIGIT.search(value) is not None or _SPECIAL.search(value) is not None:
        return True
    if not value.isalpha():
        return False
    if len(value) >= _NO_WORD and (value.islower() or value.isupper()):
        return True
    return not (value.islower() or _WORDISH.fullmatch(value))


def is_random(value: bytes, least: int = 8) -> bool:
    """Whether it looks made by a generator: long enough, mixed, and no name, path, address, class, date or number."""
    if len(value) > _LONG:
        return True
    if len(value) < least or _TOKEN.fullmatch(value) is None or not is_mixed(value):
        return False
    if value.isalnum() and not value.startswith(b"0x"):
        return _SLUG.fullmatch(value) is None
    if is_path(value):
        return False
    return not (_SLUG.fullmatch(value) or _CLASS.fullmatch(value) or _DATE.match(value) or _ADDRESS.match(value))
