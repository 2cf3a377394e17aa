"""Addresses, credentials, headers and limits: what is taken, what is refused, and that nothing secret shows."""

from __future__ import annotations

import pickle
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from obs_magics.model.errors import ConfigError
from obs_magics.net import transport
from obs_magics.net.auth import Secret
from obs_magics.net.connection import Basic, Bearer, Connection, HeaderAuth

TOKEN = "tok-3f9a8c"


def connection(url: str = "http://localhost:9090", **options: object) -> Connection:
    return Connection(name="prom", base_url=url, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given_url", "address"),
    [
        ("http://localhost:9090", "http://localhost:9090"),
        ("https://Example.com/", "https://example.com"),
        ("https://example.com/prometheus/", "https://example.com/prometheus"),
        ("http://ann:pw%20rd@[::1]:9090/x", "http://[::1]:9090/x"),
    ],
)
def test_the_address_is_tidy(given_url: str, address: str) -> None:
    made = connection(given_url)
    assert made.address == made.base_url == address
    assert made.where == f"prom ({address})"


def test_credentials_in_the_url_become_basic_auth() -> None:
    made = connection("https://ann:s3%40cret@example.com")
    assert made.auth == Basic("ann", "s3@cret")
    assert made.sent_headers() == {"authorization": "Basic YW5uOnMzQGNyZXQ="}
    assert "s3" not in repr(made) + made.where + str(made)
    assert connection("https://ann@example.com").auth == Basic("ann", "")


def test_credentials_given_apart_win_over_those_in_the_url() -> None:
    made = connection("https://ann:s3cret@example.com", auth=Bearer(TOKEN))
    assert made.auth == Bearer(TOKEN)
    assert made.base_url == "https://example.com"


@pytest.mark.parametrize(
    "url",
    ["localhost:9090", "ftp://example.com", "http://", "http://host:port", "http://host:0", "", "http://[::1", "prom"],
)
def test_what_is_no_address_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(ConfigError, match=r"prom[^→]*\n→ write it like http://localhost:9090"):
        connection(url)


def test_a_query_in_the_address_is_refused_without_showing_it() -> None:
    with pytest.raises(ConfigError) as caught:
        connection(f"https://example.com/?token={TOKEN}")
    assert TOKEN not in str(caught.value)
    assert "auth:" in caught.value.hint


@pytest.mark.parametrize(
    "options",
    [
        {"timeout_seconds": 0},
        {"timeout_seconds": float("nan")},
        {"max_concurrent": 0},
        {"rate_limit": -1.0},
        {"deadline_seconds": 0.0},
        {"headers": {"a b": "c"}},
        {"headers": {"": "c"}},
        {"tenant": "a\nb"},
        {"tenant_header": "a:b"},
    ],
)
def test_limits_and_headers_that_make_no_sense_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        connection(**options)


def test_tenant_auth_and_headers_are_sent_each_name_once() -> None:
    made = connection(tenant="team-a", auth=Bearer(TOKEN), headers={"AUTHORIZATION": "other", "X-Env": SecretStr("p")})
    assert made.sent_headers() == {"authorization": f"Bearer {TOKEN}", "x-scope-orgid": "team-a", "x-env": "p"}
    own = connection(auth=HeaderAuth("Api-Key", TOKEN), tenant="7", tenant_header="AccountID")
    assert own.sent_headers() == {"api-key": TOKEN, "accountid": "7"}


@pytest.mark.parametrize(
    "auth", [Basic("ann", TOKEN), Bearer(TOKEN), HeaderAuth("Api-Key", TOKEN), Bearer(SecretStr(TOKEN))]
)
def test_a_secret_never_shows(auth: Basic | Bearer | HeaderAuth) -> None:
    made = connection(auth=auth, headers={"X-Key": "other-secret"})
    shown = f"{auth!r} {auth} {made!r} {auth.header()!r} {replace(made, name='x')!r}"
    assert TOKEN not in shown
    assert "other-secret" not in shown
    assert "**********" in shown
    assert TOKEN in made.secrets()
    assert "other-secret" in made.secrets()


def test_secrets_are_hidden_longest_first_and_short_ones_are_not() -> None:
    made = connection(auth=Basic("a", "pw"), headers={"A": "longer-than-that", "B": "that-one"})
    assert made.secrets() == ("longer-than-that", "YTpwdw==", "that-one")


def test_secrets_compare_and_hash_but_are_not_pickled() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret.of(Secret("b"))}) == 2
    assert (str(Secret("")), repr(Secret(""))) == ("", "Secret('')")
    with pytest.raises(TypeError, match="secret"):
        pickle.dumps(Secret("a"))


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_a_token_is_sent_as_it_is(token: str) -> None:
    assert Bearer(token).header()[1].get_secret_value() == f"Bearer {token.strip()}"


@given(st.text(min_size=4), st.characters(exclude_characters=[chr(c) for c in range(32, 127)]), st.text(min_size=4))
def test_a_token_that_cannot_be_sent_is_refused_without_showing_it(before: str, bad: str, after: str) -> None:
    with pytest.raises(ConfigError, match="the token holds a character that cannot be sent") as caught:
        Bearer(f"x{before}{bad}{after}x")
    assert caught.value.__context__ is None


def test_a_file_s_last_line_break_is_taken_off_a_token() -> None:
    assert Bearer(f"{TOKEN}\n").header()[1].get_secret_value() == f"Bearer {TOKEN}"


# --- the way there ----------------------------------------------------------------------------------------------------


def test_the_total_time_is_twice_the_silence_unless_given() -> None:
    assert connection(timeout_seconds=7).total_seconds == 14
    assert connection(deadline_seconds=3).total_seconds == 3


PROXIES = {"http_proxy": "http://proxy:3128", "https_proxy": "secure:3129", "no_proxy": "inside.example.com"}


@pytest.mark.parametrize(
    ("url", "wanted", "proxy"),
    [
        ("http://example.com", None, "http://proxy:3128"),
        ("https://example.com", None, "http://secure:3129"),
        ("http://example.com", False, None),
        ("http://inside.example.com", None, None),
        ("http://localhost:9090", None, None),
        ("http://prom.localhost", None, None),
        ("http://127.0.0.1", None, None),
        ("http://[::1]:9090", None, None),
        ("http://0.0.0.0:9090", None, None),
        ("http://localhost:9090", True, "http://proxy:3128"),
    ],
)
def test_proxies_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, url: str, wanted: bool | None, proxy: str | None
) -> None:
    _only_these_proxies(monkeypatch, PROXIES)
    assert transport.proxy_for(connection(url, proxy=wanted)) == proxy


def test_one_proxy_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    _only_these_proxies(monkeypatch, {"all_proxy": "http://proxy:1"})
    assert transport.proxy_for(connection("https://example.com")) == "http://proxy:1"


def _only_these_proxies(monkeypatch: pytest.MonkeyPatch, proxies: dict[str, str]) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in proxies.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    "proxy", ["gopher://u:hidden-pw@proxy", "socks5://u:hidden-pw@proxy:1", "http://u:hidden-pw@host:port"]
)
def test_a_proxy_that_cannot_be_used_is_a_clear_error(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    _only_these_proxies(monkeypatch, {"http_proxy": proxy})
    monkeypatch.setitem(sys.modules, "socksio", None)
    with pytest.raises(ConfigError, match="proxy") as caught:
        transport.open_client(connection("http://example.com"), {})
    assert "hidden-pw" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("url", "compress", "expected"),
    [
        ("http://localhost:9090", None, False),
        ("http://10.1.2.3", None, False),
        ("http://prometheus:9090", None, False),
        ("http://prometheus.monitoring.svc:9090", None, False),
        ("http://prometheus.monitoring.svc.cluster.local", None, False),
        ("https://prometheus.example.com", None, True),
        ("https://8.8.8.8", None, True),
        ("https://prometheus.example.com", False, False),
        ("http://localhost:9090", True, True),
    ],
)
def test_gzip_is_asked_for_where_the_network_is_slow(url: str, compress: bool | None, expected: bool) -> None:
    assert transport.wants_gzip(connection(url, compress=compress)) is expected


def test_a_private_ca_that_is_not_there_or_is_none_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no file .*missing\.pem.*\n→ verify: takes a PEM file"):
        transport.tls_context(connection(verify=str(tmp_path / "missing.pem")))
    (tmp_path / "wrong.pem").write_text("not a certificate")
    with pytest.raises(ConfigError, match="holds no certificate"):
        transport.tls_context(connection(verify=str(tmp_path / "wrong.pem")))
    assert transport.tls_context(connection(verify=str(tmp_path))).verify_mode.name == "CERT_REQUIRED"


def test_trusted_certificates_of_the_environment_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    with pytest.raises(ConfigError, match="SSL_CERT_FILE"):
        transport.tls_context(connection())


async def test_a_client_never_follows_redirects_by_itself_and_ignores_the_environment() -> None:
    async with transport.open_client(connection(), {}) as client:
        assert not client.follow_redirects
        assert not client.trust_env
        assert isinstance(client, httpx.AsyncClient)
