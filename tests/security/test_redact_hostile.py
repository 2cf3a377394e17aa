"""Text that wants to break the redactor: very long, repeated, cut, not even UTF-8."""

from __future__ import annotations

import time

import pyarrow as pa
import pytest
from security.redact_examples import TOKENS, pem

from obs_magics.security.redact import Redactor

KEY = b"a key for tests, of 32 bytes ...."
MEGABYTE = 1_000_000
SECONDS = 20.0  # for a megabyte, on a busy machine; what is not linear takes hours

REPEATED = (
    "a",
    "A",
    "0",
    "9",
    " ",
    "=",
    ":",
    "@",
    "-",
    ".",
    "/",
    "\\",
    '"',
    "a.",
    "a@",
    "a:",
    "1.",
    "1 ",
    "-1",
    "://",
    "://a:",
    "a:b@",
    "password=",
    "password='",
    'password="',
    "password: ",
    'token=\\"',
    "token=a&",
    "secret=x,y",
    "Bearer ",
    "bearer=",
    "Basic QQ",
    "cookie: a=b ",
    "authorization: ",
    "authorization: digest ",
    "--token ",
    "mysql ",
    "mysql -p",
    "eyJ",
    "eyJaaaaaaaa.",
    "-----BEGIN ",
    "-----BEGIN RSA PRIVATE KEY-----",
    "-----END RSA PRIVATE KEY-----",
    "AAAA\n",
    "4111 ",
    "4111111111111111",
    "1:",
    "::",
    "a::",
    "fe80:",
    "+1",
    "+1 ",
    "(415) ",
    "phone=",
    "DE89 ",
    "DE89370400440532013000",
    "AKIA",
    "A" * 20 + " ",
    "<email:",
    "<email:0123456789ab>",
    "%22",
    "&quot;",
    "password is ",
    "password '",
    "curl -u a:",
    "0.0.0.0.",
    "sk-",
    "\x00",
    "é",
    "token AbC1",
)


@pytest.mark.parametrize("piece", REPEATED, ids=repr)
def test_a_megabyte_of_anything_takes_seconds(piece: str) -> None:
    line = piece * (MEGABYTE // len(piece.encode()))
    redactor = Redactor(KEY, pii=True)
    start = time.process_time()
    safe = redactor.text(line)
    assert time.process_time() - start < SECONDS
    assert redactor.report.total or safe == line


def test_secrets_in_very_long_lines_are_found() -> None:
    token = TOKENS["github_token"][0]
    noise = "x=1 " * (MEGABYTE // 8)
    safe = Redactor(KEY).column(pa.array([noise + token + " " + noise, "short"])).to_pylist()
    assert token not in safe[0]
    assert len(safe[0]) == 2 * len(noise) + len(f"<github_token:{'0' * 12}> ")
    long = "Zz9" * 400_000
    assert Redactor(KEY).text(f"password={long}").count("Zz9") == 0
    assert Redactor(KEY).text(f'{{"password":"{long}"}}').count("Zz9") == 0


def test_a_very_long_key() -> None:
    key = pem(lines=10_000)
    assert key[5_000] not in Redactor(KEY).text("\n".join(key))
    assert key[5_000] not in Redactor(KEY).text("\n".join(key[:-1]))


def test_halves_of_surrogates_survive() -> None:
    line = "\udcff\ud800 password=hunter22 \udfff"
    safe = Redactor(KEY).text(line)
    assert "hunter22" not in safe
    assert safe.startswith("\udcff\ud800 password=<")
    assert safe.endswith("\udfff")


def test_bytes_that_are_no_utf8_break_no_record() -> None:
    raw = pa.array([b"a\xffb\xfe password=hunter22", b"password=hunter23"], pa.binary())
    broken = pa.Array.from_buffers(pa.string(), 2, raw.buffers())
    safe = Redactor(KEY).column(broken).to_pylist()
    assert safe[0].startswith("a?b? password=<")
    assert safe[1].startswith("password=<")


def test_many_blocks() -> None:
    lines = [f"{number} password=hunter{number} {'x' * 10_000}" for number in range(1200)]
    redactor = Redactor(KEY)
    safe = redactor.column(pa.array(lines)).to_pylist()
    assert redactor.report.counts == {"password": 1200}
    assert all(line.startswith(f"{number} password=<") for number, line in enumerate(safe))
