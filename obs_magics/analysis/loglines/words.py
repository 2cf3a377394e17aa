"""The patterns (RE2) by which the text of a line tells its level: where a level stands, and what may stand before it.

A level counts only in a line's head, behind nothing but what log lines begin with: times, hosts, processes, threads,
loggers, fields. "0 errors" and "no error" in the middle of a sentence say nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from obs_magics.model.logs import Level

# Upper case, standing alone; with `?` the ones that need a bracket or a colon, as they are words of English too.
BARE: dict[Level, str] = {
    "trace": "TRACE|TRC|TRAC|VERBOSE|VRB|FINER|FINEST",
    "debug": "DEBUG[1-5]?|DBG|DEBU|DBUG|FINE|CONFIG",
    "info": "INFO|INF|INFORMATION|NOTICE|SUCCESS",
    "warn": "WARN|WARNING|WRN",
    "error": "ERROR|ERR|ERRO|SEVERE",
    "fatal": "FATAL|CRITICAL|CRIT|CRT|PANIC|DPANIC|EMERG|EMERGENCY|FATA|FTL|PNC",
}
# Any case, in brackets or between bars.
BRACKETED: dict[Level, str] = {
    "trace": "trace|trc|verbose|vrb|finer|finest|trace[1-8]",
    "debug": "debug[1-5]?|dbg|fine|config",
    "info": "info|inf|information|informational|notice|note|system|success",
    "warn": "warn|warning|wrn",
    "error": "error|err|eror|severe",
    "fatal": "fatal|critical|crit|panic|dpanic|emerg|emergency|alert|ftl",
}
# Any case, with a colon (or an exclamation mark) behind.
COLON: dict[Level, str] = {
    "trace": "trace|trce|verbose",
    "debug": "debug|dbug|dbg",
    "info": "info|information|notice|note",
    "warn": "warn|warning|[a-z]*warning|php warning|php deprecated",
    "error": "error|err|severe|fail|(?:[a-z_$][\\w$]*\\.)*[A-Za-z_$]\\w*(?:Error|Exception)",
    "fatal": "fatal|critical|crit|panic|emerg|emergency|alert|fatal error|php fatal error|php parse error",
}

_TIME = r"[+]?\d[\d:.,/TZ+_-]*(?:[AaPp][Mm]|[mnuµ]?s)?"
_CALENDAR = (
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6}\b"
    r"|UTC|GMT|CES?T|[ECMP][SD]T|[AaPp][Mm]\b"
)
_BRACKETS = r"\[[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\]|\([^()]*\)|\{[^{}]*\}|<[^<>]*>"
_DOTTED = r"[\w$@]+(?:[./$#@:\\-]+[\w$]+)+"  # hosts, classes, files, threads
_NUMBERED = r"[A-Za-z_]+\d\w*"
_FIELD = r"[\w.-]+=(?:\"[^\"]*\"|[^\s\"]*)"
_NAMED = r"[\w./-]+(?:\[[\w.]*\])?:|[\w.-]+\s+[-|]\s"  # `sshd[12]:`, `root - `, `web | `
_KNOWN = r"main\b|npm\b|worker\b|RAS [A-Z]+\b|[A-Z]+ \d{10}\b|[DIWEFA],"
_BETWEEN = r"[\s,;:|*~>@-]+"
# https://www.rfc-editor.org/rfc/rfc3164#section-4.1.2 and rfc5424: time, host, program
SYSLOG_HEADER = (
    r"(?:<\d{1,3}>)?(?:1 )?(?:[A-Z][a-z]{2} [ \d]\d(?: \d{4})? \d\d:\d\d:\d\d(?:\.\d+)?|\d{4}-\d\d-\d\dT\S{8,30})"
    r"\s+[\w.:-]+\s+"
)
_HEAD = (
    rf"^[\s\x00]*(?:{SYSLOG_HEADER})?"
    rf"(?:(?:{_TIME}|{_CALENDAR}|{_BRACKETS}|{_DOTTED}|{_NUMBERED}|{_FIELD}|{_NAMED}|{_KNOWN})?(?:{_BETWEEN})?)*"
)
_AFTER = r"(?:[\s:\[\]|,;/()\-]|$)"


def _token(level: Level) -> str:
    bare, bracketed, colon = BARE[level], BRACKETED[level], COLON[level]
    only_postgres = r"|(?:LOG|DETAIL|HINT|CONTEXT|STATEMENT|QUERY|LOCATION):\s\s" if level == "info" else ""
    return (
        rf"[\[<(|]\s*(?:[\w.]+[:=])?(?i:{bracketed})\s*[\]>)|]"  # [error] <Error> [core:error] |INFO|
        rf"|\[[^\[\]]*[\s:,](?:{bare})(?:[\s/][^\[\]]*)?\]"  # [14:00:00 INF] [… ERROR my_crate]
        rf"|(?:\b[\w-]+\.)?\b(?:{bare})(?:\[\d+\])?{_AFTER}"  # ERROR, app.ERROR, ERRO[0001]
        rf"|\b(?i:{colon})[:!](?:[\s\[]|$){only_postgres}"  # error: fail: npm ERR!
    )


def _spaced(level: Level) -> str:
    """Behind a time also in lower case, when more than a space follows: zap's console and Istio have tabs."""
    return (
        rf"^\s*\[?\d[\d:.,/TZ+_\s-]{{7,40}}[\]\s,]\s*(?i:{BRACKETED[level]})(?:\t|[ \t][ \t]|[ \t]*[|\[(]|[ \t]-[ \t])"
    )


def _letter(letters: str) -> str:
    """One letter for a level, in the places where klog, CockroachDB, logcat and MongoDB have it."""
    return (
        rf"^[{letters}]\d{{4}}(?:\d\d){{0,2}} \d\d:\d\d:\d\d"
        rf"|^(?:\d{{4}}-)?\d\d-\d\d \d\d:\d\d:\d\d\.\d+ +\d+ +\d+ [{letters}] "
        rf"|^(?:(?:\d{{4}}-)?\d\d-\d\d \d\d:\d\d:\d\d\.\d+ )?[{letters}]/[^()\n]+\( *\d+\): "
        rf"|^\d{{4}}-\d\d-\d\dT[\d:.,Z+-]+ [{letters}]\d? +[A-Z]{{3,}} "
    )


def _redis(signs: str) -> str:
    """https://redis.io/docs/latest/operate/oss_and_stack/management/admin/#logging: `pid:role date sign message`."""
    return rf"^\d+:[XCSM] \d\d [A-Z][a-z]{{2}} \d{{4}} \d\d:\d\d:\d\d\.\d{{3}} [{signs}] "


def _pri(severities: Sequence[int]) -> str:
    """The priority that RFC 5424 puts in front: facility times eight plus severity."""
    numbers = "|".join(str(8 * facility + severity) for facility in range(24) for severity in severities)
    return rf"^<(?:{numbers})>"


def _status(first: str) -> str:
    """The status behind the request in the access logs of web servers, and before it in those of load balancers."""
    return (
        rf"^[^\"{{}}]*\"(?:[^\"\\]|\\.)*\sHTTP/[\d.]+\" [{first}]\d\d\b"
        rf"|^(?:https?|h2|grpcs?|wss?) \d{{4}}-\d\d-\d\dT\S+ \S+ \S+ \S+ \S+ \S+ \S+ [{first}]\d\d "
    )


def _java_util(words: str) -> str:
    """`java.util.logging` writes its level in front of the second line."""
    return rf"^[A-Z][a-z]{{2}} \d\d?, \d{{4}} \d\d?:\d\d:\d\d [AP]M [^\n]*\n(?:{words}): "


_CRASH = (
    r"^(?:Traceback \(most recent call last\):|Exception in thread |Unhandled [Ee]xception|Uncaught |PHP Fatal error"
    r"|(?:[a-z_$][\w$]*\.)+[A-Z][\w$]*(?:Exception|Error)\s*$)"
)
Rules = Mapping[Level, str]

# One set after the other: what an earlier set tells is not asked again.
LETTER_RULES: Rules = {
    "trace": _letter("V"),
    "debug": f"{_letter('D')}|{_redis('.-')}",
    "info": f"{_letter('I')}|{_redis('*')}",
    "warn": f"{_letter('W')}|{_redis('#')}",
    "error": _letter("E"),
    "fatal": _letter("FA"),
}
HEAD_RULES: Rules = {level: f"{_HEAD}(?:{_token(level)})|{_spaced(level)}" for level in BARE}
OTHER_RULES: Rules = {
    "trace": _java_util("FINER|FINEST"),
    "debug": f"{_pri((7,))}|{_java_util('CONFIG|FINE')}",
    "info": f"{_pri((5, 6))}|{_status('1-3')}|{_java_util('INFO')}",
    "warn": f"{_pri((4,))}|{_status('4')}|{_java_util('WARNING')}",
    "error": f"{_pri((3,))}|{_status('5')}|{_java_util('SEVERE')}|{_CRASH}",
    "fatal": _pri((0, 1, 2)),
}
RULE_SETS: tuple[Rules, ...] = (LETTER_RULES, HEAD_RULES, OTHER_RULES)

# Of a head with more than one level word, the group of the first.
FIRST_OF_HEAD = rf"{_HEAD[:-1]}*?(?:" + "|".join(f"(?P<{level}>{_token(level)})" for level in BARE) + ")"
