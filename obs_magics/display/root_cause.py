"""What contributed to an incident, as a reader checks it: each factor with its evidence and the tests that it stood."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from functools import partial

from obs_magics.display import markup
from obs_magics.display.inline import inline
from obs_magics.display.panel import Section
from obs_magics.display.theme import PALETTE
from obs_magics.display.times import clock
from obs_magics.display.traces import grid
from obs_magics.display.traces.grid import Column
from obs_magics.display.traces.style import STYLE
from obs_magics.display.visible import short
from obs_magics.model.root_cause import Evidence, Factor, Outcome, Refutation, RuledOut

_TITLE, _CLAIM, _REASON = 160, 400, 400
_INDENT = "   "

# Icon and word for how a test ended: neither colour nor picture alone tells it.
_OUTCOMES: dict[Outcome, tuple[str, str]] = {
    "held": ("✔", "held"),
    "failed": ("✖", "failed"),
    "not tested": ("–", "not tested"),
}
_SURE: tuple[tuple[float, str], ...] = (
    (0.85, "very likely"),
    (0.6, "likely"),
    (0.3, "possible"),
    (0.0, "may contribute"),
)

Refer = Callable[[Evidence], str]
_About = Callable[[Factor], str]

_RULES = f"""\
.obs-magics .obs-factor{{border-left:3px solid {PALETTE[0]};padding:.1em 0 .3em .8em;margin:.7em 0}}
.obs-magics .obs-factor.obs-first{{border-left-color:{PALETTE[1]}}}
.obs-magics .obs-factor .obs-share{{width:8em;display:inline-block;vertical-align:-.05em}}
.obs-magics .obs-factor>div:first-child{{font-weight:600}}
.obs-magics .obs-tests{{font-size:.95em}}
.obs-magics .obs-ref{{font-size:.85em;white-space:nowrap}}"""


def confidence_words(confidence: float) -> str:
    """How sure it is, in words and percents: "very likely (92 %)".

    >>> confidence_words(0.92)
    'very likely (92 %)'
    """
    word = next(word for least, word in _SURE if confidence >= least)
    percents = "<1" if confidence < 0.01 else ">99" if confidence > 0.99 else f"{100 * confidence:.0f}"
    return f"{word} ({percents} %)"


def factors_section(
    factors: Sequence[Factor],
    *,
    zone: str,
    title: str = "What contributed",
    day: bool = False,
    refer: Refer | None = None,
) -> Section:
    """The factors, most likely first, each with what speaks for it and what could have spoken against it.

    Args:
        factors: Of a report.
        zone: IANA name of the zone in which times are written.
        title: What stands above.
        day: Whether times are written with their day.
        refer: Where a piece of evidence stands in full: the name of a place in the same document; None for nowhere.
    """
    return Section(
        partial(_factors_html, factors, partial(about_factor, zone=zone, day=day), title, refer),
        partial(_factors_text, factors, partial(about_factor, zone=zone, day=day), title),
        f"{STYLE}\n{_RULES}",
    )


def _factors_html(factors: Sequence[Factor], about: _About, title: str, refer: Refer | None) -> str:
    over = markup.element("div", markup.text(title), "obs-over")
    if not factors:
        over += markup.element("p", "nothing stands out", "obs-quiet")
    cards = "".join(_card(place, one, about(one), refer) for place, one in enumerate(factors))
    return markup.element("div", over + cards, "obs-traces")


def _card(place: int, one: Factor, about: str, refer: Refer | None) -> str:
    head = f"{place + 1}. {inline(named_factor(one), _TITLE).html}"
    sure = f"{grid.bar([one.confidence])[0]} {markup.text(about)}"
    claims = "".join(
        markup.element("li", inline(said.claim, _CLAIM).html + _reference(refer(said) if refer else ""))
        for said in one.evidence
    )
    tests = "".join(markup.element("li", _test_html(test)) for test in one.refutations)
    inside = markup.element("div", head) + markup.element("div", sure, "obs-quiet") + markup.element("ul", claims)
    if tests:
        inside += markup.element("div", "put to the test:", "obs-quiet") + markup.element("ul", tests, "obs-tests")
    return markup.element("div", inside, "obs-factor" if place else "obs-factor obs-first")


def _reference(place: str) -> str:
    """A link to where the evidence stands in full."""
    return f' <a class="obs-ref" href="#{markup.text(place)}">{markup.text(place)}</a>' if place else ""


def _test_html(test: Refutation) -> str:
    icon, word = _OUTCOMES[test.outcome]
    mark = markup.element("strong", f'<span aria-hidden="true">{icon}</span> {word}')
    return f"{mark}: {markup.text(test.question)} {inline(test.detail, _REASON).html}"


def outcome_words(test: Refutation) -> str:
    """How a test ended, what was asked, and what was seen: "held: Did it end with the symptom? yes"."""
    return f"{_OUTCOMES[test.outcome][1]}: {test.question} {short(test.detail, _REASON)}"


def named_factor(one: Factor) -> str:
    """Its title, with the service where the title does not name it."""
    return one.title if not one.service or one.service in one.title else f"{one.service}: {one.title}"


def about_factor(one: Factor, zone: str, *, day: bool = False) -> str:
    """How sure it is, and since when: "likely (70 %); changed at 14:13"."""
    since = f"; since {clock(one.onset_ns, zone, day=day)}" if one.onset_ns is not None else ""
    when = f"; changed at {clock(one.change.at_ns, zone, day=day)}" if one.change else since
    return f"{confidence_words(one.confidence)}{when}"


def _factors_text(factors: Sequence[Factor], about: _About, title: str, width: int) -> str:
    lines = [title] if factors else [f"{title}: nothing stands out"]
    for place, one in enumerate(factors):
        lines += textwrap.wrap(
            f"{place + 1}. {short(named_factor(one), _TITLE)} – {about(one)}",
            width,
            subsequent_indent=_INDENT,
        )
        for evidence in one.evidence:
            lines += _bullet("•", short(evidence.claim, _CLAIM), width)
        for test in one.refutations:
            icon, _ = _OUTCOMES[test.outcome]
            lines += _bullet(icon, outcome_words(test), width)
    return "\n".join(lines)


def _bullet(mark: str, text: str, width: int) -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=f"{_INDENT}{mark} ", subsequent_indent=f"{_INDENT}  ", break_on_hyphens=False
    )


def ruled_out_section(rows: Sequence[RuledOut], *, zone: str, title: str = "Ruled out", day: bool = False) -> Section:
    """What might have been and was not, and why not.

    Args:
        rows: Of a report.
        zone: In which times are written.
        title: What stands above.
        day: Whether times are written with their day.
    """
    times = ["" if one.change is None else clock(one.change.at_ns, zone, day=day) for one in rows]
    services = ["" if one.service == one.title else one.service for one in rows]
    columns = [
        grid.numbers("time", times, rank=2),
        Column(
            "what", [inline(one.title, _TITLE).html for one in rows], [short(one.title, 60) for one in rows], "name"
        ),
        Column("service", [inline(one, 60).html for one in services], [short(one, 24) for one in services], rank=1),
        Column(
            "why not",
            [inline(one.reason, _REASON).html for one in rows],
            [short(one.reason, _REASON) for one in rows],
            "below",
        ),
    ]
    about = "" if rows else "nothing"
    return Section(
        partial(grid.section_html, title, about, columns, ()),
        partial(grid.section_text, title, about, columns, ()),
        STYLE,
    )
