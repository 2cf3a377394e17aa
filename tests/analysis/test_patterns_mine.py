"""Patterns of messages: what is a value, what becomes one pattern, and that nothing depends on the order of lines."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.analysis.patterns import Mined, mine, wildcard_values

TREES = ["amber", "birch", "cedar", "dahlia", "elder"]


def template(line: str) -> str:
    """Of a line that stands alone: nothing is merged."""
    return mine([line]).templates[0]


def templates(*lines: str) -> list[str]:
    mined = mine(lines)
    return [mined.templates[at] for at in mined.assignment]


VALUES = [
    ("restart", "restart"),
    # numbers, and what is glued to them
    ("took 12 ms", "took <*> ms"),
    ("took 12ms, load 0.75, at -3", "took <*>, load <*>, at <*>"),
    ("lifetime <1 sec", "lifetime <*> sec"),
    ("using 45% of 0x1f, core.2275, CPU#0", "using <*>% of <*>, core.<*>, CPU#<*>"),
    ("QuorumServer@33557fe4 (stack @0x7fed806eb5d)", "QuorumServer@<*> (stack @<*>)"),
    ("floating point instr. enabled.....1", "floating point instr. enabled.....<*>"),
    ("steps 1514038440000##6993##548365", "steps <*>##<*>##<*>"),
    ("node-128 said v1.2.3 in rdd_2_0 of U11", "<*> said <*> in <*> of <*>"),
    ("blk_-1608999687919862906 is 3b890cd4", "<*> is <*>"),
    ("deadbeef is a489c868f0c37da93b76227c91bb03908ac0e742", "<*> is <*>"),
    # words in spite of a digit
    ("L3 cache of tty2 via SOCKS5 and jk2_init()", "L3 cache of tty2 via SOCKS5 and jk2_init()"),
    ("x86_64 in base64", "x86_64 in base64"),
    ("AirPort_Brcm43xx::syncPowerState2x3: on", "AirPort_Brcm43xx::syncPowerState2x3: on"),
    ("set enable_2G:1", "set enable_2G:<*>"),
    # times
    ("since Fri Jun 17 07:07:00 2005", "since <*>"),
    ("built Sat May 8 09:04:50 EDT 2004!", "built <*>!"),
    ("at Jun 14 15:16:01 and 2017-05-16T05:00:00.123+02:00", "at <*> and <*>"),
    ("from 2017-05-16 05:00:00 to 2017-05-16 06:00:00", "from <*> to <*>"),
    ("- - [10/Oct/2000:13:55:36 -0700] -", "- - [<*>] -"),
    # addresses and names of hosts
    ("10.251.43.115:50010 to /10.251.43.115:3888: done", "<*> to <*>: done"),
    ("via fe80::1ff:fe23:4567:890a and ::ffff:10.1.2.3", "via <*> and <*>"),
    ("lease for 00:11:43:e3:ba:c3", "lease for <*>"),
    ("proxy.cse.cuhk.edu.hk:5070 resolved www.example.com", "<*> resolved <*>"),
    ("mail of jane.doe@example.co.uk", "mail of <*>"),
    (
        "logger.info of java.io.IOException in NameSystem.delete",
        "logger.info of java.io.IOException in NameSystem.delete",
    ),
    ("[instance: b9000564-fe1a-409b-b8cc-1e88b294cd1d] up", "[instance: <*>] up"),
    # paths and URLs
    ("open /var/log/a.log: denied, in './x', ~/y", "open <*>: denied, in '<*>', <*>"),
    ("loaded C:\\Windows\\cbs.dll and conf/app.yaml", "loaded <*> and <*>"),
    ("GET https://a.example/b?c=d#e (hdfs://h:9000/x:12+3)", "GET <*> (<*>)"),
    ('10.0.0.1 "GET /v2/servers?limit=5 HTTP/1.1" 200', '<*> "GET <*>" <*>'),
    ("start com.example.app/.MainActivity", "start <*>"),
    ("load/store on I/O, and/or", "load/store on I/O, and/or"),
    # keys
    ("uid=0 euid=0 tty=ssh mode=fast ruser= ok=true", "uid=<*> euid=<*> tty=ssh mode=fast ruser= ok=<*>"),
    ("rhost=host.example.org user=root", "rhost=<*> user=<*>"),
    ("r24=0x0ffea4c8 (0=sup)", "r24=<*> (<*>=sup)"),
    ("app = com.example.x7y8 type =true", "app = <*> type =<*>"),
    ("ws=null, it is null: (null)", "ws=<*>, it is null: <*>"),
    ("committer set to null", "committer set to <*>"),
    ("switched TRUE then false", "switched <*> then <*>"),
    # who
    ("session opened for user alice by (uid=0)", "session opened for user <*> by (uid=<*>)"),
    ("Failed password for invalid user 0101 from 10.0.0.1", "Failed password for invalid user <*> from <*>"),
    ("Failed password for bob from 10.0.0.1 port 22 ssh2", "Failed password for <*> from <*> port <*> ssh2"),
    ("Invalid user  from 10.0.0.1", "Invalid user from <*>"),
    ("waiting for user input", "waiting for user input"),
    ("(root) CMD (run-parts /etc/cron.hourly)", "(<*>) CMD (run-parts <*>)"),
    ("ROOT LOGIN ON tty2", "<*> LOGIN ON tty2"),
]


@pytest.mark.parametrize(("line", "expected"), VALUES, ids=[line for line, _ in VALUES])
def test_what_is_a_value(line: str, expected: str) -> None:
    assert template(line) == expected


def test_a_unit_stays_where_all_lines_have_it_and_belongs_to_the_value_where_it_varies() -> None:
    assert templates("took 3 ms", "took 5 ms") == ["took <*> ms"] * 2
    assert templates("took 3 ms", "took 5 s") == ["took <*>"] * 2
    assert templates("0 bytes sent, 7 MB left", "1190 bytes (1.16 KB) sent, 9 MB left") == ["<*> sent, <*> MB left"] * 2


def test_lists_of_many_lengths_and_empty_brackets_are_one_value() -> None:
    assert (
        templates("ask h to delete blk_123", "ask h to delete blk_123 blk_456 blk_789") == ["ask h to delete <*>"] * 2
    )
    assert templates("from a1b2 (10.0.0.1) at", "from a1b2 () at") == ["from <*> (<*>) at"] * 2
    assert templates("rotate 1 2", "rotate 3 4") == ["rotate <*> <*>"] * 2


def test_words_with_digits_that_vary_are_values() -> None:
    assert templates("link eth0 up", "link eth1 up") == ["link <*> up"] * 2
    assert templates("link eth0 up") == ["link eth0 up"]
    assert templates("any [Bird_A8] source", "any [Bird_B3] source") == ["any [<*>] source"] * 2


def test_plain_words_stay_until_there_are_many_of_them() -> None:
    words = [*TREES, "fern", "ginkgo", "hazel", "iris", "juniper", "kelp", "laurel"]
    lines = [f"planted one {word} today" for word in words]
    assert templates(*lines[:11]) == lines[:11]
    assert templates(*lines) == ["planted one <*> today"] * 12
    assert templates(*(f"planted {word}" for word in words)) == [f"planted {word}" for word in words]


def test_named_values_become_one_earlier() -> None:
    for form, merged in (
        ("tree={} ok", "tree=<*> ok"),
        ("plant '{}' now", "plant '<*>' now"),
        ("use a.{} ok", "use <*> ok"),
    ):
        lines = [form.format(name) for name in TREES]
        assert templates(*lines) == [merged] * 5
        assert templates(*lines[:4]) == lines[:4]


def test_a_word_falls_to_a_value_that_others_have_in_its_place() -> None:
    failed = "LOGIN chdir({}) failed: no such directory"
    assert templates(failed.format("/a/b"), failed.format("pwd")) == [failed.format("<*>")] * 2
    assert templates("file 12 lost", "file header lost") == ["file <*> lost", "file header lost"]


def test_values_in_several_places_at_once() -> None:
    lines = [
        f"user {chr(97 + at)}{chr(110 - at)}q bought item {chr(98 + at)}{chr(107 - at)}z today" for at in range(14)
    ]
    assert set(templates(*lines)) == {"user <*> bought item <*> today"}
    classes = [
        f"Registering class org.a.{name} for class org.b.{name}Type" for name in ("Up", "Down", "Left", "In", "Out")
    ]
    assert set(templates(*classes)) == {"Registering class <*> for class <*>"}


def test_several_varying_places_need_words_between_them() -> None:
    lines = [f"{chr(97 + at)}k {chr(98 + at)}m {chr(99 + at)}n said" for at in range(14)]
    assert templates(*lines) == lines


def test_methods_stay_apart_and_user_agents_do_not() -> None:
    agents = ("Mozilla Gecko like", "curl by hand yes", "a bot from afar", "Opera for old phones", "Lynx is not dead")
    lines = [f'10.0.0.1 "{method} /a/b HTTP/1.1" 200 "-" "{agent}"' for method in ("GET", "PUT") for agent in agents]
    assert Counter(templates(*lines)) == {f'<*> "{method} <*>" <*> "-" "<*>"': 5 for method in ("GET", "PUT")}


def test_the_first_line_makes_the_pattern() -> None:
    trace = "boom at 3\n  at a.B.c(B.java:12)\n  at a.B.d(B.java:99)"
    assert templates(trace, "\r\n boom at 7\r\nmore") == ["boom at <*>"] * 2


def test_empty_messages_have_a_pattern_of_their_own() -> None:
    mined = mine(["", None, " \t ", "\n", "x"])
    assert mined.templates == ["", "x"]
    assert mined.assignment.tolist() == [0, 0, 0, 0, 1]


def test_hostile_text_survives() -> None:
    assert template("\x1b[31;1mred\x1b[0m \x1b]0;title\x07alert 5") == "red alert <*>"
    assert template("a\x00b \x01\x02\x03 5") == "a\ufffdb \ufffd\ufffd\ufffd <*>"
    assert template("half \ud800 of 5") == "half ? of <*>"
    assert template("an <*> of 5 <b>bold</b>") == "an <*> of <*> <b>bold</b>"
    assert template("Größe 5 übertragen, 日本 7") == "Größe <*> übertragen, 日本 <*>"


@pytest.mark.parametrize("text", ["x ", "1", "(", '"', "/", "a.", "=", "\x1b", "a-1.", "/a", "a@", "<", "0 ", '{"a":'])
def test_a_line_of_a_megabyte(text: str) -> None:
    mined = mine([text * (1_000_000 // len(text)), "short 5"])
    assert sorted(np.bincount(mined.assignment).tolist()) == [1, 1]
    assert max(map(len, mined.templates)) <= 2 * 4096  # of 4,096 characters, two of which are `0 `, not `<*>`


def test_json_gives_its_message_and_the_names_of_its_fields() -> None:
    found = mine(
        [
            '{"level":"error","msg":"timeout after 30s","trace_id":"abc","http":{"status":500}}',
            '{"msg":"timeout after 5s","level":"warn"}',
            '{"log":"plain 7\\n","stream":"stdout"}',
            '{"a":1,"b":2}',
            '{"msg":"timeout after 7s"',
        ]
    )
    assert [found.templates[at] for at in found.assignment] == [
        *["timeout after <*> http=<*> level=<*> trace_id=<*>"] * 2,
        "plain <*> stream=<*>",
        "a=<*> b=<*>",
        '{"msg":"timeout after <*>"',
    ]
    assert [found.fields[at] for at in found.assignment[1:]] == [
        ("http", "level", "trace_id"),
        ("stream",),
        ("a", "b"),
        (),
    ]


def test_json_with_a_message_alone_is_that_message() -> None:
    assert templates('{"message":"took 5 ms"}', "took 7 ms") == ["took <*> ms"] * 2


def test_logfmt_gives_its_message_and_the_names_of_its_fields() -> None:
    line = 'ts=2024-01-01T00:00:00Z level=info msg="opened \\"a\\" in 3 ms" path=/a/b'
    assert template(line) == 'opened \\"a\\" in <*> ms level=<*> path=<*> ts=<*>'
    assert template("saw msg=hello from afar") == "saw msg=hello from afar"
    assert template("msg=alone") == "msg=alone"
    assert template("a=1 msg= b=2") == "a=<*> msg= b=<*>"


def test_messages_come_in_any_kind_of_arrow_strings() -> None:
    lines = ["took 3 ms", None, "L1", "23 foo", "took 12 ms"]
    expected = ["took <*> ms", "", "L1", "<*> foo", "took <*> ms"]
    array = pa.array(lines)
    for given_as in (
        array,
        array.cast(pa.large_string()),
        array.cast(pa.string_view()),
        array.dictionary_encode(),
        pa.chunked_array([array.slice(0, 2), array.slice(2)]),
        pa.array(["skip 1", *lines, "skip 2"], pa.large_string()).slice(1, 5),
    ):
        mined = mine(given_as)
        assert [mined.templates[at] for at in mined.assignment] == expected
    for empty in ([], pa.array([], pa.string()), pa.chunked_array([], pa.large_string())):
        assert mine(empty).templates == []
        assert len(mine(empty).assignment) == 0


def test_most_messages_first_then_by_text() -> None:
    assert mine(["b", "c", "c", "a"]).templates == ["c", "a", "b"]


WORDS = st.sampled_from(
    [
        *("error", "connection", "user", "root", "alice", "to", "at", "from", "for", "closed", "opened", "Invalid"),
        *("eth0", "eth1", "L3", "12", "7", "ms", "KB", "bytes", "10.0.0.1:80", "/a/b.c", "a.b.C", "node-1", "blk_123"),
        *(
            "key=val",
            "key=other",
            "tag='x'",
            "()",
            "(5)",
            "[a]",
            "true",
            "null",
            "=",
            "<*>",
            "deadbeef0",
            ":",
            ",",
            "{",
        ),
    ]
)
LINES = st.one_of(
    st.lists(WORDS, min_size=0, max_size=8).map(" ".join),
    st.text(max_size=30),
    st.dictionaries(st.sampled_from(["msg", "level", "a"]), WORDS, max_size=3).map(
        lambda fields: "{" + ",".join(f'"{name}":"{value}"' for name, value in fields.items()) + "}"
    ),
    st.tuples(WORDS, WORDS).map(lambda pair: f'level={pair[0]} msg="{pair[1]} in 5 ms"'),
)


def by_line(lines: list[str], mined: Mined) -> list[tuple[str, str]]:
    return sorted(zip(lines, (mined.templates[at] for at in mined.assignment), strict=True))


@given(st.lists(LINES, max_size=40), st.randoms(use_true_random=False))
def test_the_order_of_lines_does_not_matter(lines: list[str], random: object) -> None:
    first = mine(lines)
    shuffled = list(lines)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    second = mine(shuffled)
    assert first.templates == second.templates
    assert first.fields == second.fields
    assert by_line(lines, first) == by_line(shuffled, second)


@given(st.lists(LINES, max_size=40))
def test_every_line_is_counted_and_lines_that_are_equal_share_a_pattern(lines: list[str]) -> None:
    mined = mine(lines)
    counts = np.bincount(mined.assignment, minlength=len(mined.templates))
    assert counts.sum() == len(lines)
    assert (counts > 0).all()
    assert len(set(mined.templates)) == len(mined.templates) == len(mined.fields)
    assert sorted(counts.tolist(), reverse=True) == counts.tolist()
    assert len(set(by_line(lines, mined))) == len(set(lines))


@given(st.lists(st.one_of(st.lists(WORDS, max_size=8).map(" ".join), st.text(max_size=30)), min_size=1, max_size=40))
def test_every_line_matches_its_template(lines: list[str]) -> None:
    mined = mine(lines)
    for line, at in zip(lines, mined.assignment, strict=True):
        found = wildcard_values(mined.templates[at], [line], mined.fields[at])
        assert len(found) == mined.templates[at].count("<*>")
        assert all(len(values) == 1 for values in found)
