"""Query templates: the statements of spans without the values in them, `SELECT * FROM inventory WHERE sku IN (<*>)`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.analysis.spans.attributes import arrow, first_attribute, indexed

Array = np.ndarray[Any, Any]

QUERY_NAMES = ("db.query.text", "db.statement")
_LONGEST = 2_000  # letters of a statement that are looked at

# RE2, each with what takes its place, in this order. Words with digits in them (t1, sha256) are names, not values.
_RULES: tuple[tuple[str, str], ...] = (
    (r"(?s)/\*.*?\*/", " "),
    (r"(?m)(?:^|\s)--\s[^\n]*$", " "),
    (r"\\'", ""),
    (r"[NnEeBbXx]?'(?:[^']|'')*'?", "<*>"),
    (  # of MongoDB: the collection is no value
        r'"(find|aggregate|insert|update|delete|count|distinct|findAndModify|collection)"\s*:\s*"([^"]*)"',
        r'"\1": \2',
    ),
    (r'([:\[,(]\s*)"(?:[^"\\]|\\.)*"(\s*[,\]}])', r"\1<*>\2"),  # a value in JSON; "names" of SQL stay
    (r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b", "<*>"),
    (r"%\([A-Za-z_]\w*\)s|%[sdif]\b", "<*>"),
    (r"([^:\w]|^)[:@$][A-Za-z_]\w*", r"\1<*>"),  # :name, @name, $name; not the cast ::name
    (r"([^:\w]|^):\d+\b", r"\1<*>"),
    (r"\$\d+|\?\d*", "<*>"),
    (r"\b0[xX][0-9a-fA-F]+\b|\b[0-9a-fA-F]*\d[0-9a-fA-F]{15,}\b", "<*>"),
    (r"(^|[^\w.>])[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?\b", r"\1<*>"),
    *[(r"(?i)([(,]\s*)(?:null|true|false|default)(\s*[,)])", r"\1<*>\2")] * 2,  # neighbours share a comma
    (r"<\*>(?:[\s,.:-]*<\*>)+", "<*>"),
    (r"\(\s*<\*>\s*\)(?:\s*,\s*\(\s*<\*>\s*\))+", "(<*>)"),
    (r"\s+", " "),
)


def query_template(frame: pd.DataFrame) -> pd.Series[Any]:
    """What each span asks a database, without values: of `db.query.text`, before that `db.statement`; missing for none.

    Literals, placeholders and lists of them are `<*>`, comments are left out, white space is one space; only the first
    2,000 letters count.
    """
    coded = arrow(first_attribute(frame, QUERY_NAMES)).dictionary_encode()
    return indexed(masked(coded.dictionary).take(coded.indices), frame, "query")


def masked(statements: pa.Array) -> pa.Array:
    """Statements without their values."""
    result = pc.utf8_slice_codeunits(statements, 0, _LONGEST)
    for pattern, template in _RULES:
        result = pc.replace_substring_regex(result, pattern, template)
    return pc.utf8_trim_whitespace(result)


def what_is_done(frame: pd.DataFrame, queries: pd.Series[Any] | None = None) -> Array:
    """What each span does, as objects: its query template, else its operation; empty where it has neither."""
    queries = query_template(frame) if queries is None else queries
    operation = frame["operation"].astype(object).where(frame["operation"].notna(), "")
    return np.asarray(queries.astype(object).where(queries.notna(), operation), dtype=object)
