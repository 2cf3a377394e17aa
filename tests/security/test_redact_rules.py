"""What each rule finds, and what none of them touches."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st
from security.redact_examples import AROUND, KEY_FILE, KEY_FILE_SECRETS, PERSONAL, SECRETS, TOKENS
from security.redact_negatives import CLEAN

from obs_magics.security.redact import EXPORT, KINDS, PERSONAL_KINDS, SCREEN, Redactor, Report, new_key
from obs_magics.security.redact.automata import searcher, slow_search
from obs_magics.security.redact.pseudonyms import Pseudonyms
from obs_magics.security.redact.rules import RULES

KEY = b"a key for tests, of 32 bytes ...."
PSEUDONYM = re.compile(r"<([a-z0-9_]+):([0-9a-f]{12})>")


def redact(text: str, pii: object = True) -> str:
    return Redactor(KEY, pii=pii).text(text)  # type: ignore[arg-type]


def every_example() -> Iterator[tuple[str, str, str]]:
    for kind, tokens in TOKENS.items():
        for token in tokens:
            for around in AROUND:
                yield kind, around.replace("§", token), token
    yield from SECRETS
    yield from PERSONAL


EXAMPLES = list(every_example())


@pytest.mark.parametrize("kind", sorted(TOKENS))
def test_tokens_with_a_form_are_found_wherever_they_stand(kind: str) -> None:
    for token in TOKENS[kind]:
        for around in AROUND:
            line = around.replace("§", token)
            safe = redact(line, pii=False)
            assert token not in safe
            assert f"<{kind}:" in safe
            before, after = around.split("§")
            assert safe.startswith(before), "what stands around stays"
            assert safe.endswith(after)


@pytest.mark.parametrize(("kind", "line", "secret"), SECRETS)
def test_secrets_are_hidden_without_any_policy(kind: str, line: str, secret: str) -> None:
    safe = redact(line, pii=SCREEN)
    assert secret not in safe
    assert f"<{kind}:" in safe


@pytest.mark.parametrize(("kind", "line", "value"), PERSONAL)
def test_personal_data_is_hidden_by_policy(kind: str, line: str, value: str) -> None:
    safe = redact(line, pii={kind})
    assert value not in safe
    assert f"<{kind}:" in safe
    assert redact(line, pii=PERSONAL_KINDS - {kind, "ipv4"}).count(f"<{kind}:") == 0
    assert f"<{kind}:" not in redact(line, pii=False)


@pytest.mark.parametrize("line", CLEAN)
def test_nothing_else_is_touched(line: str) -> None:
    assert redact(line) == line


def test_every_kind_has_examples() -> None:
    assert {kind for kind, _, _ in EXAMPLES} == set(KINDS)


def test_the_page_names_every_kind() -> None:
    page = (Path(__file__).parents[2] / "docs" / "redaction.md").read_text(encoding="utf-8")
    assert not [kind for kind in KINDS if f"`{kind}`" not in page]


def test_a_rule_is_found_by_its_own_expression() -> None:
    """What a pattern matches, the cheap `find` must have found: it is what chooses the lines."""
    finds = {rule.kind.name: [] for rule in RULES}  # type: ignore[var-annotated]
    for rule in RULES:
        finds[rule.kind.name].append(re.compile(rule.find.encode()))
    for kind, line, _ in EXAMPLES:
        assert any(find.search(line.encode()) for find in finds[kind]), (kind, line)


def test_a_service_account_file() -> None:
    safe = redact(KEY_FILE)
    assert not any(secret in safe for secret in KEY_FILE_SECRETS)
    assert json.loads(safe)["project_id"] == "demo", "still JSON"


def test_what_stands_around_stays_byte_for_byte() -> None:
    line = 'ts=1 \x1b[31mpassword="hunter22" \u202e\U0001f600\r\n\ttail\x00'
    assert PSEUDONYM.sub("§", redact(line)) == line.replace("hunter22", "§")


def test_the_same_value_has_the_same_digits_in_every_context() -> None:
    redactor = Redactor(KEY, pii=True)
    value = "Xq7kPz2mWv9nRt4b"
    lines = (f"password={value}", f'{{"api_key":"{value}"}}', f"Authorization: Bearer {value}", f"redis://:{value}@h")
    found = [PSEUDONYM.search(redactor.text(line)) for line in lines]
    assert len({match[2] for match in found if match}) == 1
    assert all(found)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Bob@Example.com", "bob@example.com"),
        ("from 2001:DB8:0:0::1", "from 2001:db8::1"),
        ("card 4111111111111111", "card 4111 1111 1111 1111"),
        ("+1 (415) 555-2671", "+14155552671"),
        ("DE89 3704 0044 0532 0130 00", "DE89370400440532013000"),
        ("ssn 072-38-1454", "ssn=072381454"),
    ],
)
def test_one_value_in_two_spellings_stays_joinable(one: str, other: str) -> None:
    first, second = PSEUDONYM.search(redact(one)), PSEUDONYM.search(redact(other))
    assert first is not None
    assert second is not None
    assert first[0] == second[0]


def test_pseudonyms_depend_on_the_key_and_tell_nothing() -> None:
    short, long = redact("password=a1b2c3d4"), redact("password=" + "a1b2c3d4" * 20)
    assert len(short) == len(long)
    assert short != long
    other = Redactor(new_key()).text("password=a1b2c3d4")
    assert other != short
    assert new_key() != new_key()
    assert "tests" not in repr(Redactor(KEY)) + repr(Pseudonyms(KEY))


def test_too_short_a_key_and_unknown_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match="15 bytes is too short"):
        Redactor(b"x" * 15)
    with pytest.raises(ValueError, match="no such personal data: emails, name; there are card, email"):
        Redactor(KEY, pii=["name", "emails", "email"])


def test_policies() -> None:
    line = "bob@example.com from 10.1.2.3 password=hunter22"
    assert redact(line, pii=SCREEN) == redact(line, pii=False)
    assert redact(line, pii=EXPORT) == redact(line, pii=True)
    assert "bob@example.com from 10.1.2.3" in redact(line, pii=SCREEN)
    assert "10.1.2.3" in redact(line, pii={"email"})


def test_the_report_counts_and_speaks() -> None:
    redactor = Redactor(KEY, pii=True)
    assert str(redactor.report) == "nothing hidden"
    key = TOKENS["aws_access_key"][0]
    for line in (f"{key} {key}", "a@example.com b@example.com", "token ***", f"x {key}"):
        redactor.text(line)
    assert redactor.report == Report({"aws_access_key": 3, "email": 2})
    assert str(redactor.report) == "hidden: 3 AWS access keys, 2 e-mail addresses"
    assert (redactor.report.total, redactor.report.secrets) == (5, 3)
    redactor.text("one@example.com password=hunter22")
    assert str(redactor.report).endswith("1 password, 3 e-mail addresses")


def test_overlaps_hide_all_of_both() -> None:
    key = TOKENS["aws_access_key"][0]
    safe = redact(f'password="x1 {key} y2"')
    assert re.fullmatch(r'password="<password:\w+><aws_access_key:\w+><password:\w+>"', safe)
    assert redact("dial postgres://svc:pw12@db.example.com:5432/x") == re.sub(
        "§",
        PSEUDONYM.search(redact("password=pw12"))[2],
        "dial postgres://svc:<url_password:§>@db.example.com:5432/x",  # type: ignore[index]
    )


def test_the_user_of_an_address_is_no_name_of_a_field() -> None:
    line = "git clone https://x-access-token:§@github.com/a/b failed"
    token = TOKENS["github_token"][0]
    assert PSEUDONYM.sub("§", redact(line.replace("§", token))) == line


def test_what_looks_like_a_pseudonym_of_an_unknown_kind_is_text() -> None:
    line = "password=<thing:0123456789ab>x"
    assert redact(line) != line
    known = "password=<email:0123456789ab>"
    assert redact(known) == known


PIECES = st.sampled_from(
    [line for _, line, _ in EXAMPLES[::7]]
    + list(CLEAN)
    + [
        "<",
        ">",
        '"',
        "'",
        "\\",
        "=",
        ":",
        "@",
        " ",
        "\n",
        "password",
        "token=",
        "://",
        "Bearer ",
        "4111",
        "+1",
        "::",
        "é",
        "\x00",
    ]
)
LINES = st.lists(PIECES, max_size=6).flatmap(
    lambda pieces: st.sampled_from(["", " ", ", "]).map(lambda by: by.join(pieces))
)


@given(LINES)
def test_a_second_redaction_changes_nothing(line: str) -> None:
    once = redact(line)
    assert redact(once) == once
    assert Redactor(b"another key of some length", pii=True).text(once) == once


@given(st.text())
def test_any_text_survives(text: str) -> None:
    once = redact(text)
    assert redact(once) == once
    if not PSEUDONYM.search(once):
        assert once == text


@given(st.sampled_from(EXAMPLES), st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_secrets_do_not_hide_behind_other_text(example: tuple[str, str, str], tail: str) -> None:
    _, line, secret = example
    safe = redact(f"{line}\n{tail}")
    assert secret not in safe


@pytest.mark.parametrize(("text", "at"), [(b"a1 b22", 0), (b"a1 b22", 2), (b"none", 0), (b"", 0), (b"\xff7", 1)])
def test_what_google_re2_promises_finds_the_same_as_the_layer_below_it(text: bytes, at: int) -> None:
    expression = "[0-9]+"
    assert slow_search(re2.compile(expression.encode()))(text, at) == searcher(expression)(text, at)
