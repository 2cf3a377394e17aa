"""Plain words about logs."""

from __future__ import annotations

from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.language.log_words import WordsRead, read_words
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
        'read as lines of payment-api, level error or worse, with "pool exhausted", last hour;'
        " passed over: please show in with"
    )
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


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    found = read(text)
    assert isinstance(found.sentence, str)
