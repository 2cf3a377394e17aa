"""Answers as text and as JSON, and what is said of those that are not."""

from __future__ import annotations

import email.utils
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.model.errors import BadAnswer
from obs_magics.net.reply import Reply, shown
from obs_magics.net.vendor import (
    Vendor,
    epoch_milliseconds,
    epoch_seconds,
    first_of,
    retry_after,
    seconds_to_wait,
)


def reply(body: bytes = b"", status: int = 200, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, headers=named, body=body, url="http://x/api", where="prom (http://x)")


def test_json_and_text() -> None:
    assert reply('{"a": [1, "ü"]}'.encode()).json() == {"a": [1, "ü"]}
    assert reply("Zoë".encode("latin-1"), content_type="text/plain; charset=ISO-8859-1").text() == "Zoë"
    assert reply("Zoë".encode(), content_type="text/plain; charset=klingon").text() == "Zoë"
    assert reply(b"\xff!").text() == "\ufffd!"


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (
            b"<html><head><title>Sign\n in &amp; go</title>",
            "text/html",
            "HTML page (title: Sign in & go) instead of JSON",
        ),
        (b" <!DOCTYPE html><p>hello", "", "HTML page (without a title) instead of JSON: a login page or proxy"),
        (b"<html>", "application/json", "HTML page"),
        (b"", "application/json", "the answer is empty where JSON belongs"),
        (b'{"data": [1, 2', "application/json", "broke off after 14 bytes"),
        (b"[1, 2", "application/json", "broke off after 5 bytes"),
        (b"parse error\nmore", "text/plain", "is not JSON (JSON is malformed"),
        (b"\xff\xfe", "application/json", "is not JSON"),
        (b'{"a": "\xff"}', "application/json", "is not JSON"),
    ],
)
def test_what_is_not_json_is_named(body: bytes, kind: str, said: str) -> None:
    with pytest.raises(BadAnswer) as caught:
        reply(body, content_type=kind).json()
    assert said in caught.value.message
    assert caught.value.where == "prom (http://x)"
    assert caught.value.hint
    assert "\n" not in caught.value.message
    assert caught.value.__suppress_context__


def test_nesting_without_end_is_a_bad_answer() -> None:
    with pytest.raises(BadAnswer):
        reply(b"[" * 200_000 + b"]" * 200_000).json()


def test_an_adapter_that_parses_by_itself_gets_the_same_error() -> None:
    assert "(no data key)" in reply(b'{"x": 1}').not_json("no data key").message
    assert "not JSON; it begins" in reply(b"nope").not_json().message


def test_the_first_line_is_cut_and_cleaned() -> None:
    assert reply(b"\n \x1b[31mred\x00\x07 alert\r\nsecond").first_line() == "red alert"
    assert len(reply(b"x" * 1000).first_line()) == 300
    assert reply(b" \n\t\n").first_line() == ""


@given(st.text())
def test_what_is_shown_is_one_short_line(text: str) -> None:
    line = shown(text)
    assert len(line) <= 300
    assert len(line.splitlines()) <= 1
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in line)


def test_repr_holds_neither_body_nor_headers() -> None:
    assert "s3cret" not in repr(reply(b"s3cret", set_cookie="s3cret"))


def test_hiding_takes_secrets_out_of_body_and_headers() -> None:
    hidden = reply(b"bad token s3cret!", location="/?t=s3cret").hiding(("s3cret",))
    assert (hidden.body, hidden.headers["location"]) == (b"bad token ***!", "/?t=***")


# --- how long to wait -------------------------------------------------------------------------------------------------

NOW = 1_795_359_600.0


def clock() -> float:
    return NOW


@pytest.mark.parametrize(
    ("reader", "value", "expected"),
    [
        (seconds_to_wait("reset"), "2", 2.0),
        (seconds_to_wait("reset"), " 0.5 ", 0.5),
        (seconds_to_wait("reset"), "-1", None),
        (seconds_to_wait("reset"), "nan", None),
        (seconds_to_wait("reset"), "inf", None),
        (seconds_to_wait("reset"), "soon", None),
        (seconds_to_wait("other", "Reset"), "3", 3.0),
        (epoch_seconds("reset", clock=clock), str(int(NOW) + 30), 30.0),
        (epoch_seconds("reset", clock=clock), "5", 0.0),
        (epoch_seconds("reset", clock=clock), "", None),
        (epoch_milliseconds("reset", clock=clock), str(int(NOW * 1000) + 1500), 1.5),
        (epoch_milliseconds("reset", clock=clock), "x", None),
        (first_of(seconds_to_wait("missing"), epoch_seconds("reset", clock=clock)), str(int(NOW) + 9), 9.0),
        (first_of(seconds_to_wait("missing"), retry_after), "4", None),
    ],
)
def test_the_three_meanings_of_reset(reader: object, value: str, expected: float | None) -> None:
    assert callable(reader)
    found = reader(reply(reset=value))
    assert found == (pytest.approx(expected) if expected is not None else None)


def test_retry_after_in_seconds_and_as_a_date() -> None:
    moment = datetime.fromtimestamp(NOW + 12, UTC)
    assert retry_after(reply(retry_after="7")) == 7
    assert retry_after(reply(retry_after=email.utils.format_datetime(moment, usegmt=True)), clock) == 12
    assert retry_after(reply(retry_after="Wed, 21 Oct 2015 07:28:00 -0000"), clock) == 0
    assert retry_after(reply(retry_after="Tomorrow"), clock) is None
    assert retry_after(reply()) is None


def test_the_server_s_own_clock_decides_where_it_tells_it() -> None:
    date = email.utils.format_datetime(datetime.fromtimestamp(NOW - 3600, UTC), usegmt=True)
    until = email.utils.format_datetime(datetime.fromtimestamp(NOW - 3590, UTC), usegmt=True)
    assert retry_after(reply(retry_after=until, date=date), clock) == 10
    assert epoch_seconds("reset", clock=clock)(reply(reset=str(int(NOW) - 3595), date=date)) == 5


def test_a_vendor_s_defaults_are_http_s_rules() -> None:
    vendor = Vendor()
    assert vendor.throttled(reply(status=429))
    assert not vendor.throttled(reply(status=503))
    assert vendor.explain(reply(status=400), "x") is None
    assert vendor.retry_delay(reply(retry_after="1")) == 1
