"""Stack traces that come line by line are folded into their first line; nothing is lost."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.analysis.loglines import fold_stacks

JAVA = """\
2026-11-22 14:00:00,123 ERROR [main] c.f.Bar - boom
java.lang.RuntimeException: x
\tat com.foo.Bar.baz(Bar.java:12)
\tat com.foo.Bar.main(Bar.java:3)
Caused by: java.io.IOException: y
\t... 2 more
Suppressed: java.lang.Error: z
\tat com.foo.Bar.close(Bar.java:9)
2026-11-22 14:00:01,123 INFO next"""
JAVA_ALONE = """\
INFO fine
java.lang.RuntimeException: x
\tat com.foo.Bar.baz(Bar.java:12)
INFO fine"""
PYTHON = """\
INFO:root:fine
Traceback (most recent call last):
  File "x.py", line 1, in <module>
    foo()
    ~~~^^
ValueError: bad

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "x.py", line 3, in <module>
app.errors.NotThere
INFO:root:next"""
PYTHON_LOGGED = """\
ERROR:root:bad
Traceback (most recent call last):
  File "x.py", line 1, in <module>
KeyboardInterrupt

INFO:root:next"""
GO = """\
2026/11/22 14:00:00 starting
panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
main.foo(0x1, {0x2, 0x3})
\t/app/main.go:12 +0x1d
created by main.main in goroutine 1
\t/app/main.go:5 +0x20

goroutine 7 [select]:
main.(*Pool).wait(...)
\t/app/pool.go:7 +0x1
exit status 2
2026/11/22 14:00:01 x"""
NODE = """\
Error: connect ECONNREFUSED
    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1555:16) {
  errno: -111,
  code: 'ECONNREFUSED'
}
listening"""
DOTNET = """\
fail: Microsoft.AspNetCore.Server.Kestrel[13]
      Connection id "0HM": An unhandled exception
      System.InvalidOperationException: x
       ---> System.Exception: inner
         at A.B.C() in /src/x.cs:line 12
         --- End of inner exception stack trace ---
         at A.D()
info: Microsoft.Hosting.Lifetime[14]
      Now listening on: http://[::]:80"""
RUBY = """\
E, [2026-11-22T14:00:00.123456 #123] ERROR -- : undefined method (NoMethodError)
app/models/x.rb:12:in `foo'
\tfrom app/x.rb:1:in `<main>'
I, [2026-11-22T14:00:00.123456 #123]  INFO -- : next"""
PHP = """\
[22-Nov-2026 14:00:00 UTC] PHP Fatal error:  Uncaught Exception: x in /a.php:12
Stack trace:
#0 /a.php(20): foo()
#1 {main}
  thrown in /a.php on line 12
[22-Nov-2026 14:00:00 UTC] PHP Notice: x"""
POSTGRES = """\
2026-11-22 14:00:00.123 UTC [1] u@d ERROR:  duplicate key value
2026-11-22 14:00:00.123 UTC [1] u@d DETAIL:  Key (id)=(1) exists.
2026-11-22 14:00:00.123 UTC [1] u@d STATEMENT:  INSERT INTO x
\tVALUES (1)
2026-11-22 14:00:00.124 UTC [1] u@d LOG:  ok
ERROR:  bare
DETAIL:  too"""
JAVA_UTIL = """\
Nov 22, 2026 2:00:00 PM com.foo.Bar method
SEVERE: broken
WARNING: by itself"""
NOT_FOLDED = """\
  indented at the top
DETAIL:  without an error before
caused nothing
 INFO indented, with a level of its own
  2026-11-22 14:00:00 indented, with a time of its own

at 14:00 we left
}"""


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (JAVA, [0, 8]), (JAVA_ALONE, [0, 1, 3]), (PYTHON, [0, 1, 12]), (PYTHON_LOGGED, [0, 4, 5]), (GO, [0, 1, 13]),
        (NODE, [0, 5]), (DOTNET, [0, 7]), (RUBY, [0, 3]), (PHP, [0, 5]), (POSTGRES, [0, 4, 5]), (JAVA_UTIL, [0, 2]),
        (NOT_FOLDED, list(range(8))),
    ],
)  # fmt: skip
def test_what_is_folded(text: str, kept: list[int]) -> None:
    lines = text.split("\n")
    found, messages = fold_stacks(np.arange(len(lines)), pa.array(lines), np.zeros(len(lines), int))
    assert found.tolist() == kept
    assert "\n".join(messages.to_pylist()) == text
    assert messages.to_pylist()[0] == "\n".join(lines[: kept[1]])


def test_streams_are_kept_apart_however_their_lines_alternate() -> None:
    java, dotnet = JAVA.split("\n"), DOTNET.split("\n")
    lines = [line for pair in zip(java, dotnet, strict=True) for line in pair]
    kept, messages = fold_stacks(np.arange(len(lines)), pa.array(lines), np.arange(len(lines)) % 2)
    assert kept.tolist() == [0, 1, 15, 16]
    assert messages.to_pylist() == ["\n".join(java[:8]), "\n".join(dotnet[:7]), "\n".join(dotnet[7:]), java[8]]


def test_a_line_that_comes_later_is_no_continuation() -> None:
    lines, times = ["ERROR boom", "\tat a.b(C.java:1)"], np.array([0, 1_000_000_000])
    assert fold_stacks(times, pa.array(lines), np.zeros(2, int))[0].tolist() == [0]
    assert fold_stacks(times * 2, pa.array(lines), np.zeros(2, int))[0].tolist() == [0, 1]


def test_given_levels_say_whether_a_trace_belongs_to_the_line_before() -> None:
    lines = ["it failed", *PYTHON_LOGGED.split("\n")[1:4]]
    for level, kept in ((4, [0]), (2, [0, 1])):
        levels = np.array([level, -1, -1, -1])
        assert fold_stacks(np.zeros(4, int), pa.array(lines), np.zeros(4, int), levels=levels)[0].tolist() == kept


TEXTS = (JAVA, PYTHON, GO, NODE, DOTNET, RUBY, PHP, POSTGRES, JAVA_UTIL, NOT_FOLDED)
PIECES = sorted({line for text in TEXTS for line in text.split("\n")})


@given(st.lists(st.tuples(st.sampled_from(PIECES) | st.text("ab \t\0é", max_size=5), st.integers(0, 2)), max_size=40))
def test_joining_the_kept_lines_of_a_stream_gives_back_the_stream(rows: list[tuple[str, int]]) -> None:
    lines, streams = [line for line, _ in rows], np.array([stream for _, stream in rows], int)
    kept, messages = fold_stacks(np.arange(len(rows)), pa.array(lines, pa.string()), streams)
    assert kept.tolist() == sorted(set(kept.tolist()))
    for stream in range(3):
        folded = [text for row, text in zip(kept, messages.to_pylist(), strict=True) if streams[row] == stream]
        assert "\n".join(folded) == "\n".join(line for line, own in rows if own == stream)
