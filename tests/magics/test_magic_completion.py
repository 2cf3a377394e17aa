"""Completion in cells of ours, with a catalog asked over HTTP; `¦` marks the cursor."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.completer import provisionalcompleter
from support.patience import eventually, least_seconds

from obs_magics.magics.completion import Completer
from obs_magics.magics.context import Context
from obs_magics.magics.names import Names

if TYPE_CHECKING:
    from conftest import FakePrometheus, Shell


def completions(shell: Shell, marked: str) -> list[str]:
    """The cell with each completion in place, as a front end would write it; in order."""
    position = marked.index("¦")
    text = marked.replace("¦", "")
    with provisionalcompleter():
        found = list(shell.ip.Completer.completions(text, position))
    return [text[: one.start] + one.text + "¦" + text[one.end :] for one in found]


@pytest.mark.parametrize(
    ("marked", "first"),
    [
        ("%%obs_metrics --so¦", "%%obs_metrics --source¦"),
        ("%%obs_metrics --source ¦\nup", "%%obs_metrics --source auto¦\nup"),
        ("%%obs_metrics --source=p¦\nup", "%%obs_metrics --source=prom¦\nup"),
        ("%%obs_metrics -s p¦\nup", "%%obs_metrics -s prom¦\nup"),
        ("%%obs_metrics e << --agg s¦\nup", "%%obs_metrics e << --agg sum¦\nup"),
        ("%%obs_metrics --last 1¦", "%%obs_metrics --last 15m¦"),
        ("%%obs_metrics --last '1¦", "%%obs_metrics --last '15m¦"),
        ("%%obs_metrics -o err¦", "%%obs_metrics -o errors_seen¦"),
        ("%%obs_metrics\nhtt¦", "%%obs_metrics\nhttp_requests_total¦"),
        ("%%obs_metrics\nsum(rate(requests¦))", "%%obs_metrics\nsum(rate(http_requests_total¦))"),
        ("%%obs_metrics\nhistogram_q¦", "%%obs_metrics\nhistogram_quantile¦"),
        ("%%obs_metrics\nup{i¦}", "%%obs_metrics\nup{instance¦}"),
        ('%%obs_metrics\nup{job="a¦"}', '%%obs_metrics\nup{job="api¦"}'),
        ('%%obs_metrics\nup{job=~"x|ca¦"}', '%%obs_metrics\nup{job=~"x|cart¦"}'),
        ('%%obs_metrics\n{path="say¦', '%%obs_metrics\n{path="say \\"hi\\"¦'),
        ('%%obs_metrics\nhttp_requests_total{path="say¦', '%%obs_metrics\nhttp_requests_total{path="say \\"hi\\"¦'),
        ('%%obs_metrics\nhttp_requests_total{path=~"/¦', '%%obs_metrics\nhttp_requests_total{path=~"/a\\\\.b¦'),
        ("%%obs_metrics\n{path=~`/¦", "%%obs_metrics\n{path=~`/a\\.b¦"),
        ("%%obs_metrics\n{path='say¦", '%%obs_metrics\n{path=\'say "hi"¦'),
        ("%%obs_metrics\nsum by (c¦) (http_requests_total)", "%%obs_metrics\nsum by (code¦) (http_requests_total)"),
        ("%%obs_metrics\nup > ${err¦", "%%obs_metrics\nup > ${errors_seen¦"),
        ('%%obs_metrics\nup{job="${err¦"}', '%%obs_metrics\nup{job="${errors_seen¦"}'),
        ("%%obs_metrics\nrate(up[$__r¦])", "%%obs_metrics\nrate(up[$__rate_interval¦])"),
        ("%%obs_metrics\nrate(up[¦])", "%%obs_metrics\nrate(up[$__rate_interval¦])"),
        ("%%obs_metrics\nup{job ¦", '%%obs_metrics\nup{job ="¦'),
        ("%obs_metrics htt¦", "%obs_metrics http_requests_total¦"),
        ("%obs_metrics --la¦", "%obs_metrics --last¦"),
        ("%obs_metrics --last ¦", "%obs_metrics --last 5m¦"),
        ('x = %obs_metrics e << --last 1h up{job="c¦', 'x = %obs_metrics e << --last 1h up{job="cart¦'),
        ("a = 1\n%obs_metrics htt¦\nb = 2", "a = 1\n%obs_metrics http_requests_total¦\nb = 2"),
        ("%obs con¦", "%obs config¦"),
        ("%obs ¦", "%obs catalog¦"),
        ("%obs use ¦", "%obs use prom¦"),
        ("%obs catalog htt¦", "%obs catalog http_requests_total¦"),
        ("%obs catalog --sou¦", "%obs catalog --source¦"),
        ("%obs connect x http://y --ten¦", "%obs connect x http://y --tenant¦"),
        ("%obs help obs_m¦", "%obs help obs_metrics¦"),
    ],
)
def test_the_first_completion(shell: Shell, marked: str, first: str) -> None:
    shell.variables["errors_seen"] = 5
    assert completions(shell, marked)[0] == first


def test_an_empty_query_line_offers_metrics_and_options(shell: Shell) -> None:
    found = completions(shell, "%obs_metrics ¦")
    assert "%obs_metrics up¦" in found
    assert "%obs_metrics --last¦" in found


def test_labels_are_those_of_the_metric_at_hand(shell: Shell) -> None:
    assert completions(shell, "%%obs_metrics\nup{¦}") == ["%%obs_metrics\nup{instance¦}", "%%obs_metrics\nup{job¦}"]


def test_the_named_source_is_asked_and_not_the_default(shell: Shell) -> None:
    assert completions(shell, "%%obs_metrics --source nobody\nhtt¦") == ["%%obs_metrics --source nobody\nhtt¦"]


@pytest.mark.parametrize(
    "marked", ["%%obs_metrics\n# htt¦", "%%obs_metrics\nx > 12¦", "%obs nothing ¦", "%obs connect ¦x"]
)
def test_where_nothing_fits_python_has_no_say(shell: Shell, marked: str) -> None:
    assert completions(shell, marked) in ([marked], [])


@pytest.mark.parametrize(
    "marked",
    [
        "impo¦",
        "%%obs_metric¦",
        "%obs¦",
        "%%obs_metrics¦",
        "%%time\n%obs\nimpo¦",
        "# %obs\nimpo¦",
        "x = '%obs' + st¦",
        "%obsidian x¦",
    ],
)
def test_cells_of_others_are_left_alone(shell: Shell, marked: str) -> None:
    position = marked.index("¦")
    text = marked.replace("¦", "")
    completer = Completer(Context(shell.ip, lambda: shell.session))
    assert completer.complete(text, position) is None


def test_python_is_completed_as_ever(shell: Shell) -> None:
    assert "import¦" in completions(shell, "impo¦")
    assert "x = '%obs'\nimport¦" in completions(shell, "x = '%obs'\nimpo¦")


def test_python_variables_are_the_users_own_and_no_functions(shell: Shell) -> None:
    shell.run("import os\nmine_a = 1\nmine_b = 'x'\ndef mine_f(): pass\n_mine = 2")
    found = completions(shell, "%%obs_metrics\n${mine¦")
    assert found == ["%%obs_metrics\n${mine_a¦", "%%obs_metrics\n${mine_b¦"]


def test_a_slow_source_does_not_hold_up_typing(shell: Shell, server: FakePrometheus) -> None:
    server.slow_names = True
    completer = Completer(Context(shell.ip, lambda: shell.session), Names(0.05))
    began = time.monotonic()
    found = completer.complete("%obs_metrics htt", 16)
    assert time.monotonic() - began < 60  # the server would not answer before 120 s
    assert found is not None
    assert not found.names
    server.release.set()
    names = eventually(lambda: (found := completer.complete("%obs_metrics htt", 16)) and list(found.names))
    assert names == ["http_requests_total"]


_CELLS = st.one_of(
    st.text(),
    st.lists(
        st.sampled_from(
            ["%%obs_metrics", "%obs_metrics", "%obs", " ", "\n", "--last", "--source=", "-s", "'", '"',
             "e <<", "up", "{", "}", "(", "by", "[", "${", "=~", "connect", "use", "é", "#"]
        ),
        max_size=20,
    ).map("".join),
)  # fmt: skip


@given(_CELLS, st.integers(0, 200))
def test_no_cell_makes_completion_fall_over(text: str, position: int) -> None:
    position = min(position, len(text))

    class Nobody:
        user_ns: dict[str, Any] = {}  # noqa: RUF012 - nothing is ever added
        user_ns_hidden: dict[str, Any] = {}  # noqa: RUF012

    class NoNames(Names):
        def get(self, key: Any, fetch: Any) -> list[str]:
            return ["a b", "up"]

    found = Completer(Context(Nobody()), NoNames()).complete(text, position)
    assert found is None or text[:position].endswith(found.fragment)


def test_many_quotes_take_no_time() -> None:
    cell = "%%obs_metrics " + "'\" " * 20_000 + "-"
    assert least_seconds(lambda: Completer(Context(None), Names(0)).complete(cell, 60_015), 5) < 5
