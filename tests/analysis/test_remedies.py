"""Remedies: what was found leads to what helps, and every message that has advice has a remedy or a reason."""

from __future__ import annotations

import pytest

from obs_magics.analysis.advice import RULES
from obs_magics.analysis.remedies import REMEDIES, remedies

FOUND = [
    ("redis pool: max connections 100 → 20", "pool_exhausted"),
    ("Connection pool exhausted", "pool_exhausted"),
    ("Migration 0042 drops index inventory_sku_idx", "missing_index"),
    ("pg_stat_user_tables_seq_tup_read", "missing_index"),
    ("N+1: 12 queries per request", "n_plus_one"),
    ("search-service: container killed (OOMKilled)", "out_of_memory"),
    ("node_filesystem_avail_bytes of node-3", "disk_full"),
    ("retries of payment-api 3×", "retry_storm"),
    ("cache TTL 3600 → 5", "cache"),
    ("x509: certificate has expired", "certificate"),
    ("getaddrinfo ENOTFOUND redis-master", "name_resolution"),
    ("lookup smtp.mailprovider.example on 10.96.0.10:53: i/o timeout", "name_resolution"),
    ("DynamoDB: write capacity units exceeded", "quota"),
    ("JWT validation rejects the new issuer", "not_authorised"),
    ("container_cpu_usage_seconds_total", "cpu"),
    ("canceling statement due to lock timeout", "lock"),
    ('relation "dashboards" does not exist', "schema"),
    ("panic: runtime error", "defect"),
    ("payment provider reports an outage", "provider"),
    ("network latency between checkout and payment", "network"),
    ("Flag new-cart-banner: 10 % → 50 %", "feature_flag"),
    ('Campaign "Early Black Friday" starts', "traffic"),
    ("log level of api-gateway set in config", "bad_config"),
    ("checkout-api@v1.9.0", None),
    ("deploy of v2.4.1", "deployment"),
]


@pytest.mark.parametrize(("text", "key"), FOUND)
def test_a_finding_leads_to_its_remedy(text: str, key: str | None) -> None:
    assert [one.remedy.key for one in remedies([text])] == ([key] if key else [])


def test_each_remedy_is_reached_by_a_finding_and_says_what_to_do() -> None:
    assert {key for _, key in FOUND if key} == {remedy.key for remedy in REMEDIES}
    assert len({remedy.key for remedy in REMEDIES}) == len(REMEDIES)
    for remedy in REMEDIES:
        assert remedy.now
        assert all(remedy.prevent)


def test_keys_of_advice_are_keys_of_remedies_where_both_know_the_trouble() -> None:
    shared = {rule.key for rule in RULES} & {remedy.key for remedy in REMEDIES}
    assert {"pool_exhausted", "out_of_memory", "disk_full", "certificate", "name_resolution", "defect"} <= shared


def test_the_weightiest_comes_first_once_and_at_most_as_many_as_asked_for() -> None:
    found = ["redis pool 100 → 20", "Connection pool exhausted", "OOMKilled", "deploy of v2", "traffic 1.4×"]
    assert [(one.remedy.key, one.because) for one in remedies(found)] == [
        ("pool_exhausted", "redis pool 100 → 20"),
        ("out_of_memory", "OOMKilled"),
        ("deployment", "deploy of v2"),
    ]
    assert remedies([]) == []


def test_error_lines_do_not_tell_of_changes() -> None:
    lines = ["Connection timeout after 30 s", "no such version", "Connection pool exhausted"]
    assert [one.remedy.key for one in remedies([], lines=lines)] == ["pool_exhausted"]
    assert [one.remedy.key for one in remedies(["checkout had 1.4 times as many requests"])] == ["traffic"]
