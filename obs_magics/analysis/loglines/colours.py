"""Colour codes and other escape sequences of terminals, taken out of lines."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.analysis.loglines.text import Text, found_anywhere, matching

# ECMA-48: control sequences (colours, cursor), and operating system commands (links, titles). A lone escape stays.
_SEQUENCE = r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))"


def without_colours(messages: Text) -> tuple[Text, int]:
    """The lines without escape sequences, and how many lines had any.

    Args:
        messages: Large strings.
    """
    if not found_anywhere(messages, r"\x1b"):
        return messages, 0
    coloured = matching(messages, _SEQUENCE)
    rows = np.flatnonzero(coloured)
    if not len(rows):
        return messages, 0
    clean = pc.replace_substring_regex(messages.take(pa.array(rows)), _SEQUENCE, "")
    joined = clean.combine_chunks() if isinstance(clean, pa.ChunkedArray) else clean
    return pc.replace_with_mask(messages, pa.array(coloured), joined), len(rows)
