"""The grammar of points in time: the words and patterns that `model.instants` reads."""

from __future__ import annotations

import re

WORDS = (
    "now", "today", "yesterday", "tomorrow", "noon", "midnight", "ago", "last", "past", "this", "previous", "between",
    "and", "from", "to", "since", "until", "around", "for", "monday", "tuesday", "wednesday", "thursday", "friday",
    "saturday", "sunday", "hour", "minute", "day", "week", "month", "year", "hours", "minutes", "days", "weeks",
)  # fmt: skip

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")  # strftime's follow the locale
WEEKDAYS = tuple(name[:3].lower() for name in DAYS)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

# The grammar, from small to large; `model.instants` reads each named group. ASCII only: else IGNORECASE takes ſ for s.
_FLAGS = re.IGNORECASE | re.ASCII
_WD = r"mon(?:day)?|tue(?:s|sday)?|wed(?:nesday)?|thu(?:r|rs|rsday)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?"
_MONTH = (
    r"jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?"
)
_NUMBERED = (
    r"(?P<y1>[0-9]{4})(?P<sep>[-/]?)(?P<m1>[0-9]{2})(?P=sep)(?P<d1>[0-9]{2})"
    rf"|(?P<d2>[0-9]{{1,2}})(?:st|nd|rd|th)?\s?(?:of\s)?(?P<m2>{_MONTH})\.?(?:,?\s(?P<y2>[0-9]{{4}})(?![0-9:]))?"
    rf"|(?P<m3>{_MONTH})\.?\s(?:the\s)?(?P<d3>[0-9]{{1,2}})(?:st|nd|rd|th)?(?:,?\s(?P<y3>[0-9]{{4}})(?![0-9:]))?"
)
_DAY = (
    r"(?:on\s)?(?:(?P<word>today|yesterday|tomorrow)"
    rf"|(?:(?P<checked>{_WD}),?\s)?(?:{_NUMBERED})"
    rf"|(?P<last>last\s)?(?P<weekday>{_WD}))"
)
_CLOCK = (
    r"(?:(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]+))?)?"
    r"(?:\s?(?P<half>[ap])\.?m\b\.?)?"
    r"|(?P<hour12>[0-9]{1,2})\s?(?P<half12>[ap])\.?m\b\.?"
    r"|(?P<name>noon|midnight)"
    r"|(?<=t)(?P<compact>[0-9]{4}(?:[0-9]{2})?))"
)
# Offsets end at 14 hours, so that 14:00-15:00 is not taken for one.
_OFFSET = r"z\b|utc\b|gmt\b|(?:(?:utc|gmt)\s?)?[+-](?:0?[0-9]|1[0-4])(?::?[0-5][0-9])?"
_ZONE = rf"(?:\s?(?P<offset>{_OFFSET})|\s(?P<zone>[a-z][a-z0-9_/+-]*))"
DAY_FIRST = re.compile(rf"{_DAY}(?:(?:,?\s(?:at\s|@\s?)?|t){_CLOCK})?{_ZONE}?", _FLAGS)
CLOCK_FIRST = re.compile(rf"(?:at\s)?{_CLOCK}(?:,?\s{_DAY})?{_ZONE}?", _FLAGS)
ZONE_INSIDE = re.compile(rf"(?:at\s)?{_CLOCK}{_ZONE},?\s{_DAY}", _FLAGS)
EPOCH_TEXT = re.compile(r"[0-9]{9,}(?:\.[0-9]+)?")
AGO = re.compile(r"(?P<duration>.+) ago", _FLAGS)
# `now` may be left out: -1h is an hour ago. A number alone (-1, -05:00) is no such step.
NOW = re.compile(r"(?:now|(?=[+-]\s?[0-9.]+\s?[a-z]))(?P<steps>(?:\s?[+-]\s?[^+/-]+|\s?/\s?[a-zA-Z]+)*)", _FLAGS)
STEP = re.compile(r"(?P<sign>[+-])\s?(?P<amount>[^+/-]+)|/\s?(?P<unit>[a-zA-Z]+)")
CALENDAR_STEP = re.compile(r"(?P<count>[0-9]+)\s?(?P<unit>[dwMQy])\s?")
