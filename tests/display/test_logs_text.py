"""Text from outside made harmless: spelled, cut, marked, shortened, within a size."""

from __future__ import annotations

import html
import re
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.log_panels import HOSTILE

from obs_magics.display.inline import Highlight, block, inline
from obs_magics.display.logs.gist import gist, template_gist
from obs_magics.display.visible import MAX_MARKS, runs, uncoloured, visible

ANY = st.one_of(st.text(), st.text(st.characters()), st.sampled_from(sorted(HOSTILE.values(), key=len)[:-6]))
TAG = re.compile(r"</?(?:bdi|pre|mark|var|span)(?: (?:dir|class)=\"[a-z-]+\")*>")


def read(markup: str) -> str:
    """What a reader of the HTML reads."""
    return html.unescape(TAG.sub("", markup))


# ── visible ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("", ""),
        ("über 日本語 😀", "über 日本語 😀"),
        ("a\x00b\x1f\x7f\x9b", "a\\x00b\\x1f\\x7f\\x9b"),
        ("a\u202eb\u2066c\u200fd", "a\\u202eb\\u2066c\\u200fd"),
        ("a\u200bb\u200cc\ufeffd\xade", "a\\u200bb\\u200cc\\ufeffd\\xade"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👨\u200d👩", "👨\u200d👩"),
        ("é\u200d\u200d\u200dé", "é\\u200d\\u200d\\u200dé"),
        ("\ud800x", "\\ud800x"),
        ("\U000e0041", "\\U000e0041"),
        ("one\u2028two\u2029", "one\\u2028two\\u2029"),
        ("a\r\nb\nc\td\re", "a⏎b⏎c d\\x0de"),
        ("a\xa0b\u3000c", "a b c"),
        ("\u3164x\u115f", "\\u3164x\\u115f"),
        ("\x1b[31;1mred\x1b[0m\x1b[K", "red"),
        ("\x1b[8mhidden\x1b[2J", "hidden\\x1b[2J"),
        ("\x1b[38:2::1:2:3mtrue colour\x1b[m", "true colour"),
        ("e\u0301\u0302", "e\u0301\u0302"),
        ("e" + "\u0301" * 10 + "f", "e" + "\u0301" * MAX_MARKS + "[+6 marks]f"),
        ("e" + "\u0301" * 1005, "e" + "\u0301" * MAX_MARKS + "[+1,001 marks]"),
        ("\u0301x", "\\u0301x"),
        ("\ue000\uffff", "\\ue000\\uffff"),
    ],
)
def test_what_cannot_be_seen_is_spelled(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_lines_and_tabs_may_stay() -> None:
    assert visible("a\r\n\tb\x0b\u0301", lines=True) == "a\n\tb\\x0b\u0301"
    assert visible("a\n\u0301b", lines=True) == "a\n\\u0301b"


@given(ANY)
def test_nothing_invisible_is_left_and_no_letter_bears_a_pile(text: str) -> None:
    shown = visible(text[:3000])
    assert all(char.isprintable() or char in "\u200c\u200d" for char in shown)
    assert not re.search(f"[\u0300-\u036f]{{{MAX_MARKS + 1}}}", shown)
    assert not re.search("[\u200c\u200d]{2}", shown)
    shown.encode()


@given(ANY)
def test_every_character_is_accounted_for(text: str) -> None:
    text = uncoloured(text[:3000])
    assert sum(run.taken for run in runs(text)) == len(text)
    assert "".join(run.text for run in runs(text)) == visible(text)


@given(st.text(st.characters(categories=["Lu", "Ll", "Nd", "Po", "Sm"])))
def test_ordinary_letters_stay_as_they_are(text: str) -> None:
    assert visible(unicodedata.normalize("NFC", text)) == unicodedata.normalize("NFC", text)


# ── inline and block ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_text_is_isolated_escaped_and_cut() -> None:
    assert inline("<b> & \"'", 100).html == "<bdi>&lt;b&gt; &amp; &quot;&#x27;</bdi>"
    cut = inline("abcdefghij", 4)
    assert (cut.html, cut.left, cut.whole) == ("<bdi>abcd…</bdi>", 6, False)
    assert inline("abcd", 4).whole


def test_what_is_spelled_can_be_told_from_what_was_written() -> None:
    assert inline("a\x00\\x00", 100).html == '<bdi>a<span class="obs-odd">\\x00</span>\\x00</bdi>'


def test_an_escape_is_shown_whole_or_not_at_all() -> None:
    cut = inline("ab\u202ecd", 4)
    assert (cut.html, cut.left) == ("<bdi>ab…</bdi>", 3)


def test_matches_and_wildcards_are_set_apart() -> None:
    found = Highlight(["POOL", "pool exhausted", "", "<*>"])
    assert inline("Pool exhausted, pool", 99, highlight=found).html == (
        "<bdi><mark>Pool exhausted</mark>, <mark>pool</mark></bdi>"
    )
    assert inline("path=<*>", 99, wildcards=True).html == "<bdi>path=<var>&lt;*&gt;</var></bdi>"
    assert inline("path=<*>", 99, wildcards=True, highlight=found).html.count("<mark>") == 1
    assert inline(".*", 99, highlight=Highlight([".*"])).html == "<bdi><mark>.*</mark></bdi>"


def test_only_so_many_phrases_are_looked_for() -> None:
    found = Highlight([f"word{number:02}" for number in range(30)])
    assert len(found.ranges(" ".join(f"word{number:02}" for number in range(30)))) == 20
    assert Highlight([]).ranges("x") == []
    assert (Highlight(["b"]).first("ab"), Highlight(["c"]).first("ab"), Highlight().first("ab")) == (1, -1, -1)


def test_a_block_says_how_much_it_leaves_out() -> None:
    shown = block("one\n\ttwo\n" + "x" * 1_000_000, 100)
    assert shown.html.startswith('<pre dir="auto">one\n\ttwo\nxxx')
    assert shown.html.endswith('<span class="obs-odd">… 999,909 more characters</span></pre>')
    assert shown.left == 1_000_009 - 100
    assert block("two\nlines", 100).html == '<pre dir="auto">two\nlines</pre>'


@given(ANY, st.integers(0, 300), st.lists(st.text(max_size=3), max_size=4), st.booleans())
def test_no_text_is_more_than_its_size_or_becomes_markup(
    text: str, most: int, phrases: list[str], wildcards: bool
) -> None:
    for shown in (
        inline(text, most, highlight=Highlight(phrases), wildcards=wildcards),
        block(text, most, highlight=Highlight(phrases)),
    ):
        assert len(shown.html.encode()) <= 5 * most + 120
        assert 0 <= shown.left <= len(text)
        inside = TAG.sub("", shown.html)
        assert "<" not in inside
        assert ">" not in inside


@given(ANY, st.lists(st.text(max_size=3), max_size=4))
def test_every_text_is_there_when_there_is_room(text: str, phrases: list[str]) -> None:
    text = uncoloured(text[:3000])
    edges = [edge for pair in Highlight(phrases).ranges(text) for edge in pair]
    # An accent with which a mark begins has no letter of its own: it is spelled, and sits on nobody.
    parts = [visible(text[start:end]) for start, end in pairwise([0, *edges, len(text)])]
    whole = inline(text, 10**6, highlight=Highlight(phrases))
    assert whole.whole
    assert read(whole.html) == "".join(parts)


# ── gist ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("plain words", "plain words"),
        ("2026-11-22 14:27:45.766 ERROR [pay,abc,def] 1 --- [exec-2] c.s.Pay : exhausted", "c.s.Pay : exhausted"),
        ("2026-11-22T14:27:45Z WARN slow", "slow"),
        ("2026/11/22 14:27:45 [ERROR] boom", "boom"),
        ("[22/Nov/2026:14:27:45 +0000] INFO: up", "up"),
        ("Nov 22 14:27:45 host sshd[1]: failed", "host sshd[1]: failed"),
        ("14:27:45,123 INFO    ranking: done", "ranking: done"),
        ('ts=2026-11-22T14:27:45Z level=error msg="timed \\"out\\"" peer=b', 'timed "out" peer=b'),
        ("level=info message=up peer=b", "up peer=b"),
        ("level=error path=/a trace_id=abc", "path=/a"),
        ('time="2026-11-22 14:00" level=warn service=pay x=1', "x=1"),
        ("Error: cannot open", "Error: cannot open"),
        ("INFORMATION desk", "INFORMATION desk"),
        ("ERROR", "ERROR"),
        ("- " * 20 + "x", "- " * 8 + "x"),
        ("2026-11-22 14:27:45", "2026-11-22 14:27:45"),
        ("first\nsecond", "first"),
        ("", ""),
        ('{"level":30,"pid":1,"path":"/a b","n":2,"msg":"done\\nmore","trace_id":"x"}', 'done path="/a b" n=2 pid=1'),
        ('{"a":[1,{"b":null}]}', 'a=[1,{"b":null}]'),
        ('{"level":"info"}', '{"level":"info"}'),
        ('{"broken', '{"broken'),
        ("{" * 3000, "{" * 3000),
        ('{"a":' * 600, '{"a":' * 600),
    ],
)
def test_a_row_leaves_out_what_its_columns_say(message: str, said: str) -> None:
    assert gist(message, service="pay", trace_id="abc") == said


def test_json_as_deep_as_it_likes_is_no_trouble() -> None:
    deep = '{"a":' * 680 + "1" + "}" * 680
    assert gist(deep).startswith(('a={"a":', '{"a":'))


def test_long_lines_are_read_only_so_far() -> None:
    assert len(gist("x" * 1_000_000)) == 4096
    assert len(gist('{"msg": "' + "x" * 1_000_000 + '"}')) == 4096


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("<*> <*> ERROR [pay,<*>,<*>] 1 --- [<*>] c.s.Pay : exhausted <*>", "c.s.Pay : exhausted <*>"),
        ("<*>T<*>Z [<*>] WARN  slow <*>", "slow <*>"),
        ("<*> connections open", "<*> connections open"),
        ("<*>", "<*>"),
        ("<*> ERROR", "<*> ERROR"),
        ("", ""),
    ],
)
def test_a_template_without_its_front(template: str, said: str) -> None:
    assert template_gist(template, service="pay") == said


@given(ANY, st.text(max_size=8), st.text(max_size=8))
def test_any_line_has_a_gist_and_none_is_empty(text: str, service: str, trace: str) -> None:
    said = gist(text, service=service, trace_id=trace)
    assert "\n" not in said or text.startswith("{")
    assert bool(said) or not text[:4096].lstrip().partition("\n")[0]
    assert template_gist(text[:500]) or not text
