"""What people wrote in a notebook goes to the sections of the report, and none of it is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.incident.prose import HEADINGS, read_notebook, written
from obs_magics.model.errors import UsageError

_TEXT = """# Payments failed on Sunday

Written by anna.

## Summary

Payments were slow, then failed.

### In short

It was the pool.

## Whom we told

Support.

## Action items

- [ ] alert on the pool (@anna)

## Lessons learned

```sh
# Summary
```
More.
"""


def test_headings_that_the_report_knows_begin_its_sections() -> None:
    found = written(_TEXT)
    assert found.title == "Payments failed on Sunday"
    assert found.sections == {
        "notes": "Written by anna.\n\n## Whom we told\n\nSupport.",
        "summary": "Payments were slow, then failed.\n\n### In short\n\nIt was the pool.",
        "actions": "- [ ] alert on the pool (@anna)",
        "lessons": "```sh\n# Summary\n```\nMore.",
    }


@pytest.mark.parametrize(("key", "heading"), [(key, one) for key, headings in HEADINGS.items() for one in headings])
def test_every_heading_in_the_table_is_known(key: str, heading: str) -> None:
    assert written(f"## {heading.title()}:\n\ntext").sections == {key: "text"}


def test_a_section_that_comes_twice_is_one() -> None:
    assert written("## Impact\na\n## Other\nb\n## Impact\nc").sections == {"impact": "a\nc", "notes": "## Other\nb"}


def test_nothing_written_is_nothing() -> None:
    assert written("# Title\n\n## Summary\n\n").sections == {}


@given(st.lists(st.sampled_from(["# A", "## Summary", "### Impact", "## Else", "text", "", "```", "~~~", "- item"])))
def test_no_line_is_lost(lines: list[str]) -> None:
    found = written("\n".join(lines))
    kept = "\n".join(found.sections.values()).split("\n")
    for line in ("text", "- item", "## Else"):
        assert kept.count(line) == lines.count(line)


def test_markdown_cells_of_a_notebook_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "hello"]},
        {"cell_type": "code", "source": "## Summary"},
        {"cell_type": "markdown", "source": "## Impact\nlarge"},
    ]
    path.write_text(json.dumps({"cells": cells, "nbformat": 4}), encoding="utf-8")
    found = read_notebook(path)
    assert (found.title, found.sections) == ("Title", {"notes": "hello", "impact": "large"})
    assert found.cells == ()


def test_cells_that_ask_are_read_and_those_that_connect_are_not(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    sources = ["%obs connect prom http://me:secret@host", "%obs_rca pay\n", "x = 1", ["%%obs_metrics\n", "up"]]
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": one} for one in sources]}), encoding="utf-8")
    assert read_notebook(path).cells == ("%obs_rca pay", "%%obs_metrics\nup")


@pytest.mark.parametrize("content", ["{", "[]", '{"cells": [3]}', '{"cells": [{"cell_type": "markdown"}]}'])
def test_what_is_no_notebook_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match="no notebook"):
        read_notebook(path)


def test_a_notebook_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read") as caught:
        read_notebook(tmp_path / "gone.ipynb")
    assert "gone.ipynb" in str(caught.value)
