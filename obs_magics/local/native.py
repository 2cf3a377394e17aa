"""The native layout: what lies in a folder of ours, how it is written, and what its manifest promises.

::

    manifest.json            format, version, title, now, zone, scrape interval, tables, digests of the files
    metrics/series.parquet   one row per series:  series int32 · metric string · labels map<string, string>
                             · samples int64 · first_ms int64 · last_ms int64
    metrics/samples.parquet  one row per sample:  series int32 · timestamp_ms int64 · value double
                             · histogram struct (only when there are native histograms)
    metrics/metadata.parquet one row per metric:  metric · type · unit · help
    logs.parquet, spans.parquet, events.parquet   frames in the shapes of `model.frames` (optional)

Series are numbered in the order of `labels.sort_key` (metric, service, job, namespace, then all labels), samples are
sorted by series and time: a question for one metric of one service reads one stretch of the file. Stale markers are
kept as the very NaN that Prometheus writes (0x7ff0000000000002). Files are compressed with zstd.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from obs_magics.local.block import Block
from obs_magics.model.errors import BadAnswer
from obs_magics.model.frames import METRIC_NAME_LABEL

MANIFEST = "manifest.json"
SERIES = "metrics/series.parquet"
SAMPLES = "metrics/samples.parquet"
METADATA = "metrics/metadata.parquet"
FORMAT = "obs_magics folder"
VERSION = 1

# Small enough that one service of one metric reads little, large enough to scan well (DuckDB's own default).
_ROW_GROUP = 122_880
# A third of the size of the defaults, and faster both ways.
_SAMPLE_ENCODINGS = {"timestamp_ms": "DELTA_BINARY_PACKED", "value": "BYTE_STREAM_SPLIT"}


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a native folder says of itself.

    Args:
        format: Always `FORMAT`.
        version: Of the layout; this code reads `VERSION`.
        title: For people.
        address: What stands in provenance instead of the path, so that the same content answers the same everywhere.
        now: ISO 8601; the folder's own now. Empty: the time of its last sample.
        zone: IANA name of the zone its people live in.
        scrape_interval_seconds: Usual distance between samples.
        note: A sentence for whoever opens it.
        tables: Name to file, of the tables beside the metrics: logs, spans, events.
        digests: SHA-256 of each file, by its path.
    """

    format: str
    version: int
    title: str = ""
    address: str = ""
    now: str = ""
    zone: str = "UTC"
    scrape_interval_seconds: float = 15.0
    note: str = ""
    tables: dict[str, str] = {}
    digests: dict[str, str] = {}


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a native folder; None when the folder is not one.

    Raises:
        BadAnswer: There is a manifest of ours, damaged or of a version to come.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return None
    body = path.read_bytes()
    try:
        kind = msgspec.json.decode(body)
    except msgspec.DecodeError as problem:
        raise BadAnswer(f"{MANIFEST} is damaged: {problem}", where=str(folder)) from problem
    if not isinstance(kind, dict) or kind.get("format") != FORMAT:
        return None  # somebody else's manifest.json: the folder is read like any other
    try:
        manifest = msgspec.json.decode(body, type=Manifest)
    except msgspec.DecodeError as problem:
        raise BadAnswer(f"{MANIFEST} is damaged: {problem}", where=str(folder)) from problem
    if manifest.version > VERSION:
        raise BadAnswer(
            f"the folder has layout version {manifest.version}, this program reads up to {VERSION}",
            where=str(folder),
            hint="update obs-magics",
        )
    return manifest


def address_of(folder: Path) -> str:
    """What a native folder wants to be called; empty when it says nothing, cannot be read, or is not one."""
    try:
        manifest = read_manifest(folder)
    except (BadAnswer, OSError):
        return ""  # said when the folder is opened
    return manifest.address if manifest else ""


def damage(folder: Path, manifest: Manifest) -> str:
    """What is wrong with the files of a native folder, in a sentence; empty when they are as they were written."""
    for name, digest in manifest.digests.items():
        path = folder / name
        if not path.is_file():
            return f"{name} is missing"
        if _digest(path) != digest:
            return f"{name} is not as it was written"
    return ""


def write_folder(folder: Path, block: Block, manifest: Manifest, tables: Mapping[str, pa.Table] | None = None) -> None:
    """Write a native folder; the manifest comes last, so that a folder with one is whole.

    Args:
        folder: Made when it is not there; files of the same names are replaced.
        block: The metrics.
        manifest: `tables` and `digests` are filled in here.
        tables: More tables by name (logs, spans, events).
    """
    (folder / SERIES).parent.mkdir(parents=True, exist_ok=True)
    _write(folder / SERIES, series_table(block))
    _write(folder / SAMPLES, _samples_table(block), _SAMPLE_ENCODINGS)
    _write(folder / METADATA, _metadata_table(block))
    files = {}
    for name, table in (tables or {}).items():
        files[name] = f"{name}.parquet"
        _write(folder / files[name], table)
    written = [SERIES, SAMPLES, METADATA, *files.values()]
    whole = msgspec.structs.replace(
        manifest, tables=files, digests={name: _digest(folder / name) for name in sorted(written)}
    )
    (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n")


def series_table(block: Block) -> pa.Table:
    """One row per series, as in `metrics/series.parquet`."""
    counts = np.diff(block.offsets)
    filled = counts > 0
    first, last = np.zeros(len(counts), np.int64), np.full(len(counts), -1, np.int64)
    first[filled] = block.timestamps_ms[block.offsets[:-1][filled]]
    last[filled] = block.timestamps_ms[block.offsets[1:][filled] - 1]
    return pa.table(
        {
            "series": pa.array(np.arange(len(counts), dtype=np.int32)),
            "metric": pa.array([labels.get(METRIC_NAME_LABEL) for labels in block.labels], pa.string()),
            "labels": pa.array([list(labels.items()) for labels in block.labels], pa.map_(pa.string(), pa.string())),
            "samples": pa.array(counts),
            "first_ms": pa.array(first),
            "last_ms": pa.array(last),
        }
    )


def _samples_table(block: Block) -> pa.Table:
    counts = np.diff(block.offsets)
    columns = {
        "series": pa.array(np.repeat(np.arange(len(counts), dtype=np.int32), counts)),
        "timestamp_ms": pa.array(block.timestamps_ms),
        "value": pa.array(block.values),
    }
    if block.histograms is not None:
        columns["histogram"] = block.histograms
    return pa.table(columns)


def _metadata_table(block: Block) -> pa.Table:
    infos = [block.metadata[name] for name in sorted(block.metadata)]
    return pa.table(
        {
            "metric": pa.array([info.name for info in infos], pa.string()),
            "type": pa.array([info.type for info in infos], pa.string()),
            "unit": pa.array([info.unit for info in infos], pa.string()),
            "help": pa.array([info.help for info in infos], pa.string()),
        }
    )


def _write(path: Path, table: pa.Table, encodings: Mapping[str, str] | None = None) -> None:
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=3,
        row_group_size=_ROW_GROUP,
        use_dictionary=encodings is None,
        column_encoding=None if encodings is None else dict(encodings),
        # not of the values: statistics leave NaN out, and a reader that believes them passes over it
        write_statistics=True if encodings is None else ["series", "timestamp_ms"],
    )


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
