"""What is typed to ask for events: kinds, conditions, words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.model.errors import QueryError
from obs_magics.model.events import KINDS
from obs_magics.model.query import EventMatcher
from obs_magics.syntax.event_query import KIND_WORDS, event_kind, read_event_query


@pytest.mark.parametrize(
    ("text", "kinds", "words", "matchers"),
    [
        ("", (), (), ()),
        ("deploys", ("deployment",), (), ()),
        ("config changes of payment-api", ("config_change",), ("payment-api",), ()),
        ("Alerts and Flags", ("alert", "feature_flag"), (), ()),
        ("\"deploys\" `a b` 'c'", (), ("deploys", "a b", "c"), ()),
        ("severity=critical", (), (), ('severity="critical"',)),
        ('{alertname="High",service!="x y"}', (), (), ('alertname="High"', 'service!="x y"')),
        ('team =~ "a|b" , team!~`c`', (), (), ('team=~"a|b"', 'team!~"c"')),
        ("k8s.pod.name==x", (), (), ('k8s.pod.name="x"',)),
        ("# only a comment\nrestarts", ("restart",), (), ()),
        (r'title="say \"hi\"\n\\"', (), (), (r'title="say \"hi\"\n\\"',)),
        ('old=""', (), (), ('old=""',)),
    ],
)
def test_questions_are_read(text: str, kinds: object, words: object, matchers: object) -> None:
    found = read_event_query(text)
    assert (found.kinds, found.words, tuple(map(str, found.matchers))) == (kinds, words, matchers)


@pytest.mark.parametrize(
    ("text", "said"), [('"open', "not closed"), ("a=~(", "missing closing )"), ("it's", "not closed")]
)
def test_what_cannot_be_read_says_why(text: str, said: str) -> None:
    with pytest.raises(QueryError, match=said.replace(")", r"\)")) as caught:
        read_event_query(text)
    assert caught.value.hint


def test_kinds_are_known_by_every_name_people_have_for_them() -> None:
    assert {event_kind(word.upper()) for word in KIND_WORDS} == set(KINDS)
    with pytest.raises(QueryError, match="no kind of event 'deploymnt'") as caught:
        event_kind("deploymnt")
    assert "did you mean deployment" in caught.value.hint
    with pytest.raises(QueryError) as caught:
        event_kind("qqq")
    assert "the kinds are: deployment, config_change" in caught.value.hint


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = read_event_query(text)
    except QueryError:
        return
    assert all(kind in KINDS for kind in found.kinds)
    assert all(word.strip() for word in found.words)


@given(
    st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True),
    st.sampled_from(["=", "!="]),
    st.text(max_size=20).filter(lambda text: "\r" not in text),
)
def test_a_condition_is_read_as_it_is_written(name: str, op: str, value: str) -> None:
    matcher = EventMatcher(name=name, op="=" if op == "=" else "!=", value=value)
    written = str(matcher)
    if any(line.lstrip().startswith("#") for line in written.splitlines()[1:]):
        return  # a line that begins with # is a comment
    assert read_event_query(written).matchers == (matcher,)
