"""The level of a line by its text: lines as programs write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.analysis.loglines import infer_levels, level_code
from obs_magics.model.logs import LEVELS

# Level (a dash for none that can be told) and line.
LINES = (
    ('error', '2026-11-22 14:00:00,123 ERROR [main] c.f.Bar - msg'),
    ('info', '2026-11-22 14:00:00,123 - root - INFO - msg'),
    ('error', 'ERROR:root:msg'),
    ('warn', 'WARNING:django.request:Not Found: /x'),
    ('info', '2026-11-22 14:00:00.123  INFO 12345 --- [main] c.e.Foo : Started'),
    ('error', '2026-11-22T14:00:00.123Z\tERROR\tfile.go:12\tmsg'),
    ('info', '2026-11-22T14:00:00.123Z\tinfo\tads\tADS: new connection'),
    ('error', '2:00PM ERR msg'),
    ('info', '2026-11-22T14:00:00Z INF Starting up'),
    ('error', 'ERRO[0001] cannot connect'),
    ('info', 'INFO[0000] ok'),
    ('error', '2026/11/22 14:00:00 [error] 12#12: *1 open() failed, client: 1.2.3.4'),
    ('error', '[Sun Nov 22 14:00:00.123456 2026] [core:error] [pid 1234:tid 5678] [client 1.2.3.4:55] AH00037'),
    ('info', '[Sun Nov 22 14:00:00.123456 2026] [mpm_prefork:notice] [pid 1] AH00163'),
    ('error', 'E, [2026-11-22T14:00:00.123456 #123] ERROR -- prog: msg'),
    ('info', 'I, [2026-11-22T14:00:00.123456 #123]  INFO -- : msg'),
    ('warn', '[22-Nov-2026 14:00:00] WARNING: [pool www] child 12 exited'),
    ('fatal', '[22-Nov-2026 14:00:00 UTC] PHP Fatal error:  Uncaught Exception: x in /a.php:12'),
    ('warn', 'PHP Warning:  foo in /x.php on line 3'),
    ('warn', '2026-11-22T14:00:00.123456Z 0 [Warning] [MY-010055] [Server] IP address'),
    ('info', '2026-11-22T14:00:00.123456Z 0 [System] [MY-010116] [Server] starting'),
    ('info', '2026-11-22T14:00:00.000+0000 I NETWORK  [conn1] end connection'),
    ('error', '2026-11-22T14:00:00.000+0000 E STORAGE  [conn1] error: x'),
    ('info', '[2026-11-22T14:00:00,123][INFO ][o.e.n.Node] [node] error: none'),
    ('info', '[2026-11-22 14:00:00,123] INFO [KafkaServer id=0] started (kafka.server.KafkaServer)'),
    ('warn', 'WARN  [main] 2026-11-22 14:00:00,123 File.java:12 - msg'),
    ('info', '2026-11-22T14:00:00.000Z [INFO]  agent: Synced'),
    ('info', '[INFO] 10.0.0.1:1234 - 2 "A IN x. udp 41 false 512" NOERROR qr 0.1s'),
    ('error', '22-Nov-2026 14:00:00.123 SEVERE [main] org.apache.catalina.core'),
    ('error', 'Nov 22, 2026 2:00:00 PM com.foo.Bar method\nSEVERE: broken'),
    ('error', 'fail: Microsoft.AspNetCore.Server[0]\n      An unhandled exception'),
    ('info', 'info: Microsoft.Hosting.Lifetime[14]'),
    ('fatal', 'crit: Foo.Bar[0]'),
    ('info', '[2026-11-22 14:00:00,123: INFO/MainProcess] Task x succeeded'),
    ('warn', '[2026-11-22 14:00:00,123: WARNING/ForkPoolWorker-1] x'),
    ('info', '[2026-11-22 14:00:00 +0000] [123] [INFO] Starting gunicorn'),
    ('error', '[22/Nov/2026 14:00:00] ERROR [django.request:123] msg'),
    ('info', '2026-11-22T14:00:00.123Z pid=123 tid=abc class=Foo jid=1a INFO: start'),
    ('info', '[2026-11-22 14:00:00.123][1][info][main] [source/server/server.cc:1] msg'),
    ('info', '[2026-11-22, 14:00:00 UTC] {taskinstance.py:123} INFO - msg'),
    ('error', '2026-11-22T14:00:00.000Z [ERROR] core: x'),
    ('warn', '2026-11-22 14:00:00 +0000 [warn]: #0 msg'),
    ('error', '[2026/11/22 14:00:00] [error] [output:es:es.0] x'),
    ('warn', '[2026-11-22T14:00:00,1][WARN ][logstash.outputs] x'),
    ('error', '[2026-11-22T14:00:00Z ERROR my_crate] msg'),
    ('info', '[     0.001s]  INFO ThreadId(01) linkerd2_proxy: x'),
    ('error', '14:00:00,123 ERROR [org.jboss.as] (MSC service thread 1-2) x'),
    ('info', '2026-11-22 14:00:00.123+0000 [id=1]\tINFO\thudson.Main: x'),
    ('error', '2026-11-22T14:00:00.123Z\t6bc28136-xmpl-4365-b021-0ce6b2e64ab0\tERROR\tmsg'),
    ('error', '[ERROR] 2026-11-22T14:00:00.123Z 6bc28136 msg'),
    ('error', "[ERROR] KeyError: 'x'\nTraceback (most recent call last):"),
    ('error', 'Traceback (most recent call last):'),
    ('error', 'Exception in thread "main" java.lang.NullPointerException'),
    ('error', 'java.lang.NullPointerException: x'),
    ('error', 'TypeError: x is not a function'),
    ('error', 'Error: connect ECONNREFUSED'),
    ('fatal', 'panic: runtime error: index out of range'),
    ('error', 'npm ERR! code ELIFECYCLE'),
    ('info', '2026-11-22 14:00:00.123 UTC [1234] LOG:  checkpoint starting'),
    ('error', '2026-11-22 14:00:00.123 UTC [1234] user@db ERROR:  relation "x" does not exist'),
    ('fatal', '2026-11-22 14:00:00.123 UTC [1234] [unknown]@[unknown] FATAL:  password'),
    ('info', '2026-11-22 14:00:00.123 UTC [1234] DETAIL:  x'),
    ('info', '1:M 22 Nov 2026 14:00:00.123 * Ready to accept connections'),
    ('warn', '1:M 22 Nov 2026 14:00:00.123 # WARNING overcommit_memory'),
    ('debug', '1:M 22 Nov 2026 14:00:00.123 - Accepted 1.2.3.4'),
    ('error', 'E0312 14:00:00.123456       1 reflector.go:138] pkg: Failed'),
    ('info', 'I0312 14:00:00.123456       1 x.go:1] error: no'),
    ('error', '11-22 14:00:00.123  1234  5678 E AndroidRuntime: FATAL EXCEPTION: main'),
    ('debug', 'D/Tag( 123): error: x'),
    ('trace', 'V/ActivityManager(  123): x'),
    ('-', 'Jun 14 15:16:01 combo sshd(pam_unix)[19939]: authentication failure; logname= uid=0'),
    ('error', 'Jun 14 15:16:01 combo sshd[19939]: error: PAM: x'),
    ('info', 'Nov 22 14:00:00 host NetworkManager[123]: <info>  [1616.1] dhcp4'),
    ('info', '<30>Nov 22 14:00:00 host prog[1]: hello there'),
    ('error', '<27>1 2026-11-22T14:00:00Z host prog 1 - - hello there'),
    ('info', '10.0.0.1 - - [22/Nov/2026:14:00:00 +0000] "GET / HTTP/1.1" 200 123 "-" "curl"'),
    ('warn', '10.0.0.1 - bob [22/Nov/2026:14:00:00 +0000] "GET /error HTTP/1.1" 404 123'),
    ('error', '10.0.0.1 - - [22/Nov/2026:14:00:00 +0000] "POST /a\\"b HTTP/2.0" 503 123 "-" "curl"'),
    ('error', '[2026-11-22T14:00:00.000Z] "GET /x HTTP/1.1" 503 UF 0 91 '),
    ('info', 'INFO:     127.0.0.1:1234 - "GET / HTTP/1.1" 500 Internal Server Error'),
    ('error', 'https 2026-11-22T14:00:00.1Z app/lb/1 1.2.3.4:1 10.0.0.1:80 0 1 0 502 502 1 1 "GET https://x HTTP/1.1"'),
    ('-', '0 errors found'),
    ('-', 'error_count=0 all good'),
    ('-', 'Processed 12 records with 0 errors'),
    ('-', 'no error occurred'),
    ('-', 'errors: 0'),
    ('info', '2026-11-22 14:00:00 INFO no error, 0 errors, ERROR: none'),
    ('-', 'Retrying after ERROR from upstream'),
    ('-', 'The [error] was handled'),
    ('info', '2016-09-28 04:30:30, Info                  CBS    Loaded Servicing Stack'),
    ('info', '081109 203518 143 INFO dfs.DataNode$DataXceiver: Receiving block'),
    ('info', '2017-05-16 00:00:00.008 25746 INFO nova.osapi_compute.wsgi.server [req-1] x'),
    ('info', 'nova-api.log.1.2017-05-16_13:53:08 2017-05-16 00:00:00.008 25746 INFO nova.osapi x'),
    ('fatal', '- 1117838570 2005.06.03 R02-M1-N0-C:J12-U11 2005-06-03-15.42.50.363779 R02-M1 RAS KERNEL FATAL'),
    ('info', '17/06/09 20:10:40 INFO executor.CoarseGrainedExecutorBackend: Registered'),
    ('warn', '2015-07-29 19:04:12,394 - WARN  [SendWorker:188978561024:QuorumCnxManager$SendWorker@679] - Interrupted'),
    ('info', '2026-11-22 14:00:00.123 | INFO     | __main__:<module>:1 - msg'),
    ('info', '2026-11-22 14:00:00.1234|INFO|Logger|msg'),
    ('error', '[14:00:00 ERR] msg'),
    ('error', '[2026-11-22T14:00:00.123456+00:00] app.ERROR: message {"ctx":1} []'),
    ('error', '[2026-11-22 14:00:00] production.ERROR: msg'),
    ('error', '2026.11.22 14:00:00.123456 [ 123 ] {abc-def} <Error> executeQuery: Code: 60'),
    ('info', '2026-11-22 14:00:00.123 [info] <0.123.0> started'),
    ('info', '14:00:00.123 request_id=abc [info] GET /'),
    ('info', '22-Nov-2026 14:00:00.123 queries: info: client x'),
    ('error', '2026-11-22 14:00:00.12 spid51      Error: 18456, Severity: 14, State: 8.'),
    ('info', '2026-11-22 14:00:00,123 fail2ban.filter         [123]: INFO    [sshd] Found 1.2.3.4'),
    ('info', '[2026/11/22 14:00:00.000 +00:00] [INFO] [x.go:12] ["msg"]'),
    ('info', 'I261122 14:00:00.123456 1 server/x.go:12 ⋮ [n1] msg'),
    ('error', 'payment-api-1  | 2026-11-22 14:00:00 ERROR boom'),
    ('-', 'Deployment finished'),
    ('-', ''),
    ('-', 'just some text: with a colon'),
    ('-', '-----BEGIN CERTIFICATE-----'),
    ('warn', '2026-11-22 14:00:00 [main] WARN  x - y'),
    ('info', '2026-11-22T14:00:00.000Z info: winston says hi'),
    ('-', 'systemd[1]: Failed to start foo.service.'),
    ('warn', '/usr/x.py:12: UserWarning: msg'),
    ('-', 'Information about error handling'),
    ('-', 'Debugging error handler started'),
    ('error', '[error] something'),
    ('info', '[main] INFO com.foo.Bar - x'),
    ('trace', 'TRACE x'),
    ('fatal', 'FATAL: terminating'),
    ('-', 'fatal flaw in logic'),
)  # fmt: skip

MORE_BODIES = (
    ("info", "level=info msg=\"set level=debug\""),
    ("-", "ts=1 msg=\"set level=debug\""),
    ("info", "ts=1 level=INFO msg=\"ERROR: x\""),
    ("error", "at=error code=H12 desc=\"Request timeout\" method=GET path=\"/\" status=503"),
    ("warn", "time=\"2026-11-22T14:00:00Z\" level=warning msg=slow component=tsdb"),
    ("info", "lvl=info"),
    ("-", "counting a=1 and b=2"),
    ("error", "Nov 22 14:00:00 host prog[1]: level=error msg=x code=1"),
    ("error", '{"level":"error","msg":"x"}'),
    ("error", '{"msg":"{\\"level\\":\\"info\\"}","severity":"ERROR"}'),
    ("-", '{"request":{"level":"error"}}'),
    ("-", '{"level":{"a":1},"msg":"x"}'),
    ("-", '{"level":true}'),
    ("warn", '{"level":40,"time":1,"pid":1,"hostname":"h","msg":"pino"}'),
    ("fatal", '{"level":60}'),
    ("error", '{"level":3,"short_message":"GELF"}'),
    ("-", '{"level":0,"v":0,"msg":"logr"}'),
    ("error", '{"levelno":40,"message":"python"}'),
    ("error", '{"severityNumber":17}'),
    ("-", '{"severityNumber":99}'),
    ("-", '{"levelno":1}'),
    ("error", '{"PRIORITY":"3","MESSAGE":"x"}'),
    ("warn", '{"log.level":"WARN","message":"ECS"}'),
    ("warn", '{"log":{"level":"warn","logger":"x"},"message":"ECS"}'),
    ("warn", '{"fields":{"severity":"warning"},"message":"x"}'),
    ("warn", '{"@t":"2026-11-22T14:00:00Z","@l":"Warning","@mt":"x"}'),
    ("debug", '{"t":{"$date":"2026-11-22T14:00:00Z"},"s":"D1","c":"NETWORK","msg":"x"}'),
    ("-", '{"s":"E"}'),
    ("error", '{"log":"2026-11-22 14:00:00 ERROR boom","stream":"stdout"}'),
    ("info", '{"level":"so-so","message":"INFO: fine"}'),
    ("error", '{"level":"error","msg":"cut o'),
    ("-", '{"msg":"cut o'),
    ("error", '{"severity":"error","msg":"half a pair \\ud800"}'),
    ("error", ' {"level":"error"}'),
    ("-", "{}"),
    ("-", "{not json}"),
    ("warn", "\x00\x00 [warn] NULs"),
    ("error", "[error] " + "x" * 20_000),
)  # fmt: skip


def _named(code: int) -> str:
    return "-" if code < 0 else LEVELS[code]


@pytest.mark.parametrize(("level", "line"), [*LINES, *MORE_BODIES], ids=lambda value: value[:60])
def test_the_level_of_a_line(level: str, line: str) -> None:
    assert _named(infer_levels(pa.array([line]))[0]) == level


def test_lines_of_many_programs_at_once_tell_the_same_as_one_by_one() -> None:
    levels, lines = zip(*LINES, *MORE_BODIES, strict=True)
    chunked = pa.chunked_array([pa.array(lines[:70]), pa.array(lines[70:])])
    for messages in (pa.array(lines), pa.array(lines, pa.large_string()), chunked):
        assert tuple(map(_named, infer_levels(messages))) == levels


def test_no_lines_and_no_text() -> None:
    assert infer_levels(pa.array([], pa.string())).tolist() == []
    assert infer_levels(pa.array([None, ""])).tolist() == [-1, -1]


@pytest.mark.parametrize(
    ("text", "name", "level"),
    [
        ("INFORMATION", "level", "info"), ("Info", "level", "info"), ("I", "lvl", "info"), ("notice", "level", "info"),
        ("Warning", "level", "warn"), ("W", "level", "warn"), ("ERR", "level", "error"), ("E", "level", "error"),
        ("severe", "level", "error"), ("CRIT", "level", "fatal"), ("panic", "level", "fatal"),
        ("emerg", "level", "fatal"), ("ALERT", "level", "fatal"), ("verbose", "level", "trace"),
        ("finest", "level", "trace"), ("FINE", "level", "debug"), (" [error] ", "level", "error"),
        ("30", "level", "info"), ("30.0", "level", "info"), ("3", "level", "error"), ("0", "level", "-"),
        ("99", "level", "-"), ("30", "levelno", "warn"), ("17", "severity_number", "error"),
        ("0", "severityNumber", "-"), ("30", "priority", "info"), ("3", "PRIORITY", "error"),
        ("", "level", "-"), ("unknown", "detected_level", "-"), (None, "level", "-"),
        ("x" * 100, "level", "-"), ("²", "level", "-"),
    ],
)  # fmt: skip
def test_words_and_numbers_for_levels(text: str | None, name: str, level: str) -> None:
    assert _named(level_code(text, name)) == level


@pytest.mark.contract
def test_levels_of_real_systems_are_never_told_wrong_and_nearly_always_told(shared: Path) -> None:
    table = pq.read_table(shared / "data/logs/lines.parquet")
    found = infer_levels(table["raw"])
    # Linux' syslog has its host where others have the level, and names levels in some of its texts
    named = ~np.isin(table["system"].to_pylist(), ["Linux", "HealthApp", "Proxifier"])
    expected = np.array([level_code(level) for level in table["level"].to_pylist()])
    assert named.sum() == 10_000
    assert not (named & (found >= 0) & (found != expected)).any()
    assert (found[named] >= 0).mean() >= 0.99


@given(st.lists(st.text(max_size=60) | st.sampled_from([line for _, line in LINES]), max_size=20))
def test_any_text_has_a_level_or_none_whatever_stands_beside_it(lines: list[str]) -> None:
    clean = [line.encode("utf-8", "replace").decode() for line in lines]
    codes = infer_levels(pa.array(clean, pa.string()))
    assert codes.dtype == np.int8
    assert codes.tolist() == infer_levels(pa.array([*clean, "x", *clean][::-1]))[::-1][: len(clean)].tolist()
    assert ((codes >= -1) & (codes < len(LEVELS))).all()
