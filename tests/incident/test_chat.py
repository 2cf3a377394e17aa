"""Pasted chat: the forms in which Slack, Teams, Discord, WhatsApp, IRC and people write it, and whatever else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.patience import least_seconds

from obs_magics.incident.chat import Chat, read_chat
from obs_magics.model.errors import UsageError

NEAR = datetime(2026, 11, 22, 14, 15, tzinfo=UTC)
NEAR_NS = int(NEAR.timestamp()) * 10**9
BERLIN = ZoneInfo("Europe/Berlin")


def read(text: str, *, zone: ZoneInfo | None = None, first: date | None = None) -> Chat:
    return read_chat(text, zone=zone or UTC, near_ns=NEAR_NS, first=first)


def rows(chat: Chat) -> list[tuple[str, str, str]]:
    """Each message as its time in UTC, its author and its text."""
    return [(f"{at(one.at_ns):%d %H:%M:%S}", one.author, one.text) for one in chat.messages]


def at(ns: int) -> datetime:
    return datetime.fromtimestamp(ns // 10**9, UTC)


ROLLED = ("22 14:31:00", "anna", "we roll back")
OK = ("22 14:35:00", "ben", "ok")
BOTH = [ROLLED, OK]


@pytest.mark.parametrize(
    "text",
    [
        "14:31 anna: we roll back\n14:35 ben: ok",
        "14:31:00 - anna: we roll back\n14:35:00 - ben: ok",
        "- 14:31 anna: we roll back\n- 14:35 ben: ok",
        "[14:31] anna we roll back\n[14:35] ben ok",
        "[14:31] anna: we roll back\n[14:35] ben: ok",
        "[14:31] <anna> we roll back\n[14:35] <ben> ok",
        "(2:31 PM) anna: we roll back\n(2:35 PM) ben: ok",
        "14:31 | anna: we roll back\n14:35 | ben: ok",
        "14:31 <@anna> we roll back\n14:35 <ben> ok",
        "14:31\r\nanna\r\n",
        "2026-11-22 14:31 anna: we roll back\n2026-11-22 14:35 ben: ok",
        "2026-11-22T14:31:00Z anna: we roll back\n2026-11-22T15:35:00+01:00 ben: ok",
        "14:31 UTC anna: we roll back\n09:35 EST ben: ok",
        "15:31 CET anna: we roll back\n15:35 Europe/Berlin ben: ok",
        "22/11/2026, 14:31 - anna: we roll back\n22/11/2026, 14:35 - ben: ok",
        "11/22/26, 2:31 PM - anna: we roll back\n11/22/26, 2:35 PM - ben: ok",
        "[22.11.26, 14:31:00] anna: we roll back\n[22.11.26, 14:35:00] ben: ok",
        "[22/11/2026 14:31] anna\nwe roll back\n[22/11/2026 14:35] ben\nok",
        "22 Nov 14:31 anna: we roll back\n22 Nov 2026 14:35 ben: ok",
        "Nov 22, 2026 2:31 PM anna: we roll back\nNov 22, 2026 2:35 PM ben: ok",
        "anna  2:31 PM\nwe roll back\nben  2:35 PM\nok",
        "anna\n  2:31 PM\nwe roll back\nben :palm_tree:\n  2:35 PM\nok",
        "anna\n  14:31\nwe roll back\nben\n  14:35\nok",
        "anna [2:31 PM]\nwe roll back\n\nben [2:35 PM]\nok",
        "anna 11/22/2026 2:31 PM\nwe roll back\nben 11/22/2026 2:35 PM\nok",
        "anna — 22/11/2026 14:31\nwe roll back\nben — 22/11/2026 14:35\nok",
        "anna\n14:31\nwe roll back\n\nben\n14:35\nok",
        "anna\t14:31\nwe roll back\nben\t14:35\nok",
    ],
)
def test_forms_of_chat(text: str) -> None:
    expected = [("22 14:31:00", "", "anna")] if text.startswith("14:31\r\n") else BOTH
    assert rows(read(text)) == expected


def test_a_message_may_have_several_lines() -> None:
    chat = read("14:31 anna: first\n  second: 1\n\nthird\n14:33 ben: ok\n")
    assert [one.text for one in chat.messages] == ["first\n  second: 1\n\nthird", "ok"]
    assert [one.line for one in chat.messages] == [1, 5]


def test_times_inside_messages_are_no_heads_where_heads_stand_on_lines_of_their_own() -> None:
    text = "Anna  2:31 PM\n14:12 deploy done\n14:13 pool changed\nBen  2:35 PM\nok\nCyd  2:36 PM\nfine"
    assert [one.text for one in read(text).messages] == ["14:12 deploy done\n14:13 pool changed", "ok", "fine"]


def test_slack_leaves_the_name_out_of_messages_that_follow() -> None:
    text = "Anna Müller\n  2:31 PM\nwe see p99 up\n2:33\nrolling back\nBen Ito\n  2:35 PM\nok"
    assert rows(read(text)) == [
        ("22 14:31:00", "Anna Müller", "we see p99 up"),
        ("22 14:33:00", "Anna Müller", "rolling back"),
        ("22 14:35:00", "Ben Ito", "ok"),
    ]


def test_apps_are_called_by_the_name_above() -> None:
    text = "PagerDuty\nAPP  2:21 PM\nTriggered: latency\nAnna  2:31 PM\nlooking"
    assert [one.author for one in read(text).messages] == ["PagerDuty", "Anna"]


def test_teams_puts_the_name_alone_behind_the_bracket() -> None:
    text = "[14:31] Anna Müller\nwe roll back\n\n[14:35] Ben Ito\nok\nfine"
    assert [(one.author, one.text) for one in read(text).messages] == [
        ("Anna Müller", "we roll back"),
        ("Ben Ito", "ok\nfine"),
    ]


def test_a_line_without_a_name_is_a_message_of_nobody_in_particular() -> None:
    assert rows(read("14:31 rolled back\n14:40 see http://x.test/a:b")) == [
        ("22 14:31:00", "", "rolled back"),
        ("22 14:40:00", "", "see http://x.test/a:b"),
    ]


# ── days ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_chat_that_goes_back_by_half_a_day_has_passed_midnight() -> None:
    assert [row[0] for row in rows(read("23:58 a: x\n00:03 b: y\n00:02 a: late\n23:59 c: z"))] == [
        "22 23:58:00",
        "23 00:02:00",
        "23 00:03:00",
        "23 23:59:00",
    ]


def test_the_first_day_is_the_nearest_to_the_incident_or_the_one_that_is_given() -> None:
    midnight = int(datetime(2026, 11, 22, 0, 10, tzinfo=UTC).timestamp()) * 10**9
    chat = read_chat("23:50 a: paged\n00:20 b: ok", zone=UTC, near_ns=midnight)
    assert [row[0] for row in rows(chat)] == ["21 23:50:00", "22 00:20:00"]
    assert [row[0] for row in rows(read("23:50 a: paged", first=date(2026, 11, 3)))] == ["03 23:50:00"]


@pytest.mark.parametrize(
    ("separator", "day"),
    [
        ("-----Monday, November 23rd-----", "23"),
        ("Monday, November 23rd", "23"),
        ("--- 23 Nov 2026 ---", "23"),
        ("2026-11-23", "23"),
        ("———— Monday ————", "23"),
        ("23.11.2026", "23"),
    ],
)
def test_lines_with_a_date_begin_a_day(separator: str, day: str) -> None:
    chat = read(f"anna  2:31 PM\nx\n{separator}\nben  9:05 AM\ny")
    assert [row[0] for row in rows(chat)] == ["22 14:31:00", f"{day} 09:05:00"]
    assert [row[2] for row in rows(chat)] == ["x", "y"]


def test_a_word_for_a_day_alone_is_text() -> None:
    assert [one.text for one in read("14:31 anna: when?\nToday\n14:32 ben: Monday\nMonday").messages] == [
        "when?\nToday",
        "Monday\nMonday",
    ]


def test_today_and_yesterday_are_days_of_the_incident_and_that_is_said() -> None:
    chat = read("anna — Yesterday at 2:31 PM\nhello\nben — Today at 9:00 AM\nx")
    assert [row[0] for row in rows(chat)] == ["22 14:31:00", "23 09:00:00"]
    assert chat.notes[0].startswith("“yesterday” is taken for 22 Nov 2026")
    given_day = read("anna — Yesterday at 2:31 PM\nhello", first=date(2026, 11, 24))
    assert [row[0] for row in rows(given_day)] == ["23 14:31:00"]
    assert not given_day.notes


def test_numbers_of_which_nobody_knows_which_is_the_month_are_read_as_the_others() -> None:
    assert [row[0] for row in rows(read("11/12/2026 14:31 a: x\n11/22/2026 14:32 a: y"))] == [
        "12 14:31:00",
        "22 14:32:00",
    ]
    assert rows(read("12/11/2026 14:31 a: x\n22/11/2026 14:32 a: y"))[0][0] == "12 14:31:00"
    near = read_chat(
        "03/04/2026 10:00 a: x", zone=UTC, near_ns=int(datetime(2026, 4, 3, tzinfo=UTC).timestamp()) * 10**9
    )
    assert at(near.messages[0].at_ns).date() == date(2026, 4, 3)


def test_what_is_no_date_or_no_clock_is_text() -> None:
    chat = read("14:31 a: x\n31/02/2026 14:32 b: y\n25:61 c: z\n14:32 pm d: w")
    assert rows(chat) == [("22 14:31:00", "a", "x\n31/02/2026 14:32 b: y\n25:61 c: z\n14:32 pm d: w")]


# ── zones ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_zone_is_the_one_given_where_none_is_written() -> None:
    assert rows(read("15:31 anna: we roll back", zone=BERLIN)) == [ROLLED]


@pytest.mark.parametrize("name", ["IST", "CST", "BST"])
def test_a_zone_with_several_meanings_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=rf"line 2: {name} means different zones"):
        read(f"14:31 anna: x\n14:32 {name} ben: y")


def test_a_name_in_capitals_is_no_zone() -> None:
    assert rows(read("14:31 EST: x"))[0][1:] == ("EST", "x")
    assert rows(read("14:31 est ce vrai"))[0][1:] == ("", "est ce vrai")


# ── what cannot be read ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("text", ["", "\n\n", "hello\nworld", "it took 10:20-30 or 5:3"])
def test_a_text_without_times_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="no line with a time") as caught:
        read(text)
    assert "14:31 anna" in caught.value.hint


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(UsageError, match=r"20,002 lines is too long"):
        read("14:31 a: x\n" * 20_001)


def test_what_stands_before_the_first_time_is_passed_over_and_counted() -> None:
    chat = read("#incidents\n\ntopic: payments\n14:31 anna: x")
    assert len(chat.messages) == 1
    assert "2 lines before the first time passed over" in chat.notes
    assert "times without a date are those of 22 Nov 2026, and on" in chat.notes


# ── whatever comes ───────────────────────────────────────────────────────────────────────────────────────────────────

NAMES = st.sampled_from(["anna", "Ben Ito", "Zoë", "李雷", "o'neil", "on-call", "dr. who jr"])
WORDS = st.text(
    st.characters(categories=("L", "N", "P", "S"), exclude_characters=":[]()<>"), min_size=1, max_size=12
).filter(lambda word: not word[0].isdigit() and word.strip("-–—=_*") == word)
BODIES = st.lists(WORDS, min_size=1, max_size=4).map(" ".join).filter(lambda text: not _dated(text))


def _dated(text: str) -> bool:
    from obs_magics.incident.chat_times import date_line

    return date_line(text) is not None


@dataclass(frozen=True)
class Said:
    when: datetime
    author: str
    lines: tuple[str, ...]


@st.composite
def chats(draw: st.DrawFn) -> list[Said]:
    """A chat that runs on: at most hours between two messages."""
    when = datetime(2026, 11, 22, draw(st.integers(9, 20)), draw(st.integers(0, 59)), tzinfo=UTC)
    said = []
    for _ in range(draw(st.integers(2, 8))):
        said.append(Said(when, draw(NAMES), tuple(draw(st.lists(BODIES, min_size=1, max_size=3)))))
        when += timedelta(minutes=draw(st.integers(0, 300)))
    return said


def twelve(when: datetime) -> str:
    return f"{when.hour % 12 or 12}:{when:%M} {'PM' if when.hour >= 12 else 'AM'}"


FORMS: dict[str, Callable[[Said], str]] = {
    "plain": lambda one: f"{one.when:%H:%M} {one.author}: " + "\n".join(one.lines),
    "iso": lambda one: f"{one.when:%Y-%m-%dT%H:%M:%SZ} {one.author}: " + "\n".join(one.lines),
    "irc": lambda one: f"[{one.when:%H:%M}] <{one.author.replace(' ', '_')}> " + "\n".join(one.lines),
    "whatsapp": lambda one: f"{one.when:%d/%m/%Y, %H:%M} - {one.author}: " + "\n".join(one.lines),
    "teams": lambda one: f"[{one.when:%d.%m.%Y %H:%M}] {one.author}\n" + "\n".join(one.lines),
    "slack": lambda one: f"{one.author}\n  {twelve(one.when)}\n" + "\n".join(one.lines),
    "old slack": lambda one: f"{one.author} [{twelve(one.when)}]\n" + "\n".join(one.lines),
    "discord": lambda one: f"{one.author} — {one.when:%d/%m/%Y} {twelve(one.when)}\n" + "\n".join(one.lines),
}


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=40)
@given(said=chats())
def test_what_was_written_is_read_again(form: str, said: list[Said]) -> None:
    chat = read("\n".join(FORMS[form](one) for one in said))
    expected = [
        (one.when, one.author.replace(" ", "_") if form == "irc" else one.author, "\n".join(one.lines)) for one in said
    ]
    assert [(at(one.at_ns), one.author, one.text) for one in chat.messages] == expected


PIECES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["14:31", "[14:31] anna", "anna  2:31 PM", "Today", "--- Monday ---", "22/11/2026, 1:00 - x: y", "99:99 a: b",
         "14:31 IST x", "  2:31 PM", "APP  2:30 PM", "2026-02-30 10:00 a: b", "\x00\u202e14:31 a: b", ":::",
         "24:00 a: b"]
    ),
)  # fmt: skip


@given(st.lists(PIECES, max_size=12).map("\n".join))
@example("Tue 31 Feb\n14:31 a: b")
@example("29 Feb 10:00 a: b")
def test_whatever_is_pasted_is_read_or_refused_in_our_words(text: str) -> None:
    try:
        chat = read(text)
    except UsageError as error:
        refused = error
    else:
        refused = None
    if refused is not None:
        assert refused.hint
        return
    assert [one.at_ns for one in chat.messages] == sorted(one.at_ns for one in chat.messages)
    kept = "\n".join(one.text for one in chat.messages)
    pasted = text.replace("\r\n", "\n").replace("\r", "\n")
    for one in chat.messages:
        assert one.text
        assert all(line in pasted for line in one.text.split("\n"))
    assert len(kept) <= len(pasted) + 1
    assert read(text) == chat


@pytest.mark.parametrize(
    "text",
    [
        "14:31" + " " * 200_000 + "x",
        "a" * 200_000 + " 2:31 PM\n14:31 a: b",
        "14:31 a: " + "x " * 200_000,
        "-" * 200_000 + "\n14:31 a: b",
        "14:31 " * 40_000,
        "[" * 200_000 + "14:31]\n14:31 a: b",
    ],
    ids=["blanks", "name", "words", "dashes", "times", "brackets"],
)
def test_long_lines_are_read_in_no_time(text: str) -> None:
    assert read(text).messages
    assert least_seconds(lambda: read(text), 3) < 3
