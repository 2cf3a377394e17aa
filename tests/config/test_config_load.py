"""Reading the configuration file: the one of the manual, and every way in which one can be wrong."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.config.adapter import Adapter
from obs_magics.config.load import Loaded, load_settings, platform_settings
from obs_magics.config.planned import DatadogSettings
from obs_magics.config.platform import PlatformSettings
from obs_magics.config.registry import Registry
from obs_magics.config.types import Duration
from obs_magics.model.errors import ConfigError, ObsError
from obs_magics.model.time import DAY, HOUR, MINUTE, SECOND

# The manual's example, word for word.
EXAMPLE = """\
observability:
  enabled: true
  platforms:
    datadog: {enabled: true, api_key: "${DATADOG_API_KEY}", app_key: "${DATADOG_APP_KEY}", site: "datadoghq.com"}
    prometheus:
      enabled: true
      url: "http://prometheus.monitoring.svc:9090"
      auth: {type: bearer, token: "${PROMETHEUS_TOKEN}"}        # or token_secret: vault://secret/prometheus/token
    grafana: {enabled: true, url: "https://grafana.example.com", api_key: "${GRAFANA_API_KEY}"}
    loki: {enabled: true, url: "http://loki.monitoring.svc:3100"}
    jaeger: {enabled: true, url: "http://jaeger.monitoring.svc:16686"}
  anomaly_detection:
    enabled: true
    sensitivity: medium            # low | medium | high
    baseline_window: 7d
    notification_channel: "slack:#observability-alerts"
    metrics:                       # plain names are accepted too
      - {name: error_rate, threshold: 0.05, alert_channel: "slack:#alerts"}
      - {name: latency_p99, threshold: 2.0, alert_channel: "slack:#alerts"}
      - {name: throughput, change_threshold: 50, alert_channel: "slack:#alerts"}
  dashboards: {auto_generate: true, output_platform: grafana, folder: "Generated", refresh_interval: "30s"}
  query: {default_time_range: 1h, max_time_range: 7d, max_data_points: 1000, cache_ttl: 60s}
  correlation: {deployment_window: 2h, config_change_window: 1h, alert_window: 30m}
  export: {enabled: true, formats: [json, csv], retention: 30d}
"""

Load = Callable[..., Loaded]
Fails = Callable[..., str]


@pytest.fixture
def load(tmp_path: Path, registry: Registry) -> Load:
    """Write a file and load it."""

    def write_and_load(text: str | bytes, environ: Mapping[str, str] | None = None) -> Loaded:
        path = tmp_path / "obs.yaml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return load_settings(path, registry, environ=environ or {})

    return write_and_load


@pytest.fixture
def fails(load: Load, tmp_path: Path) -> Fails:
    """Write a file, and give back the message with which it is refused; paths cut down to file names."""

    def message(text: str | bytes, environ: Mapping[str, str] | None = None) -> str:
        with pytest.raises(ConfigError) as caught:
            load(text, environ)
        return str(caught.value).replace(f"{tmp_path}/", "")

    return message


def below(text: str) -> str:
    """Text of one section or more, under the root."""
    return "observability:\n" + "\n".join(f"  {line}" for line in text.splitlines())


def test_the_example_of_the_manual(load: Load) -> None:
    settings = load(EXAMPLE).settings
    assert list(settings.platforms) == ["datadog", "prometheus", "grafana", "loki", "jaeger"]
    prometheus, datadog = settings.platforms["prometheus"], settings.platforms["datadog"]
    assert (prometheus.type, prometheus.url) == ("prometheus", "http://prometheus.monitoring.svc:9090")
    assert prometheus.auth.type == "bearer"
    assert prometheus.auth.token is not None
    assert prometheus.auth.token.get_secret_value() == "${PROMETHEUS_TOKEN}"
    assert isinstance(datadog, DatadogSettings)
    assert datadog.site == "datadoghq.com"
    watched = settings.anomaly_detection
    assert (watched.sensitivity, watched.baseline_window) == ("medium", 7 * DAY)
    assert [metric.name for metric in watched.metrics] == ["error_rate", "latency_p99", "throughput"]
    assert [metric.threshold for metric in watched.metrics] == [0.05, 2.0, None]
    assert watched.metrics[2].change_threshold == 50
    assert (settings.dashboards.output_platform, settings.dashboards.refresh_interval) == ("grafana", 30 * SECOND)
    query = settings.query
    assert (query.default_time_range_ns, query.max_time_range_ns) == (HOUR, 7 * DAY)
    assert (query.max_data_points, query.cache_ttl) == (1000, 60 * SECOND)
    assert settings.correlation.alert_window == 30 * MINUTE
    assert (settings.export.formats, settings.export.retention) == (("json", "csv"), 30 * DAY)


def test_a_secret_store_may_be_named_instead(load: Load) -> None:
    text = EXAMPLE.replace('token: "${PROMETHEUS_TOKEN}"', "token_secret: vault://secret/prometheus/token")
    secret = load(text).settings.platforms["prometheus"].auth.token_secret
    assert secret is not None
    assert secret.get_secret_value() == "vault://secret/prometheus/token"


def test_without_a_file_everything_has_a_default(registry: Registry, tmp_path: Path) -> None:
    loaded = load_settings(None, registry, environ={}, cwd=tmp_path)
    assert loaded.path is None
    assert loaded.settings.query.max_data_points == 1000
    assert dict(loaded.settings.platforms) == {}
    assert dict(loaded.origins) == {}


@pytest.mark.parametrize("text", ["observability: {}", "observability: {platforms: , query: }", below("platforms:")])
def test_sections_may_be_empty(load: Load, text: str) -> None:
    assert load(text).settings == load("observability: {enabled: true}").settings


def test_a_platform_entry_with_everything(load: Load) -> None:
    text = below(
        "platforms:\n  eu-west:\n    type: prometheus\n    enabled: false\n    url: https://prom.example.com/eu/\n"
        "    auth: {user: ann, password: '1'}\n    tenant: team-a|team-b\n    headers: {X-Scope: abc}\n"
        "    verify: /etc/ssl/private.pem\n    timeout: 2.5\n    environment: production\n    rate_limit: 300/h\n"
    )
    entry = load(text).settings.platforms["eu-west"]
    assert (entry.type, entry.enabled, entry.url) == ("prometheus", False, "https://prom.example.com/eu")
    assert (entry.auth.type, entry.auth.user, entry.tenant) == ("basic", "ann", "team-a|team-b")
    assert entry.headers["X-Scope"].get_secret_value() == "abc"
    assert (entry.verify, entry.timeout_seconds) == ("/etc/ssl/private.pem", 2.5)
    assert (entry.environment, entry.rate_limit) == ("production", pytest.approx(1 / 12))
    assert entry.shown_address == entry.url


@pytest.mark.parametrize(
    ("auth", "kind"),
    [
        ("{}", "none"),
        ("{type: none}", "none"),
        ("{token: a}", "bearer"),
        ("{token_secret: vault://a}", "bearer"),
        ("{user: a, password: b}", "basic"),
        ("{name: X-Api-Key, value: b}", "header"),
        ("{type: header, name: X-Api-Key, value: b}", "header"),
    ],
)
def test_the_keys_tell_the_kind_of_credentials(load: Load, auth: str, kind: str) -> None:
    loaded = load(below(f"platforms:\n  prometheus: {{url: 'http://a', auth: {auth}}}"))
    assert loaded.settings.platforms["prometheus"].auth.type == kind


def test_credentials_leave_the_address(load: Load) -> None:
    entry = load(below("platforms:\n  prometheus: {url: 'http://ann:s3cr%21t@prom:9090/x'}")).settings.platforms
    prometheus = entry["prometheus"]
    assert (prometheus.url, prometheus.auth.user) == ("http://prom:9090/x", "ann")
    assert prometheus.auth.password is not None
    assert prometheus.auth.password.get_secret_value() == "s3cr!t"
    assert "s3cr" not in repr(prometheus)


@pytest.mark.parametrize(
    "url",
    ["http://localhost", "https://prom.example.com/a/b", "http://10.0.0.1:9090", "http://[::1]:9090", "http://jörg.de"],
)
def test_addresses(load: Load, url: str) -> None:
    assert load(below(f"platforms:\n  prometheus: {{url: '{url}/'}}")).settings.platforms["prometheus"].url == url


@pytest.mark.parametrize(
    ("written", "verify"), [("true", True), ("false", False), ("'false'", False), ("/ca.pem", "/ca.pem")]
)
def test_verify(load: Load, written: str, verify: bool | str) -> None:
    loaded = load(below(f"platforms:\n  prometheus: {{url: 'http://a', verify: {written}}}"))
    assert loaded.settings.platforms["prometheus"].verify == verify


def test_keys_stay_text_whatever_yaml_makes_of_them(load: Load) -> None:
    platforms = load(below("platforms:\n  on: {type: loki, url: http://a}\n  1: {type: loki, url: http://b}")).settings
    assert list(platforms.platforms) == ["on", "1"]


def test_anchors_and_merges(load: Load) -> None:
    text = below(
        "platforms:\n  a: &base {type: prometheus, url: http://a, tenant: t}\n"
        "  b: {url: http://b, <<: *base}\n  c: {<<: *base}"
    )
    platforms = load(text).settings.platforms
    assert [(entry.url, entry.tenant) for entry in platforms.values()] == [
        ("http://a", "t"),
        ("http://b", "t"),
        ("http://a", "t"),
    ]


# What is wrong, and what is said of it: place, key, value, way out.
PROBLEMS = {
    "unknown section": ("exprt: {}", "obs.yaml:2: exprt: is not a key that is known here\n→ did you mean export?"),
    "unknown key": (
        "query:\n  max_time_rnge: 1d",
        "obs.yaml:3: query.max_time_rnge: is not a key that is known here\n→ did you mean max_time_range or",
    ),
    "no near key": ("correlation: {x: 1}", "→ known are deployment_window, config_change_window, alert_window"),
    "unknown platform": (
        "platforms: {promtheus: {url: 'http://a'}}",
        "obs.yaml:2: platforms.promtheus: there is no platform type 'promtheus', and the entry names no type\n"
        "→ did you mean prometheus?; the types are alertmanager, cloudwatch,",
    ),
    "unknown type": (
        "platforms:\n  a:\n    type: lki",
        "obs.yaml:4: platforms.a.type: there is no platform type 'lki'",
    ),
    "type is a list": ("platforms: {a: {type: [loki]}}", "platforms.a.type: must be text, not a list"),
    "unknown key of a platform": (
        "platforms: {prometheus: {url: 'http://a', timeot: 3s}}",
        "platforms.prometheus.timeot: is not a key that is known here\n→ did you mean timeout?",
    ),
    "unknown key of one adapter": (
        "platforms: {datadog: {api_key: a, app_key: b, sight: c}}",
        "platforms.datadog.sight: is not a key that is known here\n→ did you mean site?",
    ),
    "unknown key of credentials": (
        "platforms: {prometheus: {url: 'http://a', auth: {tokn: hunter22}}}",
        "platforms.prometheus.auth.tokn: is not a key that is known here\n→ did you mean token",
    ),
    "missing": ("platforms: {loki: {}}", "obs.yaml:2: platforms.loki.url: is missing"),
    "missing in nothing": ("platforms:\n  loki:", "obs.yaml:3: platforms.loki.url: is missing"),
    "platforms is a list": ("platforms: [prometheus]", "platforms: must be a mapping of names, not a list"),
    "a platform is text": ("platforms: {loki: hunter22}", "platforms.loki: must be a mapping (url: …), not text"),
    "reserved name": ("platforms: {auto: {type: loki}}", "platforms.auto: is not a name for a platform"),
    "name like an option": ("platforms: {'-x': {type: loki}}", "is not a name for a platform"),
    "a section is text": ("query: soon", "query: must be a mapping (keys with values), not 'soon'"),
    "bool": ("enabled: perhaps", "enabled: must be true or false, not 'perhaps'"),
    "whole number": ("query: {max_data_points: 1.5}", "query.max_data_points: must be a whole number, not 1.5"),
    "too few": ("query: {max_data_points: 1}", "query.max_data_points: must be at least 10, not 1"),
    "too many": ("query: {max_data_points: 10000000}", "must be at most 1000000, not 10000000"),
    "not positive": (
        "anomaly_detection: {metrics: [{name: a, change_threshold: 0}]}",
        "anomaly_detection.metrics[0].change_threshold: must be more than 0, not 0",
    ),
    "not finite": (
        "anomaly_detection: {metrics: [{name: a, threshold: .nan}]}",
        "anomaly_detection.metrics[0].threshold: must be a finite number, not nan",
    ),
    "a metric's key": (
        "anomaly_detection:\n  metrics:\n    - a\n    - {name: b, treshold: 1}",
        "obs.yaml:5: anomaly_detection.metrics[1].treshold: is not a key that is known here\n→ did you mean threshold",
    ),
    "enum": (
        "anomaly_detection: {sensitivity: hig}",
        "anomaly_detection.sensitivity: must be low, medium or high, not 'hig'\n→ did you mean high?",
    ),
    "enum in a list": ("export: {formats: [csv, jsn]}", "export.formats[1]: must be json, csv or parquet, not 'jsn'"),
    "not a list": ("export: {formats: 3}", "export.formats: must be a list, not 3"),
    "list for a number": ("query: {max_data_points: [1]}", "must be a whole number, not a list"),
    "duration": (
        "query: {max_time_range: soon}",
        "must be a duration, not 'soon'\n→ did you mean second?; write for example 30s",
    ),
    "duration without unit": ("query: {cache_ttl: 60}", "must be a duration with its unit, such as 30s or 1h, not 60"),
    "text without unit": ("query: {cache_ttl: '60'}", "must be a duration, not '60'\n→ write 60s or 60m"),
    "duration out of bounds": ("correlation: {alert_window: 31d}", "must be from 1s to 30d, not '31d'"),
    "default over limit": (
        "query: {default_time_range: 8d}",
        "obs.yaml:2: query: default_time_range (8d) is longer than max_time_range (7d)",
    ),
    "number for text": (
        "platforms: {prometheus: {url: 'http://a', tenant: 5}}",
        "platforms.prometheus.tenant: must be text, not 5\n→ put it in quotes",
    ),
    "number for a secret": (
        "platforms: {prometheus: {url: 'http://a', auth: {token: 0123456}}}",
        "platforms.prometheus.auth.token: must be text, not ********\n→ put it in quotes",
    ),
    "nothing but spaces": ("dashboards: {folder: ' '}", "dashboards.folder: must not be empty"),
    "control characters": ('dashboards: {folder: "a\\nb"}', "dashboards.folder: must not hold line breaks"),
    "credentials as text": (
        "platforms: {prometheus: {url: 'http://a', auth: hunter22}}",
        "platforms.prometheus.auth: must be a mapping (keys with values), not ********",
    ),
    "credentials of two kinds": (
        "platforms: {prometheus: {url: 'http://a', auth: {type: basic, user: a, password: b, token: hunter22}}}",
        "platforms.prometheus.auth: token cannot stand with type basic",
    ),
    "credentials in part": (
        "platforms: {prometheus: {url: 'http://a', auth: {type: basic, user: a}}}",
        "platforms.prometheus.auth: type basic needs password",
    ),
    "bearer without token": (
        "platforms: {prometheus: {url: 'http://a', auth: {type: bearer}}}",
        "platforms.prometheus.auth: type bearer needs token or token_secret",
    ),
    "token twice": (
        "platforms: {prometheus: {url: 'http://a', auth: {token: hunter22, token_secret: vault://a}}}",
        "token and token_secret are two ways to say the same",
    ),
    "auth type": (
        "platforms: {prometheus: {url: 'http://a', auth: {type: baerer, token: hunter22}}}",
        "must be none, basic, bearer or header, not 'baerer'\n→ did you mean bearer?",
    ),
    "header's name": (
        "platforms: {prometheus: {url: 'http://a', headers: {'a b': hunter22}}}",
        "platforms.prometheus.headers.a b: is no name for a header",
    ),
    "header's value": (
        "platforms: {prometheus: {url: 'http://a', headers: {a: 1234567}}}",
        "platforms.prometheus.headers.a: must be text, not ********",
    ),
    "verify": ("platforms: {prometheus: {url: 'http://a', verify: 3}}", "must be true, false, or the path of a file"),
    "timeout": ("platforms: {prometheus: {url: 'http://a', timeout: 2h}}", "must be from 100ms to 1h, not '2h'"),
    "timeout true": ("platforms: {prometheus: {url: 'http://a', timeout: true}}", "must be a duration with its unit"),
    "rate": ("platforms: {prometheus: {url: 'http://a', rate_limit: often}}", "text such as 10/s or 300/h"),
    "rate of nothing": ("platforms: {prometheus: {url: 'http://a', rate_limit: 0}}", "must be more than 0"),
    "address without scheme": ("platforms: {prometheus: {url: 'prom:9090'}}", "must begin with http:// or https://"),
    "address without host": ("platforms: {prometheus: {url: 'http://'}}", "must begin with http:// or https://"),
    "address with a bad port": ("platforms: {prometheus: {url: 'http://a:x'}}", "must be an address such as"),
    "address with a query": (
        "platforms: {prometheus: {url: 'http://a?token=hunter22'}}",
        "must not hold a query: a token belongs under auth or headers, where it is kept secret, not 'http://…'",
    ),
    "address with a token": (
        "platforms: {prometheus: {url: 'http://hunter22@a'}}",
        "must not hold a user or a password: they belong under auth, not 'http://…'",
    ),
    "address with a slash in the password": (
        "platforms: {prometheus: {url: 'http://a:hunter22/x@b'}}",
        "must be an address such as http://localhost:9090, not 'http://…'",
    ),
    "address with a slash in the token": (
        "platforms: {prometheus: {url: 'http://hunter22/x@b'}}",
        "must not hold a user or a password: they belong under auth, not 'http://…'",
    ),
    "address with an odd host": ("platforms: {prometheus: {url: 'http://a=b'}}", "and name a host, not 'http://a=b'"),
    "two credentials": (
        "platforms: {prometheus: {url: 'http://a:hunter22@b', auth: {token: hunter22}}}",
        "must not hold a user or a password",
    ),
    "channel": ("anomaly_detection: {notification_channel: alerts}", "must name a kind and a target, such as slack:#"),
    "webhook": (
        "anomaly_detection: {notification_channel: 'https://hooks.slack.com/hunter22'}",
        "not an address (addresses of webhooks are secret), not 'https://…'",
    ),
    "output platform": (
        "dashboards: {output_platform: grafna}",
        "obs.yaml:2: dashboards.output_platform: there is no platform 'grafna'\n→ did you mean grafana?",
    ),
    "site": (
        "platforms: {datadog: {api_key: a, app_key: b, site: 'https://datadoghq.com'}}",
        "must be a host such as datadoghq.com",
    ),
}


@pytest.mark.parametrize(("text", "says"), PROBLEMS.values(), ids=PROBLEMS)
def test_what_is_wrong_is_said_with_its_place_and_the_way_out(fails: Fails, text: str, says: str) -> None:
    message = fails(below(text))
    assert says in message
    assert message.startswith("obs.yaml:")
    assert "hunter22" not in message
    assert len(message.splitlines()) <= 2


def test_all_problems_are_named_at_once_in_the_order_of_the_file(fails: Fails) -> None:
    text = (
        "query: {max_data_points: 1}\nplatforms:\n  lki: {url: http://a}\n  prometheus:\n    url: ftp://a\n"
        "    timeot: 1s\nexprt: 1\n"
    )
    assert fails(below(text)).splitlines() == [
        "5 problems in the configuration",
        "  obs.yaml:2: query.max_data_points: must be at least 10, not 1",
        "  obs.yaml:4: platforms.lki: there is no platform type 'lki', and the entry names no type "
        "(did you mean loki?; the types are alertmanager, cloudwatch, datadog, grafana, jaeger, loki, newrelic, "
        "prometheus, tempo)",
        "  obs.yaml:6: platforms.prometheus.url: must begin with http:// or https:// and name a host, not 'ftp://a'",
        "  obs.yaml:7: platforms.prometheus.timeot: is not a key that is known here (did you mean timeout?)",
        "  obs.yaml:8: exprt: is not a key that is known here (did you mean export?)",
    ]


BROKEN = {
    "empty": ("", "obs.yaml: the configuration file is empty\n→ start it with observability:"),
    "only comments": ("# nothing yet\n", "the configuration file is empty"),
    "empty mapping": ("{}", "obs.yaml: the configuration file holds nothing"),
    "list": ("- a\n- b\n", "obs.yaml:1: the configuration is no mapping but a list"),
    "text": ("hunter22", "obs.yaml:1: the configuration is no mapping but text"),
    "root without content": ("observability:", "obs.yaml:1: observability: holds nothing"),
    "root with a list": ("observability: [1]", "obs.yaml:1: observability: holds no mapping but a list"),
    "root with a number": ("observability: 1", "observability: holds no mapping but a number"),
    "root with a date": ("observability: 2026-11-22", "observability: holds no mapping but a date"),
    "root mistyped": ("a: &x 1\nobservabilty: {}", "obs.yaml:1: a is not a key"),
    "root nearly": ("observabilty: {}", "obs.yaml:1: observabilty is not a key that is known at the top of the file\n"
                    "→ did you mean observability?"),
    "no root": ("platforms: {}", "obs.yaml:1: platforms is not a key that is known at the top of the file\n"
                "→ all settings stand below one key, observability:"),
    "beside the root": ("observability: {}\nother: 1\n", "obs.yaml:2: other is not a key"),
    "not YAML": ("observability:\n  a: [1, hunter22\n", "obs.yaml:3: not valid YAML"),
    "tab": ("observability:\n\ta: 1\n", r"obs.yaml:2: not valid YAML: found character '\t' that cannot"),
    "two documents": ("observability: {}\n---\nobservability: {}\n", "obs.yaml:2: not valid YAML"),
    "unknown alias": ("observability: {a: *hunter22}", "not valid YAML: found undefined alias …"),
    "python tag": (
        "observability: {a: !!python/object/apply:os.system [hunter22]}",
        "obs.yaml:1: a YAML tag (!…) means nothing here",
    ),
    "own tag": ("observability: {a: !hunter22 x}", "not valid YAML: could not determine a constructor for the tag …"),
    "control character": ("observability: {a: \x01}", "obs.yaml: not valid YAML: a character that YAML does not allow"),
    "unquoted variable": ("observability: {url: ${X}}", "not valid YAML"),
    "mapping as a key": ("observability: {{a: 1}: 2}", "obs.yaml:1: a key is no plain text"),
    "key twice": (
        "observability:\n  query: {}\n  export: {}\n  query: {}\n",
        "obs.yaml:4: the key query stands twice, first in line 2\n→ keep one of them: the other would be lost",
    ),
    "deep key twice": (
        "observability:\n  platforms:\n    prometheus: {url: 'http://a', url: 'http://b'}\n",
        "obs.yaml:3: the key url stands twice, first in line 3",
    ),
    "no date": ("observability: {a: 2026-13-45}", "obs.yaml:1: a value that YAML takes for a date or number is none"),
    "not UTF-8": ("observability: {a: Jörg}".encode("latin-1"), "obs.yaml: the configuration file is not UTF-8 text"),
    "too large": (b"#" * (1 << 20) + b"#", "obs.yaml: the configuration file is larger than 1 MiB"),
    "too deep": ("observability: " + "{a: " * 40 + "1" + "}" * 40, "obs.yaml:1: the file says too much"),
    "much too deep": ("[" * 5000, "obs.yaml: the file is nested too deeply"),
    "alias of itself": ("observability: &a {b: *a}", "the file says too much"),
    "merge of itself": ("observability: &a {<<: *a}", "obs.yaml: the file is nested too deeply"),
    "aliases that grow": (
        "observability:\n  a: &a [1,1,1,1,1,1,1,1,1]\n"
        + "\n".join(f"  {b}: &{b} [{','.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
        "the file says too much",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "says"), BROKEN.values(), ids=BROKEN)
def test_a_file_that_cannot_be_read_says_why(fails: Fails, text: str | bytes, says: str) -> None:
    message = fails(text)
    assert says in message
    assert "hunter22" not in message


def test_a_byte_order_mark_does_no_harm(load: Load) -> None:
    assert load(b"\xef\xbb\xbfobservability: {enabled: false}").settings.enabled is False


def test_a_folder_is_no_file(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_settings(tmp_path, registry, environ={})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's configuration directory and home of its own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path


def test_files_are_looked_for_in_order(home: Path, registry: Registry) -> None:
    from platformdirs import user_config_path

    cwd = home / "project"
    places = [
        home / "explicit.yaml",
        home / "variable.yaml",
        cwd / "obs.yaml",
        cwd / ".amplifier/integrations/observability.yaml",
        user_config_path("obs_magics", appauthor=False) / "obs.yaml",
    ]
    for place in places:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("observability: {enabled: true}")
    environ = {"OBS_MAGICS_CONFIG": str(places[1])}
    assert load_settings(places[0], registry, environ=environ, cwd=cwd).path == places[0]
    assert load_settings(None, registry, environ=environ, cwd=cwd).path == places[1]
    for place in places[2:]:
        assert load_settings(None, registry, environ={"OBS_MAGICS_CONFIG": ""}, cwd=cwd).path == place
        place.unlink()
    assert load_settings(None, registry, environ={}, cwd=cwd).path is None


def test_the_working_directory_is_the_process_s_own(
    home: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "obs.yaml").write_text("observability: {enabled: false}")
    monkeypatch.chdir(home)
    assert load_settings(None, registry, environ={}).settings.enabled is False
    assert load_settings("obs.yaml", registry, environ={}).settings.enabled is False


def test_a_tilde_is_the_home(home: Path, registry: Registry) -> None:
    (home / "home").mkdir()
    (home / "home/my.yaml").write_text("observability: {enabled: false}")
    assert load_settings("~/my.yaml", registry, environ={}).settings.enabled is False


@pytest.mark.parametrize(
    ("path", "environ", "says"),
    [
        ("gone.yaml", {}, "there is no configuration file"),
        (None, {"OBS_MAGICS_CONFIG": "gone.yaml"}, "gone.yaml (named by $OBS_MAGICS_CONFIG)"),
        ("~nobody-of-that-name/obs.yaml", {}, "there is no configuration file"),
    ],
)
def test_a_file_that_was_named_has_to_be_there(
    tmp_path: Path, registry: Registry, path: str | None, environ: dict[str, str], says: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(path, registry, environ=environ, cwd=tmp_path)
    assert says in str(caught.value)


def test_variables_stand_above_the_file(load: Load) -> None:
    environ = {
        "OBS_MAGICS__QUERY__MAX_TIME_RANGE": "14d",
        "OBS_MAGICS__EXPORT__FORMATS": "json, parquet",
        "OBS_MAGICS__PLATFORMS__PROMETHEUS__AUTH__TOKEN": "other",
        "OBS_MAGICS__PLATFORMS__TEMPO__URL": "http://tempo:3200",
        "OBS_MAGICS__ANOMALY_DETECTION__METRICS": "a,b",
        "OBS_MAGICS_CONFIG": "not this one",
    }
    settings = load(EXAMPLE, environ).settings
    assert settings.query.max_time_range == 14 * DAY
    assert settings.export.formats == ("json", "parquet")
    assert settings.platforms["tempo"].url == "http://tempo:3200"
    assert [metric.name for metric in settings.anomaly_detection.metrics] == ["a", "b"]
    token = settings.platforms["prometheus"].auth.token
    assert token is not None
    assert token.get_secret_value() == "other"


def test_a_bad_variable_is_named(fails: Fails) -> None:
    message = fails(EXAMPLE, {"OBS_MAGICS__QUERY__MAX_DATA_POINTS": "many"})
    assert message == "$OBS_MAGICS__QUERY__MAX_DATA_POINTS: query.max_data_points: must be a whole number, not 'many'"


def test_a_variable_without_a_file(registry: Registry, tmp_path: Path) -> None:
    environ = {"OBS_MAGICS__NONSENSE": "1"}
    with pytest.raises(ConfigError, match=r"\$OBS_MAGICS__NONSENSE: nonsense: is not a key"):
        load_settings(None, registry, environ=environ, cwd=tmp_path)


def test_settings_cannot_be_changed(load: Load) -> None:
    settings = load(EXAMPLE).settings
    with pytest.raises(ValueError, match="frozen"):
        settings.query.max_data_points = 5  # type: ignore[misc]
    with pytest.raises(TypeError):
        settings.platforms["new"] = settings.platforms["loki"]  # type: ignore[index]
    with pytest.raises(TypeError):
        settings.platforms["loki"].headers["a"] = "b"  # type: ignore[index]


def test_variables_in_texts_are_kept_until_they_are_used(load: Load) -> None:
    text = below("platforms: {prometheus: {url: '${GONE}', tenant: '${GONE}'}, datadog: {api_key: a, app_key: b,"
                 " site: '${SITE}'}}")  # fmt: skip
    assert load(text).settings.platforms["prometheus"].url == "${GONE}"


def test_a_platform_may_be_checked_alone(registry: Mapping[str, Adapter]) -> None:
    settings = platform_settings("prom", {"type": "prometheus", "url": "http://a"}, registry)
    assert isinstance(settings, PlatformSettings)
    with pytest.raises(ConfigError, match=r"^platforms.prom.url: must begin with"):
        platform_settings("prom", {"type": "prometheus", "url": "a"}, registry)


def test_a_duration_prints_as_people_write_it() -> None:
    duration = Duration.of("90m")
    assert (str(duration), repr(duration), duration.seconds) == ("1h30m", "Duration.of('1h30m')", 5400)
    assert duration == 90 * MINUTE


KEYS = st.sampled_from(["platforms", "prometheus", "query", "url", "auth", "metrics", "anomaly_detection", "x", "<<"])
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@given(st.one_of(st.binary(max_size=80), st.text(max_size=80), TREES))
def test_any_file_loads_or_is_refused(
    registry: Registry, tmp_path_factory: pytest.TempPathFactory, content: object
) -> None:
    import yaml

    path = tmp_path_factory.getbasetemp() / f"any-{os.getpid()}.yaml"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        text = content if isinstance(content, str) else yaml.safe_dump({"observability": content})
        path.write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        loaded = load_settings(path, registry, environ={})
    except ObsError as error:
        assert str(path) in str(error)  # noqa: PT017 - both outcomes are right
    else:
        assert loaded.path == path
