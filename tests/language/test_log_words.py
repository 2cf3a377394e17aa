"""Plain words about logs."""

from __future__ import annotations

from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.language.log_words import WordsRead, read_words
from obs_magics.model.errors import UsageError
from obs_magics.model.time import parse_range

SERVICES = ("api-gateway", "payment-api", "user_service", "redis")
NOW = 1_795_359_600_000_000_000


def read(text: str) -> WordsRead:
    return read_words(text, services=SERVICES, is_range=lambda phrase: parse_range(phrase, now_ns=NOW, zone=UTC))


@pytest.mark.parametrize(
    ("text", "services", "phrases", "level", "when"),
    [
        ("errors in payment-api", ("payment-api",), (), "error", ""),
        ("Errors in Payment-API.", ("payment-api",), (), "error", ""),
        ("warnings of user-service and redis", ("user_service", "redis"), (), "warn", ""),
        ("fatal errors and warnings", (), (), "warn", ""),
        ("connection pool", (), ("connection", "pool"), None, ""),
        ('"connection pool" exhausted', (), ("connection pool", "exhausted"), None, ""),
        ("errors in payment-api in the last 30 minutes", ("payment-api",), (), "error", "last 30 minutes"),
        ("timeout between 14:00 and 15:00 in redis", ("redis",), ("timeout",), None, "between 14:00 and 15:00"),
        ("what happened since 14:00", (), (), None, "since 14:00"),
        ("show me all logs from yesterday", (), (), None, "from yesterday"),
        ("the last word", (), ("last", "word"), None, ""),
        ("lines with 'last hour' in them", (), ("last hour",), None, ""),
        ("", (), (), None, ""),
    ],
)
def test_words_mean(
    text: str, services: tuple[str, ...], phrases: tuple[str, ...], level: str | None, when: str
) -> None:
    found = read(text)
    assert (found.words.services, found.words.phrases, found.level) == (services, phrases, level)
    assert found.when == when or (when == "from yesterday" and found.when == "yesterday")


def test_what_was_understood_is_said() -> None:
    assert read('please show errors in payment-api with "pool exhausted" over the last hour').sentence == (
        'read as lines of payment-api, level error or worse, with "pool exhausted", last hour'
    )
    assert read("please show me all of the errors for any service from redis, in a list").sentence == (
        "read as lines of redis, level error or worse"
    )
    assert read('errors "of the" in redis').sentence == 'read as lines of redis, level error or worse, with "of the"'
    assert read("why errors in redis").sentence.endswith("; passed over: why")
    assert read("").sentence == "read as lines of every service"


@given(
    st.lists(st.sampled_from(["errors", "payment-api", "pool", "in", "the", "last", "hour", '"a b"', "since", "14:00"]))
)
def test_every_word_is_used_or_passed_over(words: list[str]) -> None:
    found = read(" ".join(words))
    told = " ".join([*found.words.services, *found.words.phrases, *found.unused, found.when, found.level or ""])
    for word in words:
        bare = word.strip('"')
        assert bare.rstrip("s") in told or bare in {"in", "the"}, (word, found)


@given(st.text() | st.lists(st.sampled_from(["or", "not", "in", "redis", "until", "14:20", "'", "x"])).map(" ".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        told = read(text).sentence
    except UsageError as refused:
        told = refused.hint
    assert told


@pytest.mark.parametrize(
    ("text", "phrases", "any_of", "told"),
    [
        ("timeout OR refused", (), (("timeout", "refused"),), 'with "timeout" or "refused"'),
        ('"a b" or c or `d`', (), (("a b", "c", "d"),), 'with "a b" or "c" or "d"'),
        ("http 500 or 503", ("http",), (("500", "503"),), 'with "http" and ("500" or "503")'),
        ("timeout or timeout", ("timeout",), (), 'with "timeout"'),
        ("timeout or", ("timeout",), (), 'with "timeout"; passed over: or'),
        ("'or' found", ("or", "found"), (), 'with "or" and "found"'),
    ],
)
def test_either_word_will_do(
    text: str, phrases: tuple[str, ...], any_of: tuple[tuple[str, ...], ...], told: str
) -> None:
    found = read(text)
    assert (found.words.phrases, found.words.any_of) == (phrases, any_of)
    assert found.sentence.endswith(told)


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("errors at 14:20", "around 14:20"),
        ("14:20", "around 14:20"),
        ("errors 2pm", "around 2pm"),
        ("errors since 14:00 until 14:30", "from 14:00 to 14:30"),
        ("(14:00 - 14:30)", "14:00 - 14:30"),
        ("port 8080:80", ""),
    ],
)
def test_times_are_read_as_people_say_them(text: str, when: str) -> None:
    assert read(text).when == when


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("errors not in redis", "plain words cannot say what to leave out: 'not in redis'"),
        ("everything except redis", "plain words cannot say what to leave out: 'except redis'"),
        ("errors without timeout", "plain words cannot say what to leave out: 'without timeout'"),
        ("errors until 14:20", "'until 14:20' says when to stop, not where to begin"),
    ],
)
def test_what_would_be_read_as_its_opposite_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        read(text)
    assert refused.value.message == message
    assert refused.value.hint


def test_a_word_that_is_quoted_is_no_word_of_the_question() -> None:
    assert read("'without' \"not in\" 'redis' 'errors'").words.phrases == ("without", "not in", "redis", "errors")
    assert read("key not found").words.phrases == ("key", "not", "found")


def test_services_that_were_nearly_named_are_told() -> None:
    assert read("paymnt-api").near == (("paymnt-api", ("payment-api",)),)
    assert read("payment 'gateway' user").sentence.endswith(
        "; payment is no service here: did you mean payment-api?; user is no service here: did you mean user_service?"
    )
    assert not read("api timeout").near


def test_comments_are_no_words() -> None:
    assert read("# what was it\nerrors in redis # of ours\n  # more").words.phrases == ("#", "ours")
    assert read("# only a comment").sentence == "read as lines of every service"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("redis or timeout", "the service 'redis' or the text 'timeout'"),
        ("timeout OR redis", "the text 'timeout' or the service 'redis'"),
        ("errors or timeout in redis", "the level 'errors' or the text 'timeout'"),
        ("redis or errors", "the service 'redis' or the level 'errors'"),
        ("redis or the timeout", "the service 'redis' or the text 'timeout'"),
    ],
)
def test_one_of_things_of_different_kinds_is_refused_with_the_way_out(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(text)
    assert caught.value.message == f"one query cannot have lines with {said}"
    assert "ask for each by itself" in caught.value.hint
