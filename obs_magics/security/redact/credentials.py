"""Secrets that stand where a grammar puts them: headers, addresses, command lines, SQL, sentences, private keys."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable

from obs_magics.security.redact.fields import CODE, CREDENTIAL, PASSWORD, SECRET, TOKEN
from obs_magics.security.redact.rule import Kind, Match, Rule, Span, before, compiled
from obs_magics.security.redact.shapes import is_mixed, is_placeholder, is_random, is_thing

BEARER = Kind("bearer_token", "bearer token")
BASIC = Kind("basic_auth", "basic-auth credential")
AUTHORIZATION = Kind("authorization", "authorization header")
URL_PASSWORD = Kind("url_password", "password in an address", "passwords in addresses")
COOKIE = Kind("cookie", "cookie value")
PRIVATE_KEY = Kind("private_key", "private key")

_QUOTE = r"(?:\\{0,4}[\"'`]|&quot;|%22)"
_EQUALS = rf"{_QUOTE}?\]?[ \t]{{0,4}}(?:=>|[:=])[ \t]{{0,4}}"
_OPEN = rf"[\[(]{{0,2}}(?P<quote>{_QUOTE})?"

# --- headers ---------------------------------------------------------------------------------------------------------

# Schemes of the IANA registry and those that vendors made up, whose credential is one word.
_ONE_WORD = (
    r"(?i:bearer|basic|token|apikey|api-key|negotiate|ntlm|kerberos|ssws|geniekey|splunk|bot|jwt|key|private-token"
    r"|oauth)"
)
# Schemes with parameters: the rest of the header is secret.
_PARAMETERS = (
    r"(?:(?i:digest|hawk|oauth|sharedkey|sharedkeylite|signature|snowflake|googlelogin|mac|scram-sha-256)"
    r"|AWS[0-9A-Z-]*|Zoho-[a-z]+)"
)
_AUTHORIZATION = compiled(
    rf"(?i:authorization){_EQUALS}{_OPEN}"
    rf"(?:(?P<one>{_ONE_WORD})(?:[ \t]+|%20|\+)|(?P<many>{_PARAMETERS})[ \t:]+)?"
    r"(?P<hide>(?(many)(?(quote)(?:(?!(?P=quote))[^\r\n\xff]){1,4096}+|[^\r\n\xff]{1,4096}+)|[^\s\"'`<>,;\\\xff]++))"
)


def _authorization(match: Match) -> Iterable[Span]:
    value = match["hide"]
    if is_placeholder(value) or is_thing(value):
        return ()
    sure = (match["many"] and b"=" in value) or (match["one"] and (is_mixed(value) or len(value) >= 12))
    return (match.span("hide"),) if sure or is_random(value) else ()


def _bearer(match: Match) -> Iterable[Span]:
    value = match["hide"]
    return (match.span("hide"),) if is_random(value) else ()


def _basic(match: Match) -> Iterable[Span]:
    """The base64 of `user:password`, and nothing else (RFC 7617)."""
    value = match["hide"]
    try:
        plain = base64.b64decode(value + b"=" * (-len(value) % 4), validate=True)
    except (ValueError, binascii.Error):
        return ()
    return (match.span("hide"),) if b":" in plain and plain.decode("latin-1").isprintable() else ()


# Attributes of Set-Cookie (RFC 6265), which are no values of cookies.
_ATTRIBUTES = frozenset({b"path", b"domain", b"expires", b"max-age", b"samesite", b"version", b"priority", b"comment"})
_PAIR = re.compile(rb"(?:^|[;,\s])[ \t]*([A-Za-z0-9_.$!%~*|-]{1,80})=\"?([^;\s\"'\\,\xfe\xff]+)")
_SESSION_NAME = re.compile(rb"sess|sid|auth|token|csrf|xsrf|login|user|remember|jwt|id$", re.IGNORECASE)


def _cookies(match: Match) -> Iterable[Span]:
    """The values in a header of cookies that look random, or belong to a session."""
    offset = match.start("hide")
    for pair in _PAIR.finditer(match["hide"]):
        name, value = pair.groups()
        least = 4 if _SESSION_NAME.search(name) else 8
        if name.lower() not in _ATTRIBUTES and not is_placeholder(value) and len(value) >= least and is_mixed(value):
            yield pair.start(2) + offset, pair.end(2) + offset


_HEADERS = (
    Rule(AUTHORIZATION, "places", rf"(?i:authorization){_EQUALS}[^\s\xfe\xff]", _AUTHORIZATION, _authorization),
    Rule(
        BEARER,
        "places",
        rf"(?i:\bbearer)(?:[ \t]+|[:=]|%20){_QUOTE}?[A-Za-z0-9]",
        compiled(rf"(?i:bearer)(?:[ \t]+|[:=]|%20){_QUOTE}?(?P<hide>[\w.~+/-]+={{0,2}})"),
        _bearer,
    ),
    Rule(
        BASIC,
        "places",
        rf"(?i:\bbasic)[ \t]+{_QUOTE}?[A-Za-z0-9+/]{{6}}",
        compiled(rf"(?i:basic)[ \t]+{_QUOTE}?(?P<hide>[A-Za-z0-9+/]{{6,1024}}={{0,2}})(?![A-Za-z0-9+/=])"),
        _basic,
    ),
    Rule(
        COOKIE,
        "places",
        rf"(?i:cookies?2?){_EQUALS}[\[(]{{0,2}}{_QUOTE}?[\w.$!%~*|-]+=",
        compiled(
            rf"(?i:cookies?2?){_EQUALS}{_OPEN}"
            r"(?P<hide>(?(quote)(?:(?!(?P=quote))[^\r\n\xff]){1,4096}+|[^\r\n\xff]{1,4096}+))"
        ),
        _cookies,
        once=True,
    ),
)

# --- addresses -------------------------------------------------------------------------------------------------------

_PORT = re.compile(rb"[0-9]{0,5}[/?#]")


def _in_address(match: Match) -> Iterable[Span]:
    """What stands between the colon and the last at-sign, unless it is a port with a path."""
    value = match["hide"]
    return () if _PORT.match(value) or is_placeholder(value) else (match.span("hide"),)


def _user_only(match: Match) -> Iterable[Span]:
    return (match.span("hide"),) if is_random(match["hide"], 16) else ()


_ADDRESSES = (
    Rule(
        URL_PASSWORD,
        "places",
        r"(?::|%3[Aa])(?://|\\/\\/|%2[Ff]%2[Ff])[^\s/?#:\[\"'<>\xfe\xff]*(?::|%3[Aa])[^\s\"'<>\xfe\xff]+(?:@|%40)[^\s\xfe\xff]",
        compiled(
            r"(?::|%3[Aa])(?://|\\/\\/|%2[Ff]%2[Ff])[^\s/?#:\[\"'<>\xfe\xff]{0,128}?(?::|%3[Aa])"
            r"(?P<hide>[^\s\"'<>\xfe\xff]+)(?:@|%40)[^\s\xfe\xff]"
        ),
        _in_address,
    ),
    Rule(
        TOKEN,
        "places",
        r"://[\w.~%+-]{16,}@[A-Za-z0-9]",
        compiled(r"://(?P<hide>[\w.~%+-]{16,})@"),
        _user_only,
    ),
    # user:password@tcp(host:3306)/db, as Go's driver for MySQL has it; scott/tiger@host, as Oracle's.
    Rule(
        URL_PASSWORD,
        "places",
        r"\b[\w.-]+:[^\s:@/\"'\xfe\xff]+@(?:tcp|unix)\(",
        compiled(r"[\w.-]+:(?P<hide>[^\s:@/\"'\xfe\xff]+)@(?:tcp|unix)\("),
    ),
    Rule(
        URL_PASSWORD,
        "places",
        r"jdbc:oracle:(?:thin|oci8?):[\w$#]+/[^\s@\xfe\xff]+@",
        compiled(r"jdbc:oracle:(?:thin|oci8?):[\w$#]+/(?P<hide>[^\s@\xfe\xff]+)@"),
    ),
)

# --- command lines, SQL, sentences -----------------------------------------------------------------------------------


def _said(match: Match) -> Iterable[Span]:
    """A value that stands behind an option or a keyword, without an equals sign."""
    value = match["hide"].rstrip(b",;)]}")
    if not value or is_placeholder(value) or is_thing(value):
        return ()
    return ((match.start("hide"), match.start("hide") + len(value)),)


def _said_mixed(match: Match) -> Iterable[Span]:
    return _said(match) if is_mixed(match["hide"].rstrip(b".,;:!)]}")) else ()


def _said_all_sorts(match: Match) -> Iterable[Span]:
    """Right behind the word, without a verb: only what no sentence goes on with."""
    return _said(match) if _ALL_SORTS.fullmatch(match["hide"].rstrip(b".,;:)]}")) else ()


def _said_random(match: Match) -> Iterable[Span]:
    return _said(match) if is_random(match["hide"].rstrip(b".,;:!)]}"), 20) else ()


def _of_curl(match: Match) -> Iterable[Span]:
    """`-u user:password`, when it is curl's: with others, -u may be a user and group."""
    return _said(match) if re.search(rb"curl|wget|http", before(match, 400)) else ()


_ALL_SORTS = re.compile(rb"(?=\S*[0-9])(?=\S*[A-Za-z])(?:(?=\S*[a-z])(?=\S*[A-Z])|(?=\S*[!@#$%^&*]))\S{8,64}")
_ARGUMENT = rf"(?:[ \t]+|{_QUOTE},[ \t]*){_QUOTE}?"
_OPTION = r"--?(?:[a-z0-9]+-){0,3}"
_PASSWORD_OPTION = rf"{_OPTION}(?i:password|passwd|passphrase|pass|pwd){_ARGUMENT}"
_TOKEN_OPTION = rf"{_OPTION}(?i:secret|token|api-?key|access-key|secret-key|auth-key|credentials?|bearer){_ARGUMENT}"
_MYSQL = r"\b(?:mysql[a-z]*|mariadb[a-z-]*)[ \t]", r"[ \t]-p[\"']?"
_LOGIN = r"\b(?:sshpass|docker login|podman login|oc login|az login|redis-cli|ldapsearch)[ \t]", r"-[paw][ \t]*[\"']?"
_CURL = r"(?:-u|--user|--proxy-user)[ =]*[\"']?[\w.@\\-]+:"
_SQL = r"(?i:identified[ ]+by|identified[ ]+with[ ]+[\w'\"]+[ ]+(?:by|as)|password)[ \t]+"
_IS = r"(?i:password|passphrase|passwd|pwd|passcode)[ \t]+(?i:is|was|to|of)[ \t]*:?[ \t]+[\"'`]?"
_FOR = r"(?i:password|passphrase)[ \t]+for[ \t]+(?:user[ \t]+)?[\w.@'\"-]{1,64}[ \t]*(?::|=|is)[ \t]+"
_USER_PAIR = r"\b(?i:credentials?|login)[ \t]+[\w.@-]{1,64}:"
_TUPLE = r"\bauth=\([\"'][^\"'\s\xfe\xff]{1,64}[\"'],[ ]*[\"']"
_ALONE = r"\b(?i:password|passwd|passphrase)[ \t]+"
_NAMED = (
    r"(?i:token|secret|secret key|api[ _-]?key|access[ _-]?key|credentials?|password)[ \t]+(?i:is[ \t]+|was[ \t]+)?"
    rf"{_QUOTE}?"
)

_BASE64 = r"[A-Za-z0-9+/]{10,}={0,2}(?![\w-])"
_MAIL_LOGIN = r"\bAUTH(?:ENTICATE)?[ ]+(?:PLAIN|LOGIN|XOAUTH2|OAUTHBEARER)[ ]+"  # RFC 4954, RFC 9051
_REDIS_LOGIN = r"\bAUTH[ ]+(?:default[ ]+)?"
_DIGEST = r"\baddauth[ ]+digest[ ]+[\w.-]+:"  # of ZooKeeper
_CODE_SAID = r"(?i:verification|security|one-time|login|authentication|2fa|sms|confirmation)[ ](?i:pass)?(?i:code)"
_CODE_IS = rf"{_CODE_SAID}(?:[ ](?i:is|was))?:?[ ]+"
_JWK = rf"{_QUOTE}(?:d|dp|dq|qi){_QUOTE}[ ]?:[ ]?{_QUOTE}"  # RFC 7518, section 6: private parts
_SAML = r"(?i:saml_?(?:response|assertion|art))(?:=|%3[Dd])"

# kind, pass, what stands before the value (found without looking far, matched within a line's reach), check
_FAR = r"[^\n\xfe\xff]*?", r"[^\n\xfe\xff]{0,300}?"
_SAID = (
    (PASSWORD, "said", _PASSWORD_OPTION, rf"(?<![\w-]){_PASSWORD_OPTION}", _said),
    (TOKEN, "said", _TOKEN_OPTION, rf"(?<![\w-]){_TOKEN_OPTION}", _said_mixed),
    (PASSWORD, "said", _FAR[0].join(_MYSQL), _FAR[1].join(_MYSQL), _said),
    (PASSWORD, "said", _FAR[0].join(_LOGIN), _FAR[1].join(_LOGIN), _said),
    (PASSWORD, "said", _CURL, _CURL, _of_curl),
    (PASSWORD, "said", r"(?:requirepass|masterauth)[ \t]+[\"']?", r"(?:requirepass|masterauth)[ \t]+[\"']?", _said),
    (PASSWORD, "said", r"\"(?i:auth)\" \"", r"\"(?i:auth)\" (?:\"[\w.-]+\" )?\"", _said),
    (PASSWORD, "said", r"\blogin [\w.@-]+ password ", r"login [\w.@-]+ password ", _said),
    (PASSWORD, "said", _IS, _IS, _said_mixed),
    (PASSWORD, "said", _FOR, _FOR, _said_mixed),
    (PASSWORD, "said", _USER_PAIR, _USER_PAIR, _said_mixed),
    (PASSWORD, "said", _TUPLE, _TUPLE, _said),
    (PASSWORD, "said", _ALONE, _ALONE, _said_all_sorts),
    (PASSWORD, "pairs", _DIGEST, _DIGEST, _said),
    (PASSWORD, "places", _REDIS_LOGIN, _REDIS_LOGIN, _said_all_sorts),
)

_SENTENCES = (
    *(
        Rule(kind, scan, rf"{find}[^\s\"'`\xfe\xff-]", compiled(rf"{lead}(?P<hide>[^\s\"'`\xfe\xff]+)"), check)
        for kind, scan, find, lead, check in _SAID
    ),
    Rule(
        PASSWORD,
        "said",
        rf"{_SQL}['\"`][^\s\"'`\xfe\xff]",
        compiled(rf"{_SQL}(?P<quote>['\"`])(?P<hide>(?:(?!(?P=quote))[^\s\xff]){{3,256}}+)(?P=quote)"),
        _said,
    ),
    Rule(PASSWORD, "pairs", rf"{_MAIL_LOGIN}[A-Za-z0-9]", compiled(rf"{_MAIL_LOGIN}(?P<hide>{_BASE64})"), _said_mixed),
    Rule(CODE, "pairs", rf"{_CODE_IS}[0-9]", compiled(rf"{_CODE_IS}(?P<hide>[0-9]{{4,8}})(?![\w-]|\.[0-9])")),
    Rule(SECRET, "pairs", rf"{_JWK}[A-Za-z0-9_-]", compiled(rf"{_JWK}(?P<hide>[A-Za-z0-9_-]{{42,}})(?=\\*[\"'])")),
    Rule(CREDENTIAL, "pairs", rf"{_SAML}[A-Za-z0-9]", compiled(rf"{_SAML}(?P<hide>[A-Za-z0-9+/=_%-]{{40,}})")),
    Rule(
        SECRET,
        "said",
        rf"{_NAMED}[A-Za-z0-9_+/=.~-]{{20}}",
        compiled(rf"{_NAMED}(?P<hide>[A-Za-z0-9_+/=.~-]{{20,}})"),
        _said_random,
    ),
)

# --- private keys ----------------------------------------------------------------------------------------------------

_TITLE = r"(?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?"
_BREAK = r"(?:[ \t\r\n]|\\+[nr])"
PEM_BEGIN = rf"-----BEGIN {_TITLE}-----"
PEM_END = rf"-----END {_TITLE}-----"
_BODY = r"(?:[^\xfe\xff-]++|-(?!----))*+"
# Cut off: whatever is base64 there; a short line only where the record ends.
_CUT_OFF = (
    rf"(?:{_BREAK}{{0,4}}+[A-Za-z0-9+/]{{20,}}+={{0,2}}+)*+"
    r"(?:(?:[\r\n]|\\+[nr])++[A-Za-z0-9+/]{4,}+={0,2}(?=\s*(?:\xff|\Z)))?"
)


def _key(match: Match) -> Iterable[Span]:
    """The key with its frame; a frame around nothing stays."""
    title_ends = match["hide"].index(b"-----", 5) + 5
    return (match.span("hide"),) if len(match["hide"]) > title_ends else ()


def _tail(match: Match) -> Iterable[Span]:
    """The end of one whose beginning is lost: from the first word that is long enough to be a line of it."""
    line = re.search(rb"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{40,}", match["hide"])
    return () if line is None else ((match.start("hide") + line.start(), match.end("hide")),)


_PRIVATE_KEYS = (
    Rule(PRIVATE_KEY, "places", PEM_BEGIN, compiled(rf"(?P<hide>{PEM_BEGIN}(?:{_BODY}{PEM_END}|{_CUT_OFF}))"), _key),
    Rule(
        PRIVATE_KEY,
        "pairs",
        rf"(?:[A-Za-z0-9+/=]+{_BREAK}+)+{PEM_END}",
        compiled(rf"(?P<hide>(?:[A-Za-z0-9+/=]++{_BREAK}++)++){PEM_END}"),
        _tail,
    ),
)

CREDENTIAL_RULES: tuple[Rule, ...] = (*_PRIVATE_KEYS, *_HEADERS, *_ADDRESSES, *_SENTENCES)
