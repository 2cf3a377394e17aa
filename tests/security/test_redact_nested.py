"""Secrets inside maps, lists and structs: attributes and events of spans."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.model.spans import ATTRIBUTES_TYPE, EVENTS_TYPE, LINKS_TYPE
from obs_magics.security.redact import Redactor, new_key

SECRET = "hunter2" * 2
TOKEN = "ghp_" + "a1B2" * 9


def column(rows: list[Any], kind: pa.DataType) -> pd.Series[Any]:
    return pd.Series(pa.array(rows, kind), dtype=pd.ArrowDtype(kind))


def safe(values: pd.Series[Any], name: str = "attributes") -> pd.Series[Any]:
    return Redactor(b"k" * 32).frame(pd.DataFrame({name: values}))[name]


def test_values_of_attributes_go_and_keys_say_what_is_secret() -> None:
    rows = [[("http.url", f"https://u:{SECRET}@x/y"), ("db.password", SECRET), ("n", None)], None, [], [("a", "b")]]
    redactor = Redactor(b"k" * 32)
    found = redactor.frame(pd.DataFrame({"attributes": column(rows, ATTRIBUTES_TYPE)}))["attributes"]
    assert SECRET not in repr(found.tolist())
    assert found.tolist()[0][2] == ("n", None)
    assert found.tolist()[2:] == [[], [("a", "b")]]
    assert pd.isna(found.iloc[1])
    assert found.dtype == pd.ArrowDtype(ATTRIBUTES_TYPE)
    assert redactor.report.total == 2


def test_events_go_too_and_links_stay() -> None:
    event = {"timestamp": 1, "name": f"login password={SECRET}", "attributes": [("header", f"token={TOKEN}")]}
    found = safe(column([[event], [], None], EVENTS_TYPE), "events")
    assert SECRET not in repr(found.tolist())
    assert TOKEN not in repr(found.tolist())
    links = column([[{"trace_id": "1" * 32, "span_id": "2" * 16}], None, []], LINKS_TYPE)
    assert safe(links, "links").tolist()[0] == links.tolist()[0]


@given(
    st.lists(
        st.none()
        | st.lists(st.tuples(st.sampled_from(["a", "password", "url"]), st.none() | st.text("ab c=/", max_size=9)))
    ),
    st.integers(0, 3),
)
def test_harmless_maps_stay_as_they_are_also_where_a_slice_begins(rows: list[Any], first: int) -> None:
    plain = [None if row is None else [(key, value) for key, value in row if key != "password"] for row in rows]
    values = column(plain, ATTRIBUTES_TYPE).iloc[first:]
    found = safe(values)
    assert found.equals(values) or found.tolist() == values.tolist()
    assert new_key() != new_key()
