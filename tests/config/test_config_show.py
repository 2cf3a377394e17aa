"""What holds and where it comes from; and the YAML to keep."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from obs_magics.config.adapter import Adapter
from obs_magics.config.load import Loaded, load_settings
from obs_magics.config.platform import Auth, PlatformSettings
from obs_magics.config.registry import Registry
from obs_magics.config.show import effective
from obs_magics.config.types import Duration
from obs_magics.config.write import platform_yaml, variable_name

FILE = """\
observability:
  platforms:
    prom:
      type: prometheus
      url: http://prom:9090
      auth: {token: "${PROM_TOKEN}"}
      headers: {X-Api-Key: abc}
      rate_limit: 5
    other:
      type: prometheus
      url: http://ann:pw@other
    grafana: {url: http://a, token: "${G:-fallback}"}
  anomaly_detection:
    metrics: [plain, {name: named, threshold: 0.05}]
  query:
    max_time_range: 14d
"""


def shown(loaded: Loaded, tmp_path: Path) -> dict[str, tuple[str, str]]:
    return {row.key: (row.value, row.origin.replace(f"{tmp_path}/", "")) for row in effective(loaded)}


def test_every_setting_with_its_value_and_where_it_stands(registry: Registry, tmp_path: Path) -> None:
    path = tmp_path / "obs.yaml"
    path.write_text(FILE)
    environ = {"OBS_MAGICS__QUERY__CACHE_TTL": "5m", "OBS_MAGICS__DASHBOARDS__FOLDER": "Ours"}
    rows = shown(load_settings(path, registry, environ=environ), tmp_path)
    expected = {
        "enabled": ("true", "default"),
        "platforms.prom.type": ("prometheus", "obs.yaml:4"),
        "platforms.prom.url": ("http://prom:9090", "obs.yaml:5"),
        "platforms.prom.auth.type": ("bearer", "obs.yaml:6"),
        "platforms.prom.auth.token": ("${PROM_TOKEN}", "obs.yaml:6"),
        "platforms.prom.headers.X-Api-Key": ("********", "obs.yaml:7"),
        "platforms.prom.rate_limit": ("5", "obs.yaml:8"),
        "platforms.prom.timeout": ("30s", "default"),
        "platforms.other.url": ("http://other", "obs.yaml:11"),
        "platforms.other.auth.user": ("ann", "obs.yaml:11"),
        "platforms.other.auth.password": ("********", "obs.yaml:11"),
        "platforms.grafana.type": ("grafana", "default"),
        "platforms.grafana.auth.type": ("none", "default"),
        "platforms.grafana.token": ("${G:-…}", "obs.yaml:12"),
        "anomaly_detection.metrics[0].name": ("plain", "obs.yaml:14"),
        "anomaly_detection.metrics[1].threshold": ("0.05", "obs.yaml:14"),
        "query.max_time_range": ("14d", "obs.yaml:16"),
        "query.max_data_points": ("1000", "default"),
        "query.cache_ttl": ("5m", "$OBS_MAGICS__QUERY__CACHE_TTL"),
        "dashboards.folder": ("Ours", "$OBS_MAGICS__DASHBOARDS__FOLDER"),
        "export.formats": ("json, csv", "default"),
    }
    assert {key: rows[key] for key in expected} == expected
    assert "platforms.prom.tenant" not in rows


def test_rows_are_plain_triples(registry: Registry, tmp_path: Path) -> None:
    loaded = load_settings(None, registry, environ={}, cwd=tmp_path)
    for key, value, origin in effective(loaded):
        assert (type(key), type(value), origin) == (str, str, "default")


def test_only_what_differs_is_written_and_secrets_become_variables() -> None:
    settings = PlatformSettings(
        type="prometheus",
        url="https://prom.example.com",
        auth=Auth(type="bearer", token=SecretStr("s3cr3t")),
        headers={"X-Api-Key": SecretStr("t0p")},
        tenant="1",
        verify=False,
        timeout=Duration.of("90s"),
        rate_limit=2.5,
    )
    assert platform_yaml("eu-prom", settings) == (
        "observability:\n"
        "  platforms:\n"
        "    eu-prom:\n"
        "      enabled: true\n"
        "      type: prometheus\n"
        "      url: https://prom.example.com\n"
        "      auth:\n"
        "        type: bearer\n"
        "        token: ${EU_PROM_TOKEN}\n"
        "      tenant: '1'\n"
        "      headers:\n"
        "        X-Api-Key: ${EU_PROM_X_API_KEY}\n"
        "      verify: false\n"
        "      timeout: 1m30s\n"
        "      rate_limit: 2.5\n"
    )


@pytest.mark.parametrize(
    ("kept", "written"),
    [
        ("${MY_TOKEN}", "${MY_TOKEN}"),
        ("${MY_TOKEN:-s3cr3t}", "${MY_TOKEN}"),
        ("vault://secret/prom/token", "vault://secret/prom/token"),
        ("pre-${MY_TOKEN}", "${PROM_TOKEN}"),
        ("", "${PROM_TOKEN}"),
    ],
)
def test_references_to_secrets_stay_without_their_defaults(kept: str, written: str) -> None:
    settings = PlatformSettings(type="prom", auth=Auth(type="bearer", token=SecretStr(kept)))
    text = platform_yaml("prom", settings)
    assert yaml.safe_load(text)["observability"]["platforms"]["prom"]["auth"]["token"] == written
    assert "s3cr3t" not in text
    assert "type: prom\n" not in text


class Part(BaseModel):
    """A part of an outside adapter's settings."""

    key: SecretStr = SecretStr("")
    size: int = 0


class Outside(PlatformSettings):
    """An outside adapter's settings, with shapes of its own."""

    path: Path | None = None
    parts: tuple[Part, ...] = ()
    names: tuple[str, ...] = ()


def test_settings_of_outside_adapters_are_written_too() -> None:
    settings = Outside(path=Path("data"), parts=(Part(key=SecretStr("s3cr3t"), size=3),), names=("a", "b"))
    entry = yaml.safe_load(platform_yaml("out", settings))["observability"]["platforms"]["out"]
    assert entry == {
        "enabled": True,
        "path": "data",
        "parts": [{"key": "${OUT_PARTS_1_KEY}", "size": 3}],
        "names": ["a", "b"],
    }


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("prom", "token"), "PROM_TOKEN"),
        (("eu-west.1", "X-Api-Key"), "EU_WEST_1_X_API_KEY"),
        (("1st", "token"), "OBS_1ST_TOKEN"),
        (("ölfeld", "token"), "LFELD_TOKEN"),
        (("日本", "token"), "TOKEN"),
        (("日本",), "OBS_"),
    ],
)
def test_names_of_variables(words: tuple[str, ...], name: str) -> None:
    assert variable_name(*words) == name


TEXTS = st.text(alphabet="abc 'äé:#-{}[]&*!|>%@`01", min_size=1, max_size=12).filter(lambda text: text.strip())


@given(
    name=st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,8}", fullmatch=True).filter(lambda name: name != "auto"),
    tenant=st.none() | TEXTS,
    environment=st.none() | TEXTS,
    timeout=st.integers(100_000_000, 3_600_000_000_000).map(Duration),
    verify=st.booleans() | st.just("/ca.pem"),
    rate_limit=st.none() | st.floats(0.001, 10_000),
    auth=st.sampled_from([Auth(), Auth(type="bearer", token=SecretStr("${T}"))]),
)
def test_what_is_written_loads_as_the_same_settings(
    *,
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    tenant: str | None,
    environment: str | None,
    timeout: Duration,
    verify: bool | str,
    rate_limit: float | None,
    auth: Auth,
) -> None:
    settings = PlatformSettings(
        type="prometheus",
        url="http://a",
        tenant=tenant,
        environment=environment,
        timeout=timeout,
        verify=verify,
        rate_limit=rate_limit,
        auth=auth,
    )
    path = tmp_path_factory.getbasetemp() / "written.yaml"
    path.write_text(platform_yaml(name, settings), encoding="utf-8")
    registry = {"prometheus": Adapter("prometheus", "Prometheus", PlatformSettings)}
    assert load_settings(path, registry, environ={}).settings.platforms[name] == settings
