"""Attributes as columns, query templates."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.span_worlds import frame, span

from obs_magics.analysis.spans import attribute, attribute_table, first_attribute, query_template
from obs_magics.model.frames import STRING_DTYPE
from obs_magics.model.spans import ATTRIBUTES_TYPE, empty_spans

DATA = frame(
    span("a", attributes={"http.route": "/a", "n": "1"}),
    span("b", "a", 1),
    span("c", "a", 2, attributes={"n": "", "http.target": "/c"}),
)


def test_an_attribute_is_a_column_of_strings() -> None:
    found = attribute(DATA, "n")
    assert found.dtype == STRING_DTYPE
    assert found.name == "n"
    assert found.fillna("-").tolist() == ["1", "-", ""]
    assert attribute(DATA, "nothing").isna().all()


def test_parts_of_a_frame_keep_their_rows() -> None:
    part = DATA.iloc[1:]
    assert attribute(part, "n").to_dict() == pytest.approx({1: float("nan"), 2: ""}, nan_ok=True)
    assert attribute(pd.concat([part, DATA]), "http.route").fillna("-").tolist() == ["-", "-", "/a", "-", "-"]


def test_the_first_of_several_names_counts() -> None:
    assert first_attribute(DATA, ("http.route", "http.target")).fillna("-").tolist() == ["/a", "-", "/c"]


def test_of_one_name_twice_in_a_span_the_first_counts() -> None:
    data = frame(span("a"))
    data["attributes"] = pd.Series(pa.array([[("k", "1"), ("k", "2")]], ATTRIBUTES_TYPE), dtype="object").astype(
        pd.ArrowDtype(ATTRIBUTES_TYPE)
    )
    assert attribute(data, "k").tolist() == ["1"]


def test_a_table_has_all_attributes_or_those_asked_for() -> None:
    table = attribute_table(DATA)
    assert list(table.columns) == ["http.route", "http.target", "n"]
    assert list(attribute_table(DATA, ["n", "none", "n"]).columns) == ["n", "none"]
    assert attribute_table(empty_spans()).shape == (0, 0)
    assert attribute(empty_spans(), "n").empty


TEXTS = st.text(st.characters(codec="utf-8"), max_size=4)


@given(st.lists(st.dictionaries(TEXTS, TEXTS, max_size=4), min_size=1, max_size=8), TEXTS)
def test_attributes_equal_those_of_the_mappings(maps: list[dict[str, str]], name: str) -> None:
    data = frame(*(span(f"{number + 1:x}", start=number, attributes=one) for number, one in enumerate(maps)))
    for wanted in {name, *(key for one in maps for key in one)}:
        found = attribute(data, wanted).astype(object)
        assert found.where(found.notna(), None).tolist() == [one.get(wanted) for one in maps]


@pytest.mark.parametrize(
    ("statement", "template"),
    [
        ("SELECT * FROM inventory WHERE sku IN ($1, $2, $3)", "SELECT * FROM inventory WHERE sku IN (<*>)"),
        ("select * from t1 where a='it''s' -- why\n and b=1.5e3", "select * from t1 where a=<*> and b=<*>"),
        ("INSERT INTO x VALUES (1,'a',NULL), (2,'b',NULL)", "INSERT INTO x VALUES (<*>)"),
        ("SET idempotency:? ? NX EX 86400", "SET idempotency:<*> NX EX <*>"),
        ("GET user:1234", "GET user:<*>"),
        ('{"find": "users", "filter": {"_id": "abc", "n": 12}}', '{"find": users, "filter": {"_id": <*>, "n": <*>}}'),
        ('SELECT a::text, c2 FROM "T" WHERE id=:id AND x=%(x)s', 'SELECT a::text, c2 FROM "T" WHERE id=<*> AND x=<*>'),
        ("UPDATE t SET n = n + 1 WHERE k = @key AND j = :2", "UPDATE t SET n = n + <*> WHERE k = <*> AND j = <*>"),
        ("/* trace=1 */ SELECT  1\n", "SELECT <*>"),
        ("DELETE FROM s WHERE id = '550e8400-e29b-41d4-a716-446655440000'", "DELETE FROM s WHERE id = <*>"),
        ("GET k:550e8400-e29b-41d4-a716-446655440000", "GET k:<*>"),
        ("EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db a", "EVALSHA <*> a"),
        ("select 'open", "select <*>"),
        ("", ""),
    ],
)  # fmt: skip
def test_templates_have_no_values(statement: str, template: str) -> None:
    data = frame(span("a", attributes={"db.statement": statement}), span("b", "a", 1))
    assert query_template(data).fillna("none").tolist() == [template, "none"]


def test_the_new_name_of_a_statement_hides_the_old_one() -> None:
    data = frame(span("a", attributes={"db.statement": "old", "db.query.text": "new"}))
    assert query_template(data).tolist() == ["new"]
    assert query_template(empty_spans()).empty


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_hostile_statements_do_no_harm(statement: str) -> None:
    once = query_template(frame(span("a", attributes={"db.statement": statement})))
    assert len(once) == 1


def test_long_statements_are_cut() -> None:
    data = frame(span("a", attributes={"db.query.text": "SELECT " + "a, " * 500_000}))
    assert len(query_template(data)[0]) <= 2_000
