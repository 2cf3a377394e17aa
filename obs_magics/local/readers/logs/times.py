"""Time stamps of log lines: a table of the forms there are, how a file's own are found out, and how they are read.

Each form is an RE2 pattern with groups: `Y` year, `m` month (a number or a name), `d` day, `H` `M` `S` time of day, `f`
fraction, `p` AM or PM, `z` zone; or `e`, a number since the epoch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Array = np.ndarray[Any, Any]

SECOND, DAY = 1_000_000_000, 86_400_000_000_000
NO_TIME = np.iinfo(np.int64).min

_CLOCK = r"(?P<H>\d\d):(?P<M>\d\d):(?P<S>\d\d)"
_FRACTION = r"(?:[.,:](?P<f>\d{1,9}))"
_OFFSET = r"(?:Z|[+-]\d\d(?::?\d\d)?\b)"
_NAMED = r"(?:UTC|GMT|[A-Z]{1,2}[SD]?T)\b"
_ZONE = rf"(?: ?(?P<z>{_OFFSET}| ?\b{_NAMED}))"
_MONTH = r"(?P<m>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_WEEKDAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"


@dataclass(frozen=True, slots=True)
class TimeForm:
    """A way to write times.

    Args:
        title: For people, as an example.
        pattern: RE2 with the groups named above.
        scale: Nanoseconds of one unit of `e`.
    """

    title: str
    pattern: str
    scale: int = 0

    @property
    def needs_year(self) -> bool:
        """Whether the year is not written."""
        return not self.scale and "(?P<Y>" not in self.pattern

    @property
    def needs_day(self) -> bool:
        """Whether the whole date is not written."""
        return not self.scale and "(?P<d>" not in self.pattern


# In order of trust, where two fit the same lines. The year of 2026 stands for any.
TIME_FORMS: tuple[TimeForm, ...] = (
    TimeForm(
        "2026-11-22 14:00:00 (ISO 8601)", rf"(?P<Y>\d{{4}})-(?P<m>\d\d)-(?P<d>\d\d)[T _]{_CLOCK}{_FRACTION}?{_ZONE}?"
    ),
    TimeForm("2026-11-22, 14:00:00 UTC", rf"(?P<Y>\d{{4}})-(?P<m>\d\d)-(?P<d>\d\d), {_CLOCK}{_FRACTION}?{_ZONE}?"),
    TimeForm("2026/11/22 14:00:00", rf"(?P<Y>\d{{4}})/(?P<m>\d\d)/(?P<d>\d\d)[T ]{_CLOCK}{_FRACTION}?{_ZONE}?"),
    TimeForm("2026.11.22 14:00:00", rf"(?P<Y>\d{{4}})\.(?P<m>\d\d)\.(?P<d>\d\d) {_CLOCK}{_FRACTION}?{_ZONE}?"),
    TimeForm("22/Nov/2026:14:00:00 +0000", rf"(?P<d>\d\d)/{_MONTH}/(?P<Y>\d{{4}})[: ]{_CLOCK}{_FRACTION}?{_ZONE}?"),
    TimeForm("22-Nov-2026 14:00:00", rf"(?P<d>\d\d)-{_MONTH}-(?P<Y>\d{{4}}) {_CLOCK}{_FRACTION}?{_ZONE}?"),
    TimeForm("22 Nov 2026 14:00:00.123", rf"(?P<d>\d\d?) {_MONTH} (?P<Y>\d{{4}}),? {_CLOCK}{_FRACTION}?{_ZONE}?"),
    TimeForm(
        "Sun Nov 22 14:00:00 2026",
        rf"{_WEEKDAY} {_MONTH} +(?P<d>\d\d?) {_CLOCK}{_FRACTION}?(?: (?P<z>{_NAMED}))? (?P<Y>\d{{4}})",
    ),
    TimeForm(
        "Nov 22, 2026 2:00:00 PM",
        rf"{_MONTH} (?P<d>\d\d?), (?P<Y>\d{{4}}),? (?P<H>\d\d?):(?P<M>\d\d):(?P<S>\d\d){_FRACTION}? (?P<p>[AP]M)",
    ),
    TimeForm(
        "11/22/2026 2:00:00 PM",
        r"(?P<m>\d\d?)/(?P<d>\d\d?)/(?P<Y>\d{4}),? (?P<H>\d\d?):(?P<M>\d\d):(?P<S>\d\d) (?P<p>[AP]M)",
    ),
    TimeForm("22.11.2026 14:00:00", rf"(?P<d>\d\d?)\.(?P<m>\d\d?)\.(?P<Y>\d{{4}}),? {_CLOCK}{_FRACTION}?{_ZONE}?"),
    # which comes first is told by days behind the 12th; without any in sight, as most of the world writes it
    TimeForm(
        "22/11/2026 14:00:00 (day first)",
        rf"(?P<d>0?[1-9]|[12]\d|3[01])/(?P<m>0?[1-9]|1[0-2])/(?P<Y>\d{{4}}),? {_CLOCK}{_FRACTION}?{_ZONE}?",
    ),
    TimeForm(
        "11/22/2026 14:00:00 (month first)",
        rf"(?P<m>0?[1-9]|1[0-2])/(?P<d>0?[1-9]|[12]\d|3[01])/(?P<Y>\d{{4}}),? {_CLOCK}{_FRACTION}?{_ZONE}?",
    ),
    TimeForm("Nov 22 2026 14:00:00", rf"{_MONTH} +(?P<d>\d\d?),? (?P<Y>\d{{4}})[, ] ?{_CLOCK}{_FRACTION}?{_ZONE}?"),
    TimeForm("Nov 22 14:00:00", rf"{_MONTH} +(?P<d>\d\d?) {_CLOCK}{_FRACTION}?"),
    TimeForm("E1122 14:00:00.123456", rf"[IWEFD](?P<m>\d\d)(?P<d>\d\d) {_CLOCK}{_FRACTION}"),
    TimeForm("I261122 14:00:00.123456", rf"[IWEFD](?P<Y>\d\d)(?P<m>\d\d)(?P<d>\d\d) {_CLOCK}{_FRACTION}"),
    TimeForm("I20261122 14:00:00.123456", rf"[IWEFD](?P<Y>20\d\d)(?P<m>\d\d)(?P<d>\d\d) {_CLOCK}{_FRACTION}"),
    TimeForm("11-22 14:00:00.123", rf"(?P<m>\d\d)-(?P<d>\d\d) {_CLOCK}{_FRACTION}"),
    TimeForm("26/11/22 14:00:00", rf"(?P<Y>\d\d)/(?P<m>\d\d)/(?P<d>\d\d) {_CLOCK}{_FRACTION}?"),
    TimeForm(
        "20261122T140000",
        r"(?P<Y>20\d\d)(?P<m>\d\d)(?P<d>\d\d)[T -](?P<H>\d\d):?(?P<M>\d\d):?(?P<S>\d\d)"
        r"(?:[.,](?P<f>\d{1,9}))?(?P<z>Z)?",
    ),
    TimeForm("261122 140000", r"(?P<Y>\d\d)(?P<m>[01]\d)(?P<d>[0-3]\d) (?P<H>[0-2]\d)(?P<M>[0-5]\d)(?P<S>[0-5]\d)\b"),
    TimeForm("1795356000.123 (seconds)", r"(?P<e>1\d{9})(?:\.(?P<f>\d{1,9}))?\b", SECOND),
    TimeForm("1795356000123 (milliseconds)", r"(?P<e>1\d{12})\b", 1_000_000),
    TimeForm("1795356000123456 (microseconds)", r"(?P<e>1\d{15})\b", 1_000),
    TimeForm("1795356000123456789 (nanoseconds)", r"(?P<e>1\d{18})\b", 1),
    TimeForm("14:00:00.123", rf"{_CLOCK}{_FRACTION}?\b"),
)

_MONTHS = {
    "Jan": 1, "Feb": 2, "Mar": 3, "Apr": 4, "May": 5, "Jun": 6, "Jul": 7, "Aug": 8, "Sep": 9, "Oct": 10, "Nov": 11,
    "Dec": 12,
}  # fmt: skip
# Hours that common names of zones are ahead of UTC; of two meanings the one of servers' logs.
_HOURS = {
    "Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "CET": 1, "CEST": 2, "MET": 1, "MEST": 2, "EET": 2, "EEST": 3, "MSK": 3,
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "JST": 9, "KST": 9,
    "IST": 5.5, "BST": 1, "SGT": 8, "HKT": 8, "AEST": 10, "AEDT": 11,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Moments:
    """Times as far as they are written.

    Args:
        local_ns: int64, the wall clock's time as nanoseconds since 1970; `NO_TIME` where it is no time. Without a year
            it is one of 1972, without a date one of the first day of 1970.
        zoned: bool, whether a zone is written, which `local_ns` then takes into account.
    """

    local_ns: Array
    zoned: Array


def read_times(groups: pa.StructArray, form: TimeForm) -> Moments:
    """Read what a form's pattern has found; null groups are no times."""
    names = {field.name for field in groups.type}
    found = pc.is_valid(groups).to_numpy(zero_copy_only=False)
    part = {name: pc.fill_null(pc.struct_field(groups, name), "") for name in names}
    fraction = _fraction(part["f"]) if "f" in names else np.zeros(len(found), np.int64)
    if form.scale:
        instants = _number(part["e"]) * form.scale + (fraction if form.scale == SECOND else 0)
        return Moments(np.where(found, instants, NO_TIME), np.ones(len(found), bool))
    day, good = _days(part, len(found))
    hour, minute, second = (_number(part[name]) for name in "HMS")
    if "p" in names:
        hour = hour % 12 + 12 * pc.equal(part["p"], "PM").to_numpy(zero_copy_only=False)
    good &= found & (hour < 24) & (minute < 60) & (second <= 60)
    local = day * DAY + ((hour * 60 + minute) * 60 + second) * SECOND + fraction
    if "z" not in names:
        return Moments(np.where(good, local, NO_TIME), np.zeros(len(found), bool))
    offset, zoned = _offsets(part["z"])
    return Moments(np.where(good, local - offset, NO_TIME), zoned)


def _number(texts: pa.Array) -> Array:
    padded = pc.if_else(pc.equal(texts, ""), "0", texts)
    numbers: Array = padded.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return numbers


def _fraction(texts: pa.Array) -> Array:
    """Digits behind the point as nanoseconds."""
    return _number(pc.ascii_rpad(texts, 9, "0"))


def _days(part: dict[str, pa.Array], size: int) -> tuple[Array, Array]:
    """Days since 1970, and which of them there are in a calendar."""
    if "d" not in part:
        return np.zeros(size, np.int64), np.ones(size, bool)
    day = _number(part["d"])
    months = part["m"].dictionary_encode()
    named = [_MONTHS.get(text) or (int(text) if text.isdigit() else 0) for text in months.dictionary.to_pylist()]
    month = np.asarray(named, np.int64)[months.indices.to_numpy()]
    year = _number(part["Y"]) if "Y" in part else np.full(size, 1972)
    year = np.where(year < 100, year + 2000, year)
    good = (month >= 1) & (month <= 12) & (day >= 1) & (year > 1700) & (year < 2250)
    start = ((year - 1970) * 12 + np.where(good, month, 1) - 1).astype("M8[M]")
    length = ((start + 1).astype("M8[D]") - start.astype("M8[D]")).astype(np.int64)
    return start.astype("M8[D]").astype(np.int64) + day - 1, good & (day <= length)


def _offsets(texts: pa.Array) -> tuple[Array, Array]:
    """Nanoseconds that zones are ahead of UTC, and whether there is a zone that is known."""
    zones = texts.dictionary_encode()
    hours = [_offset_hours(text.strip()) for text in zones.dictionary.to_pylist()]
    places = zones.indices.to_numpy()
    ahead = np.asarray([int((one or 0.0) * 3600) * SECOND for one in hours], np.int64)
    return ahead[places], np.asarray([one is not None for one in hours], bool)[places]


def _offset_hours(text: str) -> float | None:
    if text[:1] not in ("+", "-"):
        return _HOURS.get(text)
    digits = text[1:].replace(":", "").ljust(4, "0")
    hours = int(digits[:2]) + int(digits[2:]) / 60
    return -hours if text[0] == "-" else hours


def with_year(local_ns: Array, latest_ns: int) -> Array:
    """Times of 1972 as times of the years before `latest_ns`: the last line is of the latest year that it can be of.

    Lines are in order of time, mostly: where they fall back by more than half a year, a year has begun.
    """
    begun = np.concatenate([[0], np.cumsum(np.diff(local_ns) < -182 * DAY)])
    newest = int(np.datetime64(latest_ns, "ns").astype("M8[Y]").astype(np.int64)) + 1970
    if int(_in_years(local_ns[-1:], np.array([newest]))[0]) > latest_ns + DAY:
        newest -= 1
    return _in_years(local_ns, newest - begun[-1] + begun)


def _in_years(times_1972: Array, years: Array) -> Array:
    """The same month, day and time of day in another year; a 29th of February that is not there is the 1st of March."""
    days = times_1972 // DAY
    month = days.astype("M8[D]").astype("M8[M]")
    day = days - month.astype("M8[D]").astype(np.int64)
    start = (month.astype(np.int64) + (years - 1972) * 12).astype("M8[M]").astype("M8[D]").astype(np.int64)
    moved: Array = (start + day) * DAY + times_1972 % DAY
    return moved


def with_day(clock_ns: Array, last_day: int) -> Array:
    """Times of day as times of the days up to `last_day` (since 1970); where they fall back by half a day, one ends."""
    begun = np.concatenate([[0], np.cumsum(np.diff(clock_ns) < -DAY // 2)])
    moved: Array = clock_ns + (last_day - begun[-1] + begun) * DAY
    return moved


def titles(forms: Sequence[TimeForm]) -> str:
    """The forms in words."""
    return " and ".join(form.title for form in forms)
