"""Secrets: resolved late, and never shown."""

from __future__ import annotations

import contextlib
import pickle
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from obs_magics.config.load import Loaded, load_settings, platform_settings
from obs_magics.config.platform import Auth, PlatformSettings
from obs_magics.config.registry import Registry
from obs_magics.config.secrets import expand, resolve
from obs_magics.config.show import effective
from obs_magics.config.write import platform_yaml
from obs_magics.model.errors import ConfigError

ENVIRON = {"TOKEN": "s3cr3t-value", "EMPTY": "", "USER": "ann"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("", ""),
        ("${TOKEN}", "s3cr3t-value"),
        ("a-${USER}-${TOKEN}", "a-ann-s3cr3t-value"),
        ("${GONE:-default}", "default"),
        ("${EMPTY:-default}", "default"),
        ("${GONE:-}", ""),
        ("${TOKEN:-default}", "s3cr3t-value"),
        ("$TOKEN $5 {x}", "$TOKEN $5 {x}"),
        ("$${TOKEN}", "${TOKEN}"),
        ("$$", "$$"),
    ],
)
def test_variables_are_resolved_when_they_are_used(text: str, value: str) -> None:
    assert resolve(text, ENVIRON).get_secret_value() == value
    assert resolve(SecretStr(text), ENVIRON).get_secret_value() == value
    assert expand(text, ENVIRON) == value


def test_the_value_of_a_variable_is_not_read_again() -> None:
    assert expand("${A}", {"A": "${B}", "B": "no"}) == "${B}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("s3cr3t-${GONE}", "the environment variable GONE is not set\n→ set it before Jupyter starts (export GONE=…)"),
        ("s3cr3t-${EMPTY}", "the environment variable EMPTY is empty"),
        ("s3cr3t-${TOKEN", "a ${ is not followed by a name and }"),
        ("s3cr3t-${1}", "a ${ is not followed by a name and }"),
        ("${s3cr3t value}", "a ${ is not followed by a name and }"),
        ("vault://s3cr3t/prometheus/token", "secrets in Vault (vault://…) cannot be read by this version yet"),
    ],
)
def test_what_cannot_be_resolved_names_the_variable_and_never_a_value(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(text, ENVIRON)
    assert says in str(caught.value)
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.hint


def test_the_environment_is_the_process_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_TEST_TOKEN", "from here")
    assert resolve("${OBS_TEST_TOKEN}").get_secret_value() == "from here"


@given(st.text())
def test_any_text_resolves_or_is_refused(text: str) -> None:
    with contextlib.suppress(ConfigError):
        assert isinstance(resolve(text, ENVIRON), SecretStr)


# Letters that occur in none of our own words together, so that finding them means that they leaked.
SECRETS = st.text(alphabet="QXZJqxzj!§%&/()=?@:#{}[]'\"\\,~ é💥", min_size=12, max_size=40).filter(
    lambda text: text.strip() == text
)

ENTRIES = [
    ("prometheus", {"url": "http://a", "auth": {"type": "bearer", "token": None}}),
    ("prometheus", {"url": "http://a", "auth": {"token_secret": None}}),
    ("prometheus", {"url": "http://a", "auth": {"type": "basic", "user": "ann", "password": None}}),
    ("prometheus", {"url": "http://a", "auth": {"type": "header", "name": "X-Api-Key", "value": None}}),
    ("prometheus", {"url": "http://a", "headers": {"X-Api-Key": None}}),
    ("datadog", {"api_key": None, "app_key": None}),
    ("grafana", {"url": "http://a", "token": None}),
    ("newrelic", {"api_key": None, "account_id": 123}),
    # And as they should not be written:
    ("prometheus", {"url": "http://a", "auth": None}),
    ("prometheus", {"url": "http://a", "auth": {"token": [None]}}),
    ("prometheus", {"url": "http://a", "auth": {"type": "basic", "token": None}}),
    ("prometheus", {"url": "http://a", "auth": {"tokn": None}}),
    ("prometheus", {"url": "http://a", "headers": None}),
    ("prometheus", {"url": "http://a", "headers": {"X-Api-Key": {"value": None}}}),
    ("prometheus", {"url": "http://a", "headers": [None]}),
    ("prometheus", {"url": "http://a", "api_key": None}),
    ("prometheus", None),
    ("grafana", {"token": None}),
]


def filled(value: object, secret: str) -> object:
    """The entry with the secret in its place."""
    if isinstance(value, dict):
        return {key: filled(item, secret) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, secret) for item in value]
    return secret if value is None else value


def everything_shown(name: str, entry: object, registry: Registry, path: Path) -> Iterator[str]:
    """All that anybody may see of an entry: settings or error, shown, written, printed."""
    path.write_text(yaml.safe_dump({"observability": {"platforms": {name: entry}}}, allow_unicode=True))
    try:
        loaded: Loaded = load_settings(path, registry, environ={})
    except ConfigError as error:
        yield from (str(error), repr(error), "".join(error._render_traceback_()))
        yield "".join(traceback.format_exception(error))
        return
    settings = loaded.settings.platforms[name]
    yield from (repr(loaded), str(loaded), repr(settings), str(settings), f"{settings!r:>5}")
    yield from map(str, effective(loaded))
    yield platform_yaml(name, settings)
    yield settings.model_dump_json()


@given(st.sampled_from(ENTRIES), SECRETS)
def test_a_secret_never_appears(
    registry: Registry, tmp_path_factory: pytest.TempPathFactory, entry: tuple[str, object], secret: str
) -> None:
    assume("${" not in secret)
    path = tmp_path_factory.getbasetemp() / "secret.yaml"
    for text in everything_shown(entry[0], filled(entry[1], secret), registry, path):
        assert secret not in text
        assert secret[:8] not in text


@given(SECRETS)
def test_a_secret_in_the_address_never_appears(
    registry: Registry, tmp_path_factory: pytest.TempPathFactory, secret: str
) -> None:
    assume("${" not in secret and ":" not in secret)  # what stands before a colon is the user, and no secret
    path = tmp_path_factory.getbasetemp() / "address.yaml"
    for url in (f"http://ann:{secret}@host", f"http://{secret}@host", f"http://host?token={secret}"):
        for text in everything_shown("prometheus", {"url": url}, registry, path):
            assert secret[:8] not in text


@pytest.mark.parametrize("length", [1, 8, 64])
def test_a_mask_does_not_tell_the_length(registry: Registry, tmp_path: Path, length: int) -> None:
    path = tmp_path / "obs.yaml"
    entry = {"url": "http://a", "auth": {"token": "q" * length}}
    path.write_text(yaml.safe_dump({"observability": {"platforms": {"prometheus": entry}}}))
    loaded = load_settings(path, registry, environ={})
    shown = {row.key: row.value for row in effective(loaded)}
    assert shown["platforms.prometheus.auth.token"] == "********"
    assert "SecretStr('**********')" in repr(loaded.settings)


def test_pydantic_s_own_errors_show_no_input() -> None:
    with pytest.raises(ValidationError) as caught:
        Auth(type="basic", token=SecretStr("s3cr3t"))
    assert "s3cr3t" not in str(caught.value)
    with pytest.raises(ValidationError) as caught:
        PlatformSettings(url="http://s3cr3t@host")
    assert "s3cr3t" not in str(caught.value)


def test_settings_typed_by_hand_show_no_secret_either(registry: Registry) -> None:
    with pytest.raises(ConfigError) as caught:
        platform_settings("prom", {"type": "prometheus", "auth": {"token": ["s3cr3t"]}}, registry)
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.__cause__ is None
    with pytest.raises((TypeError, pickle.PicklingError)):
        pickle.dumps(PlatformSettings())
