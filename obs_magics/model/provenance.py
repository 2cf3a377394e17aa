"""Where a frame comes from: kept as a small JSON-able dict in `frame.attrs["obs"]`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

ATTRIBUTE = "obs"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a frame comes from, and all that a reader has to know about it.

    Times are ISO 8601 in UTC; `step` is in seconds (0 for an instant query); `unit` is UCUM as OpenTelemetry writes it.

    `notes` say what else to know when reading the frame, `truncated` says why the answer is not whole, `failed` names
    sub-queries that did not come, `fingerprint` is the SHA-256 of the canonical request, `digest` that of the canonical
    content. Of logs, `level` is the least severe one that was asked for (empty for all), `total` how many such lines
    the source counted in all (None when it did not), and `volume` its counts over time of every level
    (`model.logs.Volume.to_dict`).
    """

    signal: str
    source: str
    platform: str
    address: str
    question: str
    native_query: str
    translated_by: str = ""
    start: str = ""
    end: str = ""
    step: float = 0.0
    unit: str = ""
    fetched_at: str = ""
    rows: int = 0
    level: str = ""
    total: int | None = None
    volume: Mapping[str, Any] | None = None
    truncated: str = ""
    empty_reason: str = ""
    notes: tuple[str, ...] = field(default=())
    warnings: tuple[str, ...] = field(default=())
    failed: tuple[str, ...] = field(default=())
    link: str = ""
    fingerprint: str = ""
    digest: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Provenance:
        """From what `to_dict` gave; keys of other versions are passed over."""
        known = {item.name for item in fields(cls)}
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data.items() if key in known
        }
        return cls(**values)


_NEEDED = [item.name for item in fields(Provenance) if item.default is MISSING and item.default_factory is MISSING]


def of(frame: pd.DataFrame) -> Provenance | None:
    """The provenance of a frame that a session returned; None for any other, and where somebody else wrote over it."""
    data = frame.attrs.get(ATTRIBUTE)
    if not isinstance(data, dict) or any(name not in data for name in _NEEDED):
        return None
    return Provenance.from_dict(data)


def span_of(origin: Provenance) -> tuple[int, int]:
    """From when to when was asked, in nanoseconds since the epoch, to the microsecond."""
    start, end = (datetime.fromisoformat(text) - _EPOCH for text in (origin.start, origin.end))
    return start // _MICROSECOND * 1000, end // _MICROSECOND * 1000


def fingerprint(request: Mapping[str, Any]) -> str:
    """SHA-256 of a request in canonical JSON (sorted keys, no spaces)."""
    canonical = json.dumps(request, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def content_digest(frame: pd.DataFrame) -> str:
    """SHA-256 over the columns in order of name: equal for equal content, whatever the category codes are.

    NaN equals NaN, and -0.0 equals 0.0. The order of rows counts.
    """
    import numpy as np
    import pandas as pd

    digest = hashlib.sha256()
    for name in sorted(map(str, frame.columns)):
        column = frame[name]
        digest.update(f"\x00{name}\x00{len(column)}\x00".encode())
        if pd.api.types.is_float_dtype(column.dtype):
            values = column.to_numpy(dtype=np.float64) + 0.0
            values[np.isnan(values)] = np.nan
            digest.update(values.tobytes())
        elif isinstance(column.dtype, pd.DatetimeTZDtype) or pd.api.types.is_timedelta64_dtype(column.dtype):
            digest.update(column.astype("int64").to_numpy().tobytes())
        elif _is_list(column.dtype):
            _update_with_lists(digest, column.array.__arrow_array__().combine_chunks())
        else:
            _update_with_texts(digest, column)
    return digest.hexdigest()


def _is_list(dtype: Any) -> bool:
    """Whether this is an Arrow column of lists or maps."""
    import pandas as pd
    import pyarrow as pa

    return isinstance(dtype, pd.ArrowDtype) and (
        pa.types.is_list(dtype.pyarrow_dtype) or pa.types.is_map(dtype.pyarrow_dtype)
    )


def _update_with_lists(digest: Any, array: Any) -> None:
    """How long each list is (-1: missing), then what is in all of them, end to end."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = array.type
    if pa.types.is_map(kind):
        array = array.cast(pa.list_(pa.struct([("key", kind.key_type), ("value", kind.item_type)])))
        kind = array.type
    if pa.types.is_list(kind):
        lengths = pc.fill_null(pc.list_value_length(array), -1)
        digest.update(np.asarray(lengths, dtype=np.int64).tobytes())
        _update_with_lists(digest, array.flatten())
    elif pa.types.is_struct(kind):
        for field in kind:
            digest.update(f"\x00{field.name}\x00".encode())
            _update_with_lists(digest, pc.struct_field(array, field.name))
    elif pa.types.is_timestamp(kind):
        _update_with_lists(digest, array.cast(pa.int64()))
    else:
        texts = pc.fill_null(array.cast(pa.large_string()), "\x00")
        digest.update(np.asarray(pc.binary_length(texts), dtype=np.int64).tobytes())
        digest.update("".join(texts.to_pylist()).encode())


def _update_with_texts(digest: Any, column: pd.Series[Any]) -> None:
    import numpy as np
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        texts = np.asarray([str(value) for value in column.cat.categories], dtype=object)
        codes = column.cat.codes.to_numpy()
    else:
        codes, uniques = pd.factorize(column.map(repr, na_action="ignore"))
        texts = np.asarray([str(value) for value in uniques], dtype=object)
    used = np.unique(codes[codes >= 0])
    order = sorted(used.tolist(), key=lambda code: texts[code])
    rank = np.full(len(texts) + 1, -1, dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    for code in order:
        digest.update(texts[code].encode("utf-8", "surrogatepass") + b"\x00")
    digest.update(rank[codes].tobytes())
