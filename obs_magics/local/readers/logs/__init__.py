"""Log files that people have, recognised by what is in them: a table of formats, the surest first.

Each reader gives back a `Reading` with one table in `logs` and a note that says how the file was read.
"""

from __future__ import annotations

from obs_magics.local.readers.base import LogFormat
from obs_magics.local.readers.logs import documents, envelopes, json_lines, otlp, plain, tables

LOG_FORMATS: tuple[LogFormat, ...] = (
    LogFormat("Parquet with log lines", tables.is_parquet_log, tables.read_parquet_log),
    LogFormat("OTLP JSON logs", lambda file, _: otlp.looks_right(file), otlp.read),
    LogFormat(
        "answers of Loki, CloudWatch, Elasticsearch, Datadog",
        lambda file, _: documents.looks_right(file),
        documents.read,
    ),
    LogFormat("JSON Lines logs", json_lines.looks_right, json_lines.read),
    LogFormat("CSV with log lines", tables.is_csv_log, tables.read_csv_log),
    LogFormat("plain text logs", lambda file, _: plain.looks_right(file), envelopes.read),
)
