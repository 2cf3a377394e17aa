"""What stands behind a magic's name: options, variables to fill, queries kept byte for byte."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.magics.arguments import check_variable, query_start, read_query, read_words
from obs_magics.magics.commands import MAGICS, help_text
from obs_magics.magics.commands_ask import METRICS
from obs_magics.magics.commands_obs import CATALOG, CONNECT, SUBCOMMANDS, USE
from obs_magics.model.errors import UsageError
from obs_magics.model.query import AGGREGATIONS


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("--last 1h", {"last": "1h"}),
        ("--last=1h", {"last": "1h"}),
        ('--last "1 h"', {"last": "1 h"}),
        ('--last="1 h"', {"last": "1 h"}),
        ("--last '2 hours' --instant", {"last": "2 hours", "instant": ""}),
        ("--start -1h --end now", {"start": "-1h", "end": "now"}),
        ("--start -1h --end -5m", {"start": "-1h", "end": "-5m"}),
        ("-s prom", {"source": "prom"}),
        ("--platform prom", {"source": "prom"}),
        ("--agg sum --limit 10 --step 30s", {"agg": "sum", "limit": "10", "step": "30s"}),
        ("  --no-plot   --dry-run  ", {"no-plot": "", "dry-run": ""}),
        ("--source größe", {"source": "größe"}),
        ("", {}),
    ],
)
def test_options_in_any_form(line: str, values: dict[str, str]) -> None:
    assert read_words(METRICS, line).values == values
    assert read_query(METRICS, f"{line} up").values == values


@pytest.mark.parametrize(
    "query",
    [
        'up{job="a"}',
        "up{job='a b',x=~\"c|d\"}  # a comment -- with dashes",
        'rate(x{path="/a\\"b"}[5m])',
        "a   +\tb",
        "sum by (job) (up) > bool 0",
        'x{name="--last"}',
        'x{broken="',
        "x - y",
        "x -y",
        "(-1)*up",
        'größe{ß="ü"}',
        "`--step`",
        "-1 * up",
        "-(up)",
    ],
)
def test_a_line_keeps_its_query_byte_for_byte(query: str) -> None:
    assert read_query(METRICS, query).rest == query
    assert read_query(METRICS, f'--last "1 h" {query}').rest == query
    assert read_query(METRICS, f"e << -s prom {query}").rest == query
    assert read_query(METRICS, f"e << -- {query}").rest == query


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_behind_two_dashes_anything_is_the_query(query: str) -> None:
    read = read_query(METRICS, f"--last 1h -- {query}")
    assert read.rest == query.lstrip()
    assert read.values == {"last": "1h"}


@given(st.text())
def test_no_line_makes_the_parser_fall_over(line: str) -> None:
    for read in (read_query, read_words):
        with contextlib.suppress(UsageError):
            read(METRICS, line)
    position = query_start(METRICS, line)
    assert position is None or 0 <= position <= len(line)


@pytest.mark.parametrize(
    "line", ["errors << --last 1h", "errors<< --last 1h", "  errors  <<--last 1h", "-o errors --last 1h"]
)
def test_the_variable_to_fill(line: str) -> None:
    read = read_words(METRICS, line)
    assert (read.target, read.values["last"]) == ("errors", "1h")


def test_both_ways_to_name_the_variable_may_agree() -> None:
    assert read_query(METRICS, "a << -o a up").target == "a"
    with pytest.raises(UsageError, match="two variables to fill"):
        read_query(METRICS, "a << -o b up")


def test_an_arrow_inside_a_label_value_is_no_variable() -> None:
    read = read_query(METRICS, 'up{x="a<<b"}')
    assert (read.target, read.rest) == (None, 'up{x="a<<b"}')


@pytest.mark.parametrize("name", ["1x", "class", "a-b", "a.b", "None", ""])
def test_a_bad_variable_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        read_words(METRICS, f"{name} <<")
    with pytest.raises(UsageError):
        read_words(METRICS, f"-o '{name}'")


def test_unicode_names_are_variables_too() -> None:
    assert check_variable("größe") == "größe"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--sorce prom", "did you mean --source"),
        ("-last 1h", "did you mean --last"),
        ("--last", "--last needs a value"),
        ("--last --step 5m", "--last needs a value"),
        ('--last ""', "empty value"),
        ("--last 1h --last 2h", "given twice"),
        ("-s a --platform b", "given twice"),
        ("--agg avrage", "does not take 'avrage'\n→ did you mean"),
        ("--agg 42", "one of avg, sum, min, max, count"),
        ("--limit ten", "whole number above 0"),
        ("--limit 0", "whole number above 0"),
        ("--limit -3", "whole number above 0"),
        ("--instant=yes", "takes no value"),
        ('--last "1 h', "a quote is opened and not closed"),
        ("--zzz", "see %obs_metrics --help"),
        ("--last 1h e << up", "NAME << stands first"),
    ],
)
def test_what_is_wrong_is_said_with_the_way_out(line: str, says: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_query(METRICS, line)
    assert says in str(raised.value)
    assert raised.value.hint
    assert len(str(raised.value).splitlines()) <= 3


@pytest.mark.parametrize(
    "line", ["up --last 1h", "errors << up --last 1h", "sum(up) --step=5m", 'up{a="b c"} --instant']
)
def test_an_option_behind_the_query_is_refused_and_not_asked_as_a_query(line: str) -> None:
    with pytest.raises(UsageError, match="stands behind the query") as raised:
        read_query(METRICS, line)
    assert "options go first: %obs_metrics --" in raised.value.hint


def test_a_query_that_begins_with_a_dash() -> None:
    with pytest.raises(UsageError, match="has no option -up") as raised:
        read_query(METRICS, "-up")
    assert "goes after --" in raised.value.hint
    assert read_query(METRICS, "-- -up").rest == "-up"
    assert read_query(METRICS, "-- a --last").rest == "a --last"


def test_the_first_line_of_a_cell_holds_options_only() -> None:
    with pytest.raises(UsageError, match="'up' does not belong here"):
        read_words(METRICS, "--last 1h up")
    with pytest.raises(UsageError, match="NAME << stands first"):
        read_words(METRICS, "--last 1h errors <<")


def test_help_stands_anywhere_and_silences_missing_words() -> None:
    assert read_words(CONNECT, "--help").has("help")
    assert read_query(METRICS, "--last 1h -h").has("help")


def test_words_and_options_mix() -> None:
    read = read_words(CONNECT, "prom --tenant a http://localhost:9090 --no-verify")
    assert read.words == ("prom", "http://localhost:9090")
    assert read.text("tenant") == "a"
    assert read.has("no-verify")
    assert read.text("type") is None
    assert read_words(CONNECT, "x -- -strange-").words == ("x", "-strange-")
    assert read_words(CONNECT, "x '/a folder/b'").words == ("x", "/a folder/b")


def test_too_few_and_too_many_words() -> None:
    with pytest.raises(UsageError, match="needs NAME and URL"):
        read_words(CONNECT, "")
    with pytest.raises(UsageError, match="needs URL"):
        read_words(CONNECT, "prom")
    with pytest.raises(UsageError, match="'c' does not belong here") as raised:
        read_words(USE, "b c")
    assert raised.value.hint == "usage: %obs use NAME"


def test_a_secret_may_be_left_to_be_asked_for() -> None:
    read = read_words(CONNECT, "a http://b --user me --password")
    assert read.has("password")
    assert read.text("password") is None
    assert read_words(CONNECT, "a http://b --password --user me").text("password") is None
    assert read_words(CONNECT, "a http://b --password geheim").text("password") == "geheim"


def test_numbers() -> None:
    assert read_words(CATALOG, "--limit 5").number("limit") == 5
    assert read_words(CATALOG, "").number("limit") is None


def test_the_aggregations_are_those_of_the_session() -> None:
    assert METRICS.option("--agg").choices == AGGREGATIONS


def test_a_very_long_query_is_read_in_a_blink() -> None:
    query = 'x{a="' + "b" * 300_000 + '"}'
    assert read_query(METRICS, query).rest == query


@pytest.mark.parametrize("command", [*MAGICS.values(), *SUBCOMMANDS.values()], ids=lambda command: command.name)
def test_the_help_of_each_magic_names_everything_it_takes(command: object) -> None:
    text = help_text(command)
    assert all(flag in text for flag in command.flags())
    assert "--help" in text
    assert all(example.splitlines()[0] in text for example in command.examples)
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize(
    ("line", "starts"),
    [("", 0), ("--last", None), ("--last 1h", None), ("--last 1h ", 10), ("--last 1h up", 10), ("-", None),
     ("--", None), ("-1", 0), ("e << ", 5), ("up", 0), ("--nonsense ", None), ("--last '1", None), ("-- ", 3)],
)  # fmt: skip
def test_where_the_query_of_an_unfinished_line_begins(line: str, starts: int | None) -> None:
    assert query_start(METRICS, line) == starts


@pytest.mark.parametrize("rest", ["up -o errors", "sum(a) by (b) -s prom", "errors in payment -o found"])
def test_a_short_option_behind_the_query_is_refused_too(rest: str) -> None:
    with pytest.raises(UsageError, match="stands behind the query"):
        read_query(METRICS, rest)


@pytest.mark.parametrize("rest", ["sum(a) -s", "a -o > 3", "a -s + b", "a - o", '{a="-o b"}'])
def test_a_minus_before_a_metric_is_no_option(rest: str) -> None:
    assert read_query(METRICS, rest).rest == rest


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        (r"C:\logs\night", r"C:\logs\night"),
        (r'"C:\logs\last night"', r"C:\logs\last night"),
        (r"\\server\share\night", r"\\server\share\night"),
        (r"./last\ night", "./last night"),
    ],
)
def test_backslashes_of_windows_are_part_of_a_path(typed: str, path: str) -> None:
    assert read_words(SUBCOMMANDS["connect"], f"mine {typed}").words == ("mine", path)
