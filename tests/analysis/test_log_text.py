"""The message inside a log line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.analysis.log_text import said_text

LINES = {
    '2026-11-22 14:23:02.000 ERROR [payment-api,6f,0d] 1 --- [exec-17] c.s.PaymentService : Pool exhausted path=/a n=17'
    "\njava.util.concurrent.TimeoutException: x\n\tat y": "Pool exhausted",
    '{"ts": "2026-11-22T10:00:07Z", "level": "INFO", "msg": "request done", "status": "201"}': "request done",
    '{"level":30,"time":1795341609494,"err":{"message":"no"},"error":"it broke"}': "it broke",
    '{"level": <*>, "time": <*>, "msg": "request <*>"}': "request <*>",
    'ts=2026-11-22T14:24:41Z level=error msg="Connection timeout after 30s" peer=x': "Connection timeout after 30s",
    "ts=<*> level=error msg=done peer=<*>": "done",
    "2026-11-22 10:00:00,589 INFO    ranking: request done method=GET status=200": "request done",
    "1:M 22 Nov 2026 10:00:03.000 * 10 changes in 300 seconds. Saving...": "10 changes in 300 seconds. Saving...",
    "2026-11-22 12:41:09.600 UTC [303] LOG:  duration: 4443.196 ms  plan:": "duration: 4443.196 ms  plan",
    '81.2.168.166 - - [22/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 3782': '"GET /a HTTP/1.1" 200 3782',
    "E0312 14:00:00.123456       1 reflector.go:138] Failed to list *v1.Pod: eof": "Failed to list *v1.Pod: eof",
    "2026/11/22 14:00:00 [error] 31#31: *5 connect() failed": "*5 connect() failed",
    "Nov 22 14:00:00 host sshd[123]: Failed password for root": "Failed password for root",
    "<34>Oct 11 22:14:15 mymachine su: 'su root' failed": "'su root' failed",
    "ERROR: duplicate key value violates unique constraint": "duplicate key value violates unique constraint",
    "<*> <*> ERROR java.lang.NullPointerException: foo is null": "java.lang.NullPointerException: foo is null",
    "timeout: the server did not answer": "timeout: the server did not answer",
    "Waited 90 ms for a connection (active=20, max=20)": "Waited 90 ms for a connection (active=20, max=20)",
    "2026-11-22T14:00:00Z": "2026-11-22T14:00:00Z",
    "{broken json": "{broken json",
    "": "",
    "ERROR": "ERROR",
}  # fmt: skip


@pytest.mark.parametrize(("line", "text"), LINES.items())
def test_what_a_line_says(line: str, text: str) -> None:
    assert said_text(line) == text


@given(st.text())
def test_any_line_says_something_that_stands_in_it(line: str) -> None:
    text = said_text(line)
    assert bool(text) == bool(line.lstrip("\n").split("\n", 1)[0].strip())


@given(st.sampled_from(sorted(LINES)))
def test_saying_it_twice_changes_little(line: str) -> None:
    assert len(said_text(said_text(line))) <= len(said_text(line))


def test_a_long_line_takes_no_longer_than_its_beginning() -> None:
    assert said_text("ERROR " + "a=" * 500_000).startswith("a=")
