"""Columns of text: which records are worth a look (vectorised), each different one looked at once, in blocks.

Also private keys that were logged line by line: their lines are recognised only by the line that stands before them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.security.redact.credentials import PEM_BEGIN, PEM_END, PRIVATE_KEY
from obs_magics.security.redact.rule import END, MARK

Array = np.ndarray[Any, Any]
Column = Any
"""A `pa.Array` or `pa.ChunkedArray`."""


class Engine(Protocol):
    """What redacts blocks of records and keeps count."""

    sieves: tuple[str, ...]
    """RE2 expressions; a record that none of them matches has nothing to hide."""

    def block(self, block: bytes, times: Array) -> list[bytes]:
        """Redact records with `END` between them; `times` says how often each of them stands for something."""
        ...

    def whole(self, kind: str, value: bytes, times: int) -> bytes:
        """The pseudonym of a value that goes as a whole."""
        ...


_BLOCK_BYTES = 4 << 20
_BEGINS = rf"{PEM_BEGIN}\s*(?:[A-Za-z-]+: .*)?\z"
_ENDS = re.compile(PEM_END)
_LINE = re.compile(r"\s*(?P<hide>[A-Za-z0-9+/]{16,76}={0,2}|[A-Za-z0-9+/]{1,76}={1,2})\s*")
_MOST_LINES = 400
_SMALL = 1000
_MANY = 0.1


def redact_column(values: Column, engine: Engine, *, lead: str = "") -> Column:
    """As `redact_arrow`; the records are in order, so that private keys are found whose lines are records."""
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        values = redact_key_lines(values, engine)
    return redact_arrow(values, engine, lead=lead)


def redact_arrow(values: Column, engine: Engine, *, times: Array | None = None, lead: str = "") -> Column:
    """Text without what has to go, of the same type and with the same nulls; what is no text comes back as it is.

    Args:
        values: Strings of any Arrow type, dictionaries or lists of them.
        engine: What redacts.
        times: How often each value stands for something (rows of a category); None for once.
        lead: What every value is read after: `phone=` for a column of that name.
    """
    if isinstance(values, pa.ChunkedArray):
        chunks = [redact_arrow(chunk, engine, lead=lead) for chunk in values.chunks]
        return pa.chunked_array(chunks, values.type)
    kind = values.type
    if pa.types.is_dictionary(kind):
        often = np.bincount(values.indices.drop_null().to_numpy(), minlength=len(values.dictionary))
        safe = redact_arrow(values.dictionary, engine, times=often, lead=lead)
        return pa.DictionaryArray.from_arrays(values.indices, safe, ordered=kind.ordered)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        sizes = pc.fill_null(pc.list_value_length(values), 0).to_numpy()
        offsets = pa.array(
            np.concatenate([[0], np.cumsum(sizes)]), pa.int64() if pa.types.is_large_list(kind) else pa.int32()
        )
        inner = redact_arrow(pc.list_flatten(values), engine)
        return type(values).from_arrays(offsets, inner, type=kind, mask=values.is_null())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return _strings(values, engine, times, lead)
    return values


def _strings(values: Column, engine: Engine, times: Array | None, lead: str) -> Column:
    text = values.cast(pa.large_string())
    if lead:
        text = pc.binary_join_element_wise(pa.scalar(lead, pa.large_string()), text, pa.scalar("", pa.large_string()))
    chosen = _worth_a_look(text, engine)
    rows = np.flatnonzero(chosen)
    if not len(rows):
        return values
    different = text.take(pa.array(rows)).dictionary_encode()
    codes = different.indices.to_numpy()
    often = np.bincount(codes, weights=None if times is None else times[rows], minlength=len(different.dictionary))
    records = different.dictionary.cast(pa.large_binary()).to_pylist()
    safe = pa.array(redact_records(records, engine, often.astype(np.int64)), pa.large_binary())
    replaced = pc.replace_with_mask(text, pa.array(chosen), safe.cast(pa.large_string()).take(different.indices))
    if lead:
        replaced = pc.utf8_slice_codeunits(replaced, len(lead))
    return replaced.cast(values.type)


def _worth_a_look(text: Column, engine: Engine) -> Array:
    chosen = np.asarray(text.is_valid().to_numpy(zero_copy_only=False))
    if len(text) < _SMALL:  # making the automata would take longer than looking at all
        return chosen
    left, found = np.arange(len(text)), np.zeros(len(text), np.bool_)
    for sieve in engine.sieves:
        hits = _true(pc.match_substring_regex(text, sieve))
        found[left[hits]] = True
        if hits.sum() > _MANY * len(hits):  # to look at the others only is worth the copy
            text, left = text.filter(pa.array(~hits)), left[~hits]
    return chosen & found


def redact_records(records: Sequence[bytes], engine: Engine, times: Array) -> list[bytes]:
    """Records (UTF-8) without what has to go, in the same order."""
    safe: list[bytes] = []
    for first, last in _blocks(records):
        block = END.join(records[first:last])
        if MARK in block or block.count(END) >= last - first:
            block = END.join(map(_clean, records[first:last]))
        safe += engine.block(block, times[first:last])
    return safe


def _blocks(records: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    """Stretches of records that are some megabytes together."""
    first, size = 0, 0
    for place, record in enumerate(records):
        size += len(record)
        if size >= _BLOCK_BYTES:
            yield first, place + 1
            first, size = place + 1, 0
    if first < len(records):
        yield first, len(records)


def _clean(record: bytes) -> bytes:
    """Arrow may hold bytes that are no UTF-8: two of them have a meaning here."""
    return record.replace(END, b"?").replace(MARK, b"?")


def redact_key_lines(values: Column, engine: Engine) -> Column:
    """The lines of private keys that follow, record by record, on their first line.

    Lines of others may stand between; a key ends with its last line, or after 400 records.
    """
    begins = np.flatnonzero(_true(pc.match_substring_regex(values, _BEGINS)))
    replaced: dict[int, str] = {}
    for begin in begins:
        lines = values.slice(int(begin) + 1, _MOST_LINES).to_pylist()
        for place, line in enumerate(lines, int(begin) + 1):
            if line is not None and _ENDS.search(line):
                break
            found = None if line is None or place in replaced else _LINE.fullmatch(line)
            if found:
                hidden = engine.whole(PRIVATE_KEY.name, found["hide"].encode(), 1).decode()
                replaced[place] = line[: found.start("hide")] + hidden + line[found.end("hide") :]
    if not replaced:
        return values
    mask = np.zeros(len(values), bool)
    mask[list(replaced)] = True
    return pc.replace_with_mask(
        values, pa.array(mask), pa.array([replaced[place] for place in sorted(replaced)], values.type)
    )


def _true(mask: Column) -> Array:
    filled = pc.fill_null(mask, False)
    return np.asarray(filled.to_numpy(zero_copy_only=False) if isinstance(filled, pa.Array) else filled.to_numpy())
