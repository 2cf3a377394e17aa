"""What a cursor in an unfinished query stands on; `|` marks it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.magics.cursor import Cursor, cursor_in


def at(marked: str) -> Cursor:
    position = marked.index("¦")
    return cursor_in(marked.replace("¦", ""), position)


@pytest.mark.parametrize(
    ("marked", "kind", "fragment"),
    [
        ("¦", "expression", ""),
        ("htt¦", "expression", "htt"),
        ("sum(rate(htt¦", "expression", "htt"),
        ("sum(rate(htt¦[5m]))", "expression", "htt"),
        ("a + b¦", "expression", "b"),
        ("sum by (job) (htt¦", "expression", "htt"),
        ("# htt¦", "nothing", ""),
        ("# comment\nhtt¦", "expression", "htt"),
        ("rate(x[¦", "duration", ""),
        ("rate(x[5¦", "duration", "5"),
        ("rate(x[$__r¦", "time", "$__r"),
        ("rate(x[5m:¦", "duration", ""),
        ("x > 12¦", "nothing", "12"),
        ("x{job¦", "label", "job"),
        ("x{job ¦", "operator", ""),
        ("x{job=¦", "nothing", ""),
        ("x{a=\"b\" ¦", "nothing", ""),
        ("x{a=\"b\",j¦", "label", "j"),
        ("${thr¦", "python", "thr"),
        ("x > ${¦", "python", ""),
        ('x{a="${na¦', "python", "na"),
        ("${x} ¦", "expression", ""),
        ("${x}¦", "expression", ""),
        ("$${x¦", "expression", ""),
        ("$¦", "time", "$"),
        ('label_replace(x, "a¦', "nothing", "a"),
        ("x) y¦", "expression", "y"),
    ],
)  # fmt: skip
def test_kind_and_fragment(marked: str, kind: str, fragment: str) -> None:
    cursor = at(marked)
    assert (cursor.kind, cursor.fragment) == (kind, fragment)


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ('up{job="pa¦', Cursor("value", "pa", "up", "job")),
        ('up{job="pa¦y"} > 0', Cursor("value", "pa", "up", "job")),
        ('up{a="b", job=~"x|pa¦', Cursor("value", "pa", "up", "job", is_pattern=True)),
        ("up{job!='pa¦", Cursor("value", "pa", "up", "job", quote="'")),
        ("up{job!~`pa¦", Cursor("value", "pa", "up", "job", is_pattern=True, quote="`")),
        ('{__name__="up", job="¦', Cursor("value", "", "up", "job")),
        ('{"up", job="¦', Cursor("value", "", "up", "job")),
        ('{"up", "my.label"="¦', Cursor("value", "", "up", "my.label")),
        ('{"my.label"="x", job="¦', Cursor("value", "", "", "job")),
        ('{job="¦', Cursor("value", "", "", "job")),
        ('x{a="say \\"hi¦', Cursor("value", 'say \\"hi', "x", "a")),
        ("http_requests_total{¦", Cursor("label", "", "http_requests_total")),
        ("http_requests_total{¦}", Cursor("label", "", "http_requests_total")),
        ('{__name__="x",¦', Cursor("label", "", "x")),
        ("sum by (¦) (rate(x[5m]))", Cursor("grouping", "", "x")),
        ("sum by (a, jo¦) (rate(x{a='b'}[5m]))", Cursor("grouping", "jo", "x")),
        ("sum(rate(x[5m])) by (¦", Cursor("grouping", "", "x")),
        ("a / on (¦) b", Cursor("grouping", "", "b")),
        ("sum without (¦", Cursor("grouping", "", "")),
    ],
)
def test_the_metric_and_the_label_at_hand(marked: str, expected: Cursor) -> None:
    assert at(marked) == expected


_PIECES = st.lists(
    st.sampled_from(
        ["up", "{", "}", "(", ")", "[", "]", '"', "'", "`", "\\", "=~", "=", ",", " ", "\n", "#", "${", "}", "$__",
         "5m", "by", "é", "x"]
    ),
    max_size=30,
).map("".join)  # fmt: skip


@given(st.one_of(st.text(), _PIECES), st.integers(0, 60))
def test_any_text_has_a_cursor_and_its_fragment_stands_before_it(text: str, position: int) -> None:
    position = min(position, len(text))
    assert text[:position].endswith(cursor_in(text, position).fragment)


def test_a_long_query_is_read_in_a_blink() -> None:
    assert at("sum(" * 20_000 + 'x{a="' + "b" * 200_000 + "¦").label == "a"
