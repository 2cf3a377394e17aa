"""Templates of `line_format` and `label_format`: what they give, what is refused, what fails for a line."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.patience import least_seconds

from obs_magics.model.errors import QueryError
from obs_magics.syntax.logql.template import FUNCTIONS, Template, TemplateError, compile_template

LABELS = {
    "foo": "blip",
    "bar": "blop",
    "n": "12",
    "f": "1.5",
    "empty": "",
    "uni": "Hello, 世界",
    "json": '{"a": {"b": [1, 2.5, "x"]}, "t": true, "z": null, "m": {"k2": 1, "k1": "v"}}',
    "list": '["a", "b", "c"]',
}
LINE = "the line"
TIMESTAMP = 1_656_353_124_120_000_000  # 2022-06-27T18:05:24.12Z
NOW = 1_700_000_000_123_456_789


def render(text: str) -> str:
    return compile_template(text).render(LABELS, LINE, TIMESTAMP, now_ns=NOW)


def failure(text: str) -> str:
    with pytest.raises(TemplateError) as caught:
        render(text)
    return str(caught.value)


def refusal(text: str) -> QueryError:
    with pytest.raises(QueryError) as caught:
        compile_template(text)
    return caught.value


# The language


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("plain } text {", "plain } text {"),
        ("foo{{.foo}}buzz{{  .bar  }}", "fooblipbuzzblop"),
        ("foo {{.missing}}buzz", "foo buzz"),
        ("a {{- .foo -}} b", "ablipb"),
        ("a\n{{- `x` }}\n {{ `y` -}}\n b", "ax\n yb"),
        ("a {{/* comment }} */}}b{{- /* c */ -}} d", "a bd"),
        ('{{ `}}` }}{{ "}}" }}', "}}}}"),
        ("{{ .foo | printf `%s-%s` .bar }}", "blop-blip"),
        ("{{ (.foo) }}{{ (printf `%s` .bar) | upper }}", "blipBLOP"),
        ("{{ if .foo }}yes{{ else }}no{{ end }}", "yes"),
        ("{{ if .empty }}yes{{ else }}no{{ end }}", "no"),
        ("{{ if .empty }}1{{ else if .missing }}2{{ else if .foo }}3{{ else }}4{{ end }}", "3"),
        ("{{ if false }}1{{ end }}{{ if true }}2{{ end }}{{ if 0 }}3{{ end }}{{ if 0.0 }}4{{ end }}", "2"),
        ("{{ if now }}time{{ end }}", "time"),
        ("{{ with .foo }}<{{ . }}>{{ end }}{{ with .empty }}x{{ else }}none{{ end }}", "<blip>none"),
        ("{{ with .empty }}1{{ else with .bar }}{{ . }}{{ end }}", "blop"),
        ("{{ with fromJson .json }}{{ .a.b }}{{ $.foo }}{{ end }}", "[1 2.5 x]blip"),
        ("{{ range fromJson .list }}{{ . }},{{ end }}", "a,b,c,"),
        ("{{ range $x := fromJson .list }}{{ $x }}{{ end }}", "abc"),
        ("{{ range $i, $x := fromJson .list }}{{ $i }}{{ $x }}{{ end }}", "0a1b2c"),
        ("{{ range $k, $v := (fromJson .json).m }}{{ $k }}={{ $v }};{{ end }}", "k1=v;k2=1;"),
        ("{{ range fromJson `[]` }}x{{ else }}nothing{{ end }}", "nothing"),
        ("{{ range fromJson `no json` }}x{{ else }}nothing{{ end }}", "nothing"),
        ("{{ range 3 }}{{ . }}{{ end }}", "012"),
        ("{{ range fromJson .list }}{{ if eq . `b` }}{{ continue }}{{ end }}{{ . }}{{ end }}", "ac"),
        ("{{ range fromJson .list }}{{ if eq . `b` }}{{ break }}{{ end }}{{ . }}{{ end }}.", "a."),
        ("{{ range fromJson .list }}{{ range fromJson $.list }}{{ break }}{{ end }}{{ . }}{{ end }}", "abc"),
        ("{{ $x := .foo }}{{ $x }}{{ $x = .bar }}{{ $x }}", "blipblop"),
        ("{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ $x }}{{ end }}{{ $x }}", "21"),
        ("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}", "2"),
        ("{{ if $x := .foo }}{{ $x }}{{ end }}", "blip"),
        ("{{ $m := fromJson .json }}{{ $m.a.b }}{{ $m.nothing }}", "[1 2.5 x]<no value>"),
        ("{{ $.foo }}{{ . | len }}", "blip8"),
        (
            "{{ 1 }} {{ -2 }} {{ 1.0 }} {{ 1e6 }} {{ 0x1F }} {{ 010 }} {{ 1_000 }} {{ 0x1p4 }}",
            "1 -2 1 1e+06 31 8 1000 16",
        ),
        ("{{ 'a' }} {{ '\\n' }} {{ '\\'' }} {{ '\"' }}", "97 10 39 34"),
        ('{{ true }} {{ `a\nb` }} {{ "a\\tb" }}', "true a\nb a\tb"),
        ("{{ fromJson .json }}", "map[a:map[b:[1 2.5 x]] m:map[k1:v k2:1] t:true z:<nil>]"),
        ("{{ (fromJson .json).z }}", "<no value>"),
        ("{{ __line__ }} {{ __line__ | upper }}", "the line THE LINE"),
        ("{{ __timestamp__ }}", "2022-06-27 18:05:24.12 +0000 UTC"),
        ("{{ now }}", "2023-11-14 22:13:20.123456789 +0000 UTC"),
        ("{{ and .foo .bar }}{{ and .empty .bar }}{{ or .empty .bar }}{{ or .empty `` }}", "blopblop"),
        ("{{ or .foo (index (fromJson .list) 9) }}", "blip"),
        ("{{ .empty | and .foo }}{{ .bar | or .empty }}", "blop"),
        ("{{ not .foo }}{{ not .empty }}", "falsetrue"),
    ],
)
def test_the_language(text: str, expected: str) -> None:
    assert render(text) == expected


# The functions: a line each, and one for each that has corners


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # texts
        ("alignLeft 5 `hello world`", "hello"),
        ("alignLeft 5 `hi`", "hi   "),
        ("alignLeft -1 `hi`", "hi"),
        ("alignRight 5 `hello world`", "world"),
        ("alignRight 5 `hi`", "   hi"),
        ("alignRight 0 `hi`", ""),
        ("alignRight 2 `世界x`", "界x"),
        ("b64enc `hello`", "aGVsbG8="),
        ("b64dec `aGVsbG8=`", "hello"),
        ("b64dec `a`", "illegal base64 data at input byte 0"),
        ("b64dec `aGV?`", "illegal base64 data at input byte 3"),
        ("b64dec `a===`", "illegal base64 data at input byte 3"),
        ("bytes `2 KB`", "2000"),
        ("default `-` .empty", "-"),
        ("default `-` .foo", "blip"),
        ("default `-`", "-"),
        (".missing | default 5", "5"),
        ("indent 4 `foo\n bar`", "    foo\n     bar"),
        ("nindent 2 `foo`", "\n  foo"),
        ("lower `ABC`", "abc"),
        ("upper `abc`", "ABC"),
        ("title `hello wOrld-x y_z ünï`", "Hello WOrld-X Y_z Ünï"),
        ("repeat 3 `foo`", "foofoofoo"),
        (".foo | replace `i` `u`", "blup"),
        ("replace `` `-` `ab`", "-a-b-"),
        (".foo | substr 1 3", "li"),
        ("substr -1 2 .foo", "bl"),
        ("substr 1 -1 .foo", "lip"),
        ("substr 1 99 .foo", "lip"),
        ("substr 7 10 .uni", "世"),
        ("trim `  a b `", "a b"),
        ("trimAll `$` `$5.00$`", "5.00"),
        ("trimAll `` ` a `", " a "),
        ("trimPrefix `b` .foo", "lip"),
        ("trimSuffix `p` .foo", "bli"),
        ("trunc 2 .foo", "bl"),
        ("trunc -2 .foo", "ip"),
        ("trunc 99 .foo", "blip"),
        ("trunc -99 .foo", "blip"),
        ("trunc 8 .uni", "Hello, \ufffd"),
        ("urlencode `a b&c/ü~`", "a+b%26c%2F%C3%BC~"),
        ("urldecode `a+b%26c%2F%C3%BC`", "a b&c/ü"),
        ("ToLower `A`", "a"),
        ("ToUpper `a`", "A"),
        ("Replace .bar `o` `0` -1", "bl0p"),
        ("Replace `aaa` `a` `b` 2", "bba"),
        ("Trim `xax` `x`", "a"),
        ("TrimLeft `xax` `x`", "ax"),
        ("TrimRight `xax` `x`", "xa"),
        ("TrimLeft `xax` ``", "xax"),
        ("TrimRight `xax` ``", "xax"),
        ("TrimPrefix `xa` `x`", "a"),
        ("TrimSuffix `xa` `a`", "x"),
        ("TrimSpace ` x\n`", "x"),
        # logic
        ("contains `li` .foo", "true"),
        ("hasPrefix `bl` .foo", "true"),
        ("hasSuffix `bl` .foo", "false"),
        ("eq .foo `blip`", "true"),
        ("eq .foo `a` `blip`", "true"),
        ("eq 1 1", "true"),
        ("eq 1 (add 0 1)", "true"),
        ("eq nil nil", "true"),
        ("eq nil .foo", "false"),
        ("eq now now", "true"),
        ("eq now __timestamp__", "false"),
        ("ne .foo .bar", "true"),
        ("lt 1 2", "true"),
        ("le 2 2", "true"),
        ("gt `b` `a`", "true"),
        ("ge 1.5 2.5", "false"),
        # numbers
        ("add 3 2 5", "10"),
        ("add", "0"),
        ("add .n `0x10` `010` `3.0` `2.5` `x` 1.9 true nil", "41"),
        ("add 9223372036854775807 1", "-9223372036854775808"),
        ("sub 5 2", "3"),
        ("mul 5 2 3", "30"),
        ("div 7 2", "3"),
        ("div -7 2", "-3"),
        ("mod 10 3", "1"),
        ("mod -10 3", "-1"),
        ("addf 3.5 2 5", "10.5"),
        ("addf", "0"),
        ("subf 5.5 2 1.5", "2"),
        ("mulf 5.5 2 2.5", "27.5"),
        ("divf 10 2 4", "1.25"),
        ("divf 1 3", "0.3333333333333333"),
        ("addf .f `x` true", "2.5"),
        ("max 1 `3` 2", "3"),
        ("min 1 `3` 2", "1"),
        ("maxf 1 2.5 3", "3"),
        ("minf 1.5 2.5 3", "1.5"),
        ("ceil 123.001", "124"),
        ("ceil `inf`", "+Inf"),
        ("floor 123.9999", "123"),
        ("floor `-inf`", "-Inf"),
        ("floor `nan`", "NaN"),
        ("round 123.555555 3", "123.556"),
        ("round 123.88571428571 5 .2", "123.88572"),
        ("round -2.5 0", "-3"),
        ("round 2.5 0 1", "2"),
        ("fromJson `NaN`", "<no value>"),
        ("toDateInZone `2006` `UTC` `2021`", "2021-01-01 00:00:00 +0000 UTC"),
        ("round `inf` 0", "NaN"),
        ("int `3`", "3"),
        ("int 3.9", "3"),
        ("int `inf`", "0"),
        ("int (float64 `inf`)", "0"),
        ("int `99999999999999999999`", "0"),
        ("int now", "0"),
        ("float64 `3.5`", "3.5"),
        ("float64 ` 3.5`", "0"),
        ("float64 now", "0"),
        # dates
        ("date `2006-01-02` __timestamp__", "2022-06-27"),
        ("date `2006-01-02` 86400", "1970-01-02"),
        ("date `2006-01-02` `x`", "2023-11-14"),
        ("date `2006-01-02 15:04` (toDate `2006-01-02` `2021-11-02`)", "2021-11-02 00:00"),
        ("toDateInZone `2006-01-02 15:04` `America/New_York` `2021-07-01 12:00` | unixEpoch", "1625155200"),
        ("toDateInZone `2006-01-02` `No/Where` `2021-11-02`", "2021-11-02 00:00:00 +0000 UTC"),
        ("toDate `2006-01-02` `x`", "0001-01-01 00:00:00 +0000 UTC"),
        ("unixEpoch now", "1700000000"),
        ("unixEpochMillis now", "1700000000123"),
        ("unixEpochNanos now", "1700000000123456789"),
        ("unixToTime `19373`", "2023-01-16 00:00:00 +0000 UTC"),
        ("unixToTime `1673798889`", "2023-01-15 16:08:09 +0000 UTC"),
        ("unixToTime `1673798889902`", "2023-01-15 16:08:09.902 +0000 UTC"),
        ("unixToTime `1673798889902000`", "2023-01-15 16:08:09.902 +0000 UTC"),
        ("unixToTime `1673798889902000001`", "2023-01-15 16:08:09.902000001 +0000 UTC"),
        ("duration `1m30s`", "90"),
        ("duration_seconds `1.5s`", "1.5"),
        # regular expressions
        ("count `a|b` `abab`", "4"),
        ("count `x*` `axxb`", "3"),
        ("__line__ | count `[el]`", "3"),
        ("regexReplaceAll `(p)` .foo `<$1>`", "bli<p>"),
        ("regexReplaceAll `(?P<x>l)(i)` .foo `${2}${x}$$$9${nope}`", "bil$p"),
        ("regexReplaceAll `(a*)bc` `aabc` `${1}a`", "aaa"),
        ("regexReplaceAll `x*` `ab` `-`", "-a-b-"),
        ("regexReplaceAllLiteral `(p)` .foo `${1}`", "bli${1}"),
        # Go's own
        ("len .uni", "13"),
        ("len (fromJson .list)", "3"),
        ("index (fromJson .list) 1", "b"),
        ("index (fromJson .json) `a` `b` 1", "2.5"),
        ("index .foo 0", "98"),
        ("index (fromJson .json) `nope`", "<no value>"),
        ("slice .foo 1 3", "li"),
        ("slice .foo 1", "lip"),
        ("slice (fromJson .list) 1", "[b c]"),
        ("print 1 2 `a` `b` 3", "1 2ab3"),
        ("print", ""),
        ("println 1 `a`", "1 a\n"),
        ("html `<a href='x'>\"&`", "&lt;a href=&#39;x&#39;&gt;&#34;&amp;"),
        ('js `it\'s <b> "x" \\ =&\n`', 'it\\\'s \\u003Cb\\u003E \\"x\\" \\\\ \\u003D\\u0026\\u000A'),
        ("urlquery `a b` `&`", "a+b%26"),
        # printf
        ("printf `%s %v %d %%` .foo nil 5", "blip <nil> 5 %"),
        ("printf `%-40.3s|` .foo", "bli" + " " * 37 + "|"),
        (
            "printf `%5s|%-5s|%05d|%+d|% d|%x|%X|%o|%b|%c|%q|%U` `a` `b` 42 7 7 255 255 8 5 97 97 97",
            "    a|b    |00042|+7| 7|ff|FF|10|101|a|'a'|U+0061",
        ),
        (
            "printf `%6.2f|%e|%g|%G|%F|%.3g|%v` 3.14159 1500.0 1e-7 1e-7 1.5 1234.5 2.5",
            "  3.14|1.500000e+03|1e-07|1E-07|1.500000|1.23e+03|2.5",
        ),
        (
            "printf `%q %x %X %t %T %#q %#x %O` `a\nb` `hi` `hi` true `x` `x` 255 8",
            '"a\\nb" 6869 6869 true string `x` 0xff 0o10',
        ),
        ('printf `%#q|%#v|%v|%T|%T|%T|%T` "a`b" `x` true nil 1 1.5 now', '"a`b"|"x"|true|<nil>|int|float64|time.Time'),
        ("printf `%d %s %z %t %f` `x` 5 1 1 `y`", "%!d(string=x) %!s(int=5) %!z(int=1) %!t(int=1) %!f(string=y)"),
        ("printf `%s %s` 1.5 true", "%!s(float64=1.5) %!s(bool=true)"),
        ("printf `%d` 1.5", "%!d(float64=1.5)"),
        ("printf `%s`", "%!s(MISSING)"),
        ("printf `a` 1 `b` nil", "a%!(EXTRA int=1, string=b, <nil>)"),
        ("printf `%`", "%!(NOVERB)"),
        ("printf `%*d|%-*d|%.*f` 5 42 5 42 2 3.14159", "   42|42   |3.14"),
        ("printf `%*d|` -5 42", "42   |"),
        ("printf `%*d` `x` 42", "%!d(string=x)%!(EXTRA int=42)"),
        ("printf `%s|%d` (fromJson .list) nil", "[a b c]|%!d(<nil>)"),
        ("printf `%v|%s` now now", "2023-11-14 22:13:20.123456789 +0000 UTC|2023-11-14 22:13:20.123456789 +0000 UTC"),
        ("printf `%.4d|%.4x|%d` 42 -255 -3", "0042|-00ff|-3"),
        ("printf `%f|%5.1f|%f` (float64 `inf`) (float64 `-inf`) (float64 `nan`)", "+Inf| -Inf|NaN"),
        ("printf `%c|%q` -1 -1", "\ufffd|'\ufffd'"),
        ("printf `%#x` -255", "-0xff"),
        ("printf `%05s|%+.1f` `ab` 2.0", "000ab|+2.0"),
    ],
)
def test_functions(text: str, expected: str) -> None:
    assert render("{{ " + text + " }}") == expected


def test_every_function_is_tried() -> None:
    marks = {name for mark in test_functions.pytestmark for text, _ in mark.args[1] for name in text.split()}  # type: ignore[attr-defined]
    elsewhere = {"__timestamp__", "now", "and", "or", "not", "fromJson"}
    tried = {name.strip("()") for name in marks} | elsewhere
    assert set(FUNCTIONS) <= tried


# Times


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        ("Mon Jan _2 15:04:05 2006", "Mon Jun 27 18:05:24 2022"),
        ("Monday, 02-January-06 03:04:05PM MST", "Monday, 27-June-22 06:05:24PM UTC"),
        ("2006-01-02T15:04:05.999999999Z07:00", "2022-06-27T18:05:24.12Z"),
        ("2006-01-02T15:04:05,000-0700", "2022-06-27T18:05:24,120+0000"),
        ("1/2/06 3:4:5 pm", "6/27/22 6:5:24 pm"),
        ("002 __2 -07 -07:00 -07:00:00 -070000 Z0700 Z07", "178 178 +00 +00:00 +00:00:00 +000000 Z Z"),
        ("Month, no Janitor", "Month, no Janitor"),
        ("", ""),
    ],
)
def test_layouts(layout: str, expected: str) -> None:
    assert render(f"{{{{ __timestamp__ | date `{layout}` }}}}") == expected


@pytest.mark.parametrize(
    ("layout", "text", "expected"),
    [
        ("2006-01-02T15:04:05Z07:00", "2021-11-02T10:20:30.5+02:00", "2021-11-02 10:20:30.5 +0200 +0200"),
        ("2006-01-02T15:04:05.000Z07:00", "2021-11-02T10:20:30.250Z", "2021-11-02 10:20:30.25 +0000 UTC"),
        ("2006-01-02 15:04:05 -0700", "2021-11-02 10:20:30 -0530", "2021-11-02 10:20:30 -0530 -0530"),
        ("Jan _2 2006 3:04PM", "Nov  2 2021 3:07PM", "2021-11-02 15:07:00 +0000 UTC"),
        ("January 2, 06 03:04 pm", "March 12, 99 12:30 am", "1999-03-12 00:30:00 +0000 UTC"),
        ("Mon 02 Jan 06 15:04 MST", "Tue 02 Nov 21 10:20 UTC", "2021-11-02 10:20:00 +0000 UTC"),
        ("Monday 2006 002", "Friday 2021 001", "2021-01-01 00:00:00 +0000 UTC"),
        ("2006 .00", "2021 .25", "2021-01-01 00:00:00.25 +0000 UTC"),
        ("2006-01-02T15:04:05Z07:00", "9999-12-31T23:59:59-05:00", "0001-01-01 00:00:00 +0000 UTC"),
        ("2006-01-02T15:04:05Z07:00", "0001-01-01T00:00:00+05:00", "0001-01-01 00:00:00 +0000 UTC"),
        ("15:04", "10:20", "0001-01-01 10:20:00 +0000 UTC"),
        ("2006-01-02", "2021-13-02", "0001-01-01 00:00:00 +0000 UTC"),
        ("2006-01-02", "2021-1-02", "0001-01-01 00:00:00 +0000 UTC"),
        ("2006-01-02Z07:00", "2021-01-02+99:00", "0001-01-01 00:00:00 +0000 UTC"),
    ],
)
def test_reading_times(layout: str, text: str, expected: str) -> None:
    assert render(f"{{{{ toDate `{layout}` `{text}` }}}}") == expected


def test_zones_with_their_names() -> None:
    text = "{{ toDateInZone `2006-01-02` `Europe/Berlin` `2021-07-01` | date `15:04 -07:00 MST` }}"
    assert render(text) == "00:00 +02:00 CEST"


@given(st.datetimes().filter(lambda at: at.year > 1000))
def test_times_are_read_back(at: object) -> None:
    text = str(at)[:19]
    layout = "2006-01-02 15:04:05"
    assert render(f"{{{{ toDate `{layout}` `{text}` | date `{layout}` }}}}") == text


# What is refused before any line is seen


@pytest.mark.parametrize(
    ("text", "words", "place"),
    [
        ("{{", "template: line:1: unclosed action", 0),
        ("a\n{{ .a", "template: line:2: unclosed action", 2),
        ("{{ foo }}", 'template: line:1: function "foo" not defined', 3),
        ("{{ if }}", "template: line:1: missing value for if", 6),
        ("{{}}", "template: line:1: missing value for command", 2),
        ("{{ .a | }}", "template: line:1: missing value for command", 8),
        ("{{ | .a }}", 'template: line:1: unexpected "|" in command', 3),
        ("{{end}}", "template: line:1: unexpected {{end}}", 2),
        ("{{else}}", "template: line:1: unexpected {{else}}", 2),
        ("{{if .a}}", "template: line:1: unexpected EOF", 9),
        ("{{if .a}}{{else}}{{else}}{{end}}", "template: line:1: unexpected {{else}}", 19),
        ("{{if .a}}{{else x}}{{end}}", 'template: line:1: unexpected "x" in else', 16),
        ("{{range .a}}{{else if .b}}{{end}}", "template: line:1: unexpected <if> in else", 19),
        ("{{if .a}}{{end x}}", 'template: line:1: unexpected "x" in end', 15),
        ("{{ if .a if }}{{end}}", "template: line:1: unexpected <if> in if", 9),
        ("{{ 'ab' }}", "template: line:1: malformed character constant: 'ab'", 3),
        ("{{ '\\q' }}", "template: line:1: invalid syntax: '\\q'", 3),
        ('{{ "\\q" }}', 'template: line:1: invalid syntax: "\\q"', 3),
        ("{{ $x }}", 'template: line:1: undefined variable "$x"', 3),
        ("{{ $x = 1 }}", 'template: line:1: undefined variable "$x"', 3),
        ("{{if $x := 1}}{{end}}{{$x}}", 'template: line:1: undefined variable "$x"', 23),
        ("{{ (.a }}", "template: line:1: unclosed left paren", 7),
        ("{{ ( }}", "template: line:1: unclosed left paren", 5),
        ("{{ () }}", "template: line:1: missing value for parenthesized pipeline", 4),
        ("{{ .a ) }}", 'template: line:1: unexpected ")" in command', 6),
        ('{{ "a }}', "template: line:1: unterminated quoted string", 3),
        ("{{ 'a }}", "template: line:1: unterminated character constant", 3),
        ("{{ `a }}", "template: line:1: unterminated raw quoted string", 3),
        ("{{ contains(.a) `b` }}", 'template: line:1: unexpected "(" in operand', 11),
        ("{{ .a.b`x` }}", 'template: line:1: unexpected "`x`" in operand', 7),
        ("{{.a-}}", "template: line:1: unexpected bad character U+002D '-' in command", 4),
        ("{{break}}", "template: line:1: {{break}} outside {{range}}", 2),
        ("{{range .a}}{{break x}}{{end}}", 'template: line:1: unexpected "x" in break', 20),
        ("{{ .a | 3 }}", "template: line:1: non executable command in pipeline stage 2", 8),
        ("{{template `x`}}", "template: line:1: {{template}} is not supported here", 2),
        ("{{define `x`}}{{end}}", "template: line:1: {{define}} is not supported here", 2),
        ("{{ 1a }}", 'template: line:1: bad number syntax: "1a"', 3),
        ("{{ 99999999999999999999 }}", 'template: line:1: bad number syntax: "99999999999999999999"', 3),
        ("{{ .a ; }}", "template: line:1: unexpected bad character U+003B ';' in command", 6),
        ("{{ {{ }}", 'template: line:1: unexpected "{" in operand', 3),
        ("{{/* a", "template: line:1: unclosed comment", 0),
        ("{{/* a */ b }}", "template: line:1: comment ends before closing delimiter", 2),
        ("{{ veryLongFunctionName }}", 'template: line:1: function "veryLongFunctionName" not defined', 3),
        ("{{ end `averyverylong` }}", "template: line:1: unexpected {{end}}", 3),
        ("{{if .a}}{{end `averyverylong`}}", 'template: line:1: unexpected "`averyvery"... in end', 15),
        ("{{" + "(" * 50 + "1" + ")" * 50 + "}}", "template: line:1: more than 40 levels within each other", 42),
        ("{{if 1}}" * 50 + "{{end}}" * 50, "template: line:1: more than 40 levels within each other", 322),
    ],
)
def test_refused(text: str, words: str, place: int) -> None:
    error = refusal(text)
    assert (error.words, error.position) == (words, place)
    assert error.hint


def test_a_mistyped_function_gets_a_suggestion() -> None:
    assert refusal("{{ .a | uper }}").hint.startswith("did you mean upper")
    assert refusal("{{ zzzzzz }}").hint == "a label begins with a dot: .label"


def test_errors_name_the_kind_of_template() -> None:
    with pytest.raises(QueryError, match='template: label:1: function "x" not defined'):
        compile_template("{{x}}", name="label")


# What fails for a line

HERE = 'template: line:1:3: executing "line" at <{}>: {}'


@pytest.mark.parametrize(
    ("text", "shown", "message"),
    [
        ("{{ .foo Replace `x` }}", ".foo", "foo is not a method but has arguments"),
        ("{{ .foo.bar }}", ".foo.bar", "can't evaluate field bar in type string"),
        ("{{ $.foo.bar }}", "$.foo.bar", "can't evaluate field bar in type string"),
        ("{{ . 1 }}", ".", "can't give argument to non-function ."),
        ("{{ 1 2 }}", "1", "can't give argument to non-function 1"),
        ("{{ lower }}", "lower", "wrong number of args for lower: want 1 got 0"),
        ("{{ lower .foo .bar }}", "lower", "wrong number of args for lower: want 1 got 2"),
        ("{{ max }}", "max", "wrong number of args for max: want at least 1 got 0"),
        ("{{ and }}", "and", "wrong number of args for and: want at least 1 got 0"),
        ("{{ lower 5 }}", "lower", "wrong type for value; expected string; got int"),
        ("{{ lower nil }}", "lower", "invalid value; expected string"),
        ("{{ trunc .foo .foo }}", "trunc", "wrong type for value; expected int; got string"),
        ("{{ trunc (add 1 1) .foo }}", "trunc", "wrong type for value; expected int; got int64"),
        ("{{ trunc true .foo }}", "trunc", "wrong type for value; expected int; got bool"),
        ("{{ round 1 1 `x` }}", "round", "wrong type for value; expected float64; got string"),
        ("{{ unixEpoch .foo }}", "unixEpoch", "wrong type for value; expected time.Time; got string"),
        ("{{ lower (fromJson .list) }}", "lower", "wrong type for value; expected string; got []interface {}"),
        ("{{ lower . }}", "lower", "wrong type for value; expected string; got map[string]interface {}"),
        ("{{ div 1 0 }}", "div", "error calling div: runtime error: integer divide by zero"),
        ("{{ mod 1 `x` }}", "mod", "error calling mod: runtime error: integer divide by zero"),
        ("{{ divf 1 0 }}", "divf", "error calling divf: decimal division by 0"),
        ("{{ addf 1 `inf` }}", "addf", "error calling addf: Cannot create a Decimal from a number that is not finite"),
        ("{{ date `2006` 999999999999 }}", "date", "error calling date: date value out of range"),
        ("{{ repeat -1 `x` }}", "repeat", "error calling repeat: strings: negative Repeat count"),
        (
            "{{ repeat 5000000 `x` }}",
            "repeat",
            "error calling repeat: a text of 5,000,000 characters is longer than 4,000,000",
        ),
        (
            "{{ alignLeft 5000000 `x` }}",
            "alignLeft",
            "error calling alignLeft: a text of 5,000,000 characters is longer than 4,000,000",
        ),
        ("{{ substr 3 1 .foo }}", "substr", "error calling substr: slice bounds out of range [3:1] with length 4"),
        ("{{ substr 9 -1 .foo }}", "substr", "error calling substr: slice bounds out of range [9:4] with length 4"),
        ("{{ urldecode `%zz` }}", "urldecode", 'error calling urldecode: invalid URL escape "%zz"'),
        ("{{ urldecode `%` }}", "urldecode", 'error calling urldecode: invalid URL escape "%"'),
        ("{{ duration `x` }}", "duration", 'error calling duration: time: invalid duration "x"'),
        ("{{ bytes `x` }}", "bytes", 'error calling bytes: unhandled size name or number: "x"'),
        (
            "{{ unixToTime `12` }}",
            "unixToTime",
            "error calling unixToTime: unable to parse time '12': strconv.ParseInt: parsing \"12\": invalid syntax",
        ),
        (
            "{{ unixToTime `abcde` }}",
            "unixToTime",
            "error calling unixToTime: unable to parse time 'abcde': "
            'strconv.ParseInt: parsing "abcde": invalid syntax',
        ),
        ("{{ count `(` `x` }}", "count", "error calling count: error parsing regexp: missing closing ): `(`"),
        ("{{ eq 1 `1` }}", "eq", "error calling eq: incompatible types for comparison"),
        ("{{ eq 1 1.0 }}", "eq", "error calling eq: incompatible types for comparison"),
        ("{{ eq 1 }}", "eq", "error calling eq: missing argument for comparison"),
        ("{{ eq . . }}", "eq", "error calling eq: non-comparable type"),
        ("{{ lt 1 `x` }}", "lt", "error calling lt: incompatible types for comparison"),
        ("{{ lt true false }}", "lt", "error calling lt: invalid type for comparison"),
        ("{{ len 5 }}", "len", "error calling len: len of type int"),
        ("{{ len nil }}", "len", "error calling len: len of nil pointer"),
        ("{{ index .foo 9 }}", "index", "error calling index: index out of range: 9"),
        ("{{ index .foo `x` }}", "index", "error calling index: cannot index slice/array with type string"),
        ("{{ index nil 1 }}", "index", "error calling index: index of untyped nil"),
        ("{{ index 5 1 }}", "index", "error calling index: can't index item of type int"),
        ("{{ index . 1 }}", "index", "error calling index: value has type int; should be string"),
        ("{{ slice nil }}", "slice", "error calling slice: slice of untyped nil"),
        ("{{ slice 5 }}", "slice", "error calling slice: can't slice item of type int"),
        ("{{ slice .foo 1 2 3 }}", "slice", "error calling slice: too many slice indexes: 3"),
        ("{{ slice .foo 9 }}", "slice", "error calling slice: index out of range: 9"),
        ("{{ slice .foo `x` }}", "slice", "error calling slice: cannot index slice/array with type string"),
        ("{{ slice .foo 3 1 }}", "slice", "error calling slice: invalid slice index: 3 > 1"),
        (
            "{{ printf `%99999d` 1 }}",
            "printf",
            "error calling printf: error calling printf: a width over 10,000 is not supported",
        ),
    ],
)
def test_what_fails_for_a_line(text: str, shown: str, message: str) -> None:
    said = failure(text)
    assert said.endswith(f"at <{shown}>: {message}")
    assert said.startswith("template: line:1:")
    assert 'executing "line"' in said


def test_errors_show_line_and_column_in_bytes_and_cut_what_is_long() -> None:
    assert failure("é\nü {{ .foo.bar }}") == (
        'template: line:2:6: executing "line" at <.foo.bar>: can\'t evaluate field bar in type string'
    )
    assert "<(printf `%s` .foo).b...>" in failure("{{ (printf `%s` .foo).barbarbar }}")
    assert "nil data; no entry for key b" in failure("{{ (fromJson `null`).b }}")
    assert failure("{{ range .foo }}{{ end }}").endswith("range can't iterate over blip")
    assert failure("{{ range 1.5 }}{{ end }}").endswith("range can't iterate over 1.5")
    assert "more than 200,000 rounds" in failure("{{ range 999999999 }}{{ end }}")
    assert "the result is longer than" in failure("{{ range 100 }}{{ repeat 100000 `x` }}{{ end }}")
    assert "is longer than" in failure("{{ replace `` (repeat 2000 `x`) (repeat 9000 `x`) }}")
    assert "is longer than" in failure("{{ regexReplaceAll `x` (repeat 9000 `x`) (repeat 2000 `y`) }}")
    assert "is longer than" in failure("{{ indent 2000 (repeat 9000 `\n`) }}")


def test_the_time_of_the_line_stands_for_now_when_nothing_else_is_said() -> None:
    assert Template("{{ now | unixEpoch }}").render({}, "", 5 * 10**9) == "5"


def test_a_template_is_compiled_once() -> None:
    assert compile_template("{{ .a }}") is compile_template("{{ .a }}")


# Any template, any line

PIECES = (
    *("{{", "}}", "{{-", "-}}", "{{if .a}}", "{{else}}", "{{else if .b}}", "{{end}}", "{{range fromJson .a}}", "{{.}}"),
    *("{{with .b}}", "{{break}}", "$x", ":=", "=", "|", "(", ")", ".a", ".b.c", "`x`", '"y"', "1", "1.5", "'z'", "nil"),
    *("true", ",", " ", "\n", "text", "/*", "*/", "{{ $x := .a }}", "{{ $x }}"),
)


@given(
    st.one_of(st.text(max_size=30), st.lists(st.sampled_from((*PIECES, *FUNCTIONS)), max_size=12).map(" ".join)),
    st.dictionaries(st.sampled_from("abc"), st.text(max_size=10)),
    st.text(max_size=10),
)
def test_any_template_is_filled_in_or_refused(text: str, labels: dict[str, str], line: str) -> None:
    try:
        assert isinstance(compile_template(text).render(labels, line, TIMESTAMP), str)
    except QueryError as error:
        assert error.position is not None  # noqa: PT017
        assert 0 <= error.position <= len(text)  # noqa: PT017
    except TemplateError as error:
        assert "template: line:" in str(error) or "longer than" in str(error)  # noqa: PT017


values = st.one_of(
    st.just("nil"),
    st.sampled_from(
        (".a", ".", "now", "(fromJson .j)", "true", "`%d`", "-1", "0", "3", "9223372036854775807", "1e300")
    ),
    st.integers(-100, 100).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda value: f"{value:.17g}"),
)


@given(st.sampled_from(sorted(FUNCTIONS)), st.lists(values, max_size=4), st.text(max_size=12), st.text(max_size=12))
def test_any_function_takes_anything_or_says_why_not(name: str, given_values: list[str], a: str, j: str) -> None:
    template = compile_template(f"{{{{ {name} {' '.join(given_values)} }}}}")
    try:
        assert isinstance(template.render({"a": a, "j": j}, "line", TIMESTAMP), str)
    except TemplateError as error:
        assert str(error)  # noqa: PT017


@given(st.text(max_size=20), st.text(max_size=20))
def test_texts_stay_as_they_are(text: str, value: str) -> None:
    assert Template(text.replace("{", "") + "{{.a}}").render({"a": value}, "", 0) == text.replace("{", "") + value


@pytest.mark.parametrize(
    "text", ["{{.a}}" * 16_000, "{{/* x */}}" * 9_000, "{" * 100_000, "{{`" + "x" * 100_000 + "`}}"]
)
def test_a_long_template_takes_no_longer_than_it_is(text: str) -> None:
    def write() -> None:
        with contextlib.suppress(QueryError):
            Template(text).render({"a": "b"}, "", 0)

    assert least_seconds(write, 4) < 4
