"""The postmortem of the demo's incident, in all its forms, and of incidents of which little is known."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from conftest import missing

from obs_magics import Session, demo
from obs_magics.display.document import Facts, Figure, Piece
from obs_magics.display.panel import Note
from obs_magics.display.table import Table
from obs_magics.incident.enriched import Enriched
from obs_magics.incident.investigate import Investigation, investigate
from obs_magics.incident.pdf import find_browser
from obs_magics.incident.prose import written
from obs_magics.incident.report import Impact, Postmortem, Slo, impact_of
from obs_magics.incident.report.figures import charts_of
from obs_magics.incident.verdict import headline, verdict_panel
from obs_magics.model.errors import ObsError, UsageError
from obs_magics.model.events import Event, events_frame
from obs_magics.model.root_cause import RootCauseReport

_WORDS = (
    "# Payments failed\n\n## Lessons\n\nOne thing at a time. <script>alert(1)</script>"
    "\n\n## Actions\n\n- [ ] page (@anna)"
)


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Session() as session:
        session.connect("demo", str(demo.open()))
        yield session


@pytest.fixture(scope="module")
def enriched(session: Session) -> Enriched:
    return session.enrich("payment-api", "2026-11-22T14:15:00Z")


@pytest.fixture(scope="module")
def found(enriched: Enriched) -> Investigation:
    return investigate(enriched)


@pytest.fixture(scope="module")
def report(found: Investigation) -> Postmortem:
    return Postmortem(found=found, slo=Slo.parse("99.9%/30d"), written=written(_WORDS))


# ── the verdict ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_pool_change_comes_first_and_the_deploy_is_ruled_out(found: Investigation) -> None:
    first = found.factors[0]
    assert first.change is not None
    assert (first.service, first.change.title) == ("payment-api", "redis pool: max connections 100 → 20")
    assert found.conclusion == "a change"
    out = {one.title: one.reason for one in found.ruled_out}
    assert "did not help" in out["payment-api@v2.4.1: Currency rounding for refunds"]
    assert "recommendation-service@v5.0.3: New ranking weights" in out
    assert "Flag new-cart-banner: 10 % → 50 %" in out


def test_errors_spread_from_payments_to_users_to_orders(found: Investigation) -> None:
    assert [step.service for step in found.spread()] == ["payment-api", "user-service", "order-service"]


def test_the_slow_inventory_explains_checkout(session: Session) -> None:
    found = investigate(session.enrich("checkout-api", "2026-11-22T12:45:00Z"))
    first = found.factors[0]
    assert first.change is not None
    assert first.change.title == "Migration 0042 drops index inventory_sku_idx"


def test_every_number_of_the_evidence_is_computed_again(found: Investigation) -> None:
    every = [one.claim for factor in found.factors for one in factor.evidence]
    assert found.check() == len(set(every)) > 0
    first = found.report.factors[0]
    twice = replace(found, report=replace(found.report, factors=(first, first)))
    assert twice.check() == len(first.evidence)


def test_a_number_that_was_changed_is_found(found: Investigation) -> None:
    first = found.report.factors[0]
    wrong = replace(first.evidence[1], value=first.evidence[1].value * 2)
    factor = replace(first, evidence=(first.evidence[0], wrong, *first.evidence[2:]))
    changed = replace(found, report=replace(found.report, factors=(factor, *found.report.factors[1:])))
    with pytest.raises(ObsError, match="does not fit its frames"):
        changed.check()


def test_the_same_frames_give_the_same_report(found: Investigation, enriched: Enriched) -> None:
    again = investigate(enriched)
    assert again.report == found.report
    assert RootCauseReport.from_dict(json.loads(json.dumps(found.report.to_dict()))) == found.report


def test_the_panel_says_it_in_html_and_text(found: Investigation) -> None:
    panel = verdict_panel(found, name="incident", zone="Europe/Berlin")
    text = panel.to_text(100)
    assert "redis pool: max connections 100 → 20" in text.split("\n")[0]
    assert "payment-api 15:23:02 (Connection pool exhausted) → user-service" in " ".join(text.split())
    assert "Ruled out" in text
    assert "%obs_report incident" in text
    assert panel.to_html().count('class="obs-factor') == len(found.factors)


# ── impact ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_impact_is_the_integral_of_rate_and_error_rate(report: Postmortem, enriched: Enriched) -> None:
    frame = enriched.metrics[enriched.metrics["service"] == "payment-api"]
    inside = frame[(frame["timestamp"] >= "2026-11-22T14:15Z") & (frame["timestamp"] < "2026-11-22T14:50Z")]
    rate = inside[inside["metric"] == "throughput"].set_index("timestamp")["value"]
    errors = inside[inside["metric"] == "error_rate"].set_index("timestamp")["value"]
    impact = report.impact
    assert impact.duration_ns == 35 * 60 * 10**9
    assert impact.requests == pytest.approx(float(rate.sum()) * 15)
    assert impact.failed == pytest.approx(float((rate * errors).sum()) * 15)
    assert impact.usual_failed is not None
    assert impact.failed > 20 * impact.usual_failed
    before = frame[(frame["metric"] == "throughput") & (frame["timestamp"] < "2026-11-22T14:15Z")]["value"].median()
    assert impact.budget_share == pytest.approx(impact.failed / (0.001 * before * 30 * 86400))


def test_without_metrics_the_impact_is_unknown(enriched: Enriched) -> None:
    bare = replace(enriched, metrics=enriched.metrics.iloc[:0], incident=replace(enriched.incident, end_ns=None))
    impact = impact_of(bare, Slo.parse("99%"))
    assert impact == Impact(slo=Slo.parse("99%"), open_because=bare.incident.end_because)
    assert impact.facts() == [
        ("Duration", bare.incident.end_because),
        ("Requests", "not known: no source tells how many there were"),
        ("Objective", "99 % of requests succeed over 30 d"),
    ]


@pytest.mark.parametrize("text", ["", "100%", "0", "99.9 %/", "most", "99.9%/30 d x", "-3%"])
def test_what_is_no_objective_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Slo.parse(text)


# ── the document ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_page_has_every_section_and_nothing_from_elsewhere(report: Postmortem) -> None:
    html = report.to_html()
    sections = re.findall(r'<section id="(\w+)"', html)
    assert sections == [
        "summary", "impact", "detection", "timeline", "factors", "ruled_out", "actions", "lessons", "evidence",
    ]  # fmt: skip
    assert "<h1>Payments failed</h1>" in html
    assert "<script" not in html
    assert not re.findall(r'(?:src|href)="(?!#|data:)', html)
    assert "One thing at a time." in html
    assert "Error budget used" in html


def test_the_same_report_is_the_same_bytes(report: Postmortem, found: Investigation) -> None:
    again = Postmortem(found=found, slo=report.slo, written=report.written)
    assert again.to_html() == report.to_html()
    assert again.to_json() == report.to_json()


def test_actions_come_from_what_was_found(report: Postmortem) -> None:
    first = report.actions[0]
    assert (first.kind, first.because) == ("mitigate", "redis pool: max connections 100 → 20")
    assert any("waiting for a connection" in one.what for one in report.actions if one.kind == "prevent")


@pytest.mark.parametrize("name", ["report.html", "report.md", "report.json", "report.pdf"])
def test_it_is_saved_in_the_form_of_its_ending(report: Postmortem, tmp_path: Path, name: str) -> None:
    if name.endswith("pdf") and find_browser() is None:
        missing("chromium", "apt-get install chromium")
    path = report.save(tmp_path / "new" / name)
    content = path.read_bytes()
    if name.endswith("json"):
        data = json.loads(content)
        assert data["impact"]["slo"] == "99.9 % in 30d"
        assert list(data["summary"]) == ["What happened", "Impact", "Why", "Ruled out", "Response", "Next"]
        assert (data["status"], data["zone"]) == ("", "UTC")
        assert data["timeline"][0]["timestamp"].startswith("2026-11-2")
    elif name.endswith("md"):
        pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", content.decode())
        assert pictures
        assert all((path.parent / one).is_file() for one in pictures)
    else:
        assert content.startswith(b"<!doctype html>" if name.endswith("html") else b"%PDF")
    assert [one for one in path.parent.iterdir() if one.name.startswith(".")] == []


@pytest.mark.parametrize(("name", "said"), [("report.docx", "no report in the form"), ("report", "no ending")])
def test_another_ending_is_refused(report: Postmortem, tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        report.save(tmp_path / name)
    assert ".html" in str(caught.value)


def test_a_folder_that_cannot_be_written_is_named(report: Postmortem, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ObsError, match="cannot be written"):
        report.save(tmp_path / "file" / "report.json")


def test_nothing_known_is_said(session: Session, enriched: Enriched) -> None:
    bare = {
        name: getattr(enriched, name).iloc[:0] for name in ("metrics", "events", "spans", "first_errors", "topology")
    }
    logs = {"all_error_logs": enriched.all_error_logs.iloc[:0], "patterns": enriched.patterns.iloc[:0]}
    empty = investigate(replace(enriched, shifts=(), questions=(), **bare, **logs))
    assert empty.conclusion == "not enough evidence"
    report = Postmortem(found=empty)
    assert report.title == "payment-api: incident of 22 November 2026"
    html = report.to_html()
    assert "What caused it is not known" in html
    assert 'id="lessons"' not in html
    assert isinstance(json.loads(report.to_json()), dict)
    assert "not enough evidence" in verdict_panel(empty, name="", zone="UTC").to_text()


def test_notes_of_people_stand_in_the_timeline(found: Investigation) -> None:
    from obs_magics.model.incident import Remark

    at_ns = int(pd.Timestamp("2026-11-22T14:31Z").value)
    report = Postmortem(found=found, notes=[Remark(at_ns=at_ns, text="called the vendor", author="anna")])
    assert "anna: called the vendor" in report.timeline["title"].tolist()
    assert "called the vendor" in report.to_html()


# ── what it says, and how often ──────────────────────────────────────────────────────────────────────────────────────


def test_the_moments_stand_at_the_rows_that_tell_them(report: Postmortem) -> None:
    said = {
        one.moment: report.timeline["title"].iloc[one.row] for one in report.response.milestones if one.row is not None
    }
    assert said == {
        "onset": "p99 latency 400 ms → 2.29 s (5.7×)",
        "detected": "p99 of payment-api is above 1 s",
        "mitigated": "redis pool: max connections 20 → 100",
        "recovered": "p99 latency back to 400 ms",
    }
    rows = [re.sub("<[^>]*>", " ", row) for row in re.findall("<tr .*?</tr>", report.to_html())]
    marked = {"5.7×": "onset", "above 1 s": "detected +6 min", "20 → 100": "mitigated +32 min"}
    for title, mark in marked.items():
        assert any(title in " ".join(row.split()) and mark in row for row in rows), title


def test_what_the_charts_mark_is_told_once(report: Postmortem) -> None:
    figures = [figure.chart for figure in report.document.figures[:4]]
    assert all("subtitle" not in chart.still["title"] for chart in figures)
    impact = next(part for part in report.document.parts if part.key == "impact")
    marks = next(block for block in impact.blocks if isinstance(block, Table))
    assert [row[0] for row in marks.rows] == ["A", "B", "C", "D", "E"]
    assert marks.rows[1][1:] == ("14:13", "config change", "payment-api", "redis pool: max connections 100 → 20")


def test_each_letter_means_one_event_in_every_chart(enriched: Enriched) -> None:
    """Of many events those nearest to the onset are marked; a measure that begins later does not move the letters."""
    start = pd.Timestamp(enriched.incident.start_ns, unit="ns", tz="UTC")
    many = [
        Event(start_ns=enriched.incident.start_ns + 60 * 10**9 * minute, kind="restart", service="payment-api",
              title=f"restart {minute}")
        for minute in range(-20, 21)
    ]  # fmt: skip
    late = (enriched.metrics["metric"] == "throughput") & (enriched.metrics["timestamp"] < start - pd.Timedelta("3min"))
    found = replace(enriched, events=events_frame(many), metrics=enriched.metrics[~late])
    blocks = charts_of(found, "UTC")
    table, note = blocks[0], blocks[1]
    assert isinstance(table, Table)
    assert isinstance(note, Note)
    assert [str(row[4]) for row in table.rows] == [f"restart {minute}" for minute in range(-3, 9)]
    assert note.text == "12 more events not marked; the timeline has them"
    spoken = [figure.chart.to_text(100) for figure in blocks if isinstance(figure, Figure)]
    assert len(spoken) == 4
    assert all("A 14:12 restart payment-api: restart -3" in text for text in spoken)


def test_a_number_of_several_factors_and_a_query_asked_often_stand_once(found: Investigation) -> None:
    first = found.report.factors[0]
    second = replace(first, evidence=first.evidence[1:])
    report = Postmortem(found=replace(found, report=replace(found.report, factors=(first, second))))
    evidence = next(part for part in report.document.parts if part.key == "evidence")
    numbers = next(block for block in evidence.blocks if isinstance(block, Table))
    asked = next(block.plain[0] for block in evidence.blocks if isinstance(block, Piece))
    assert isinstance(asked, Table)
    assert [row[1] for row in numbers.rows] == ["1", *["1, 2"] * (len(first.evidence) - 1)]
    every = [row for row in asked.rows if row[2] == '{ resource.service.name = "payment-api" }']
    assert every == [("demo", "traces", '{ resource.service.name = "payment-api" }', "13:45", "14:50", 8)]


def test_markdown_has_tables_and_lists_and_no_blocks_of_code(report: Postmortem, tmp_path: Path) -> None:
    text = report.save(tmp_path / "report.md").read_text()
    assert "```" not in text
    assert "| 22 Nov 14:21 | +6 min | alert | payment-api | p99 of payment-api is above 1 s | 22 Nov 14:52 |" in text
    assert "Factor 1: payment-api: redis pool: max connections 100 → 20 – very likely" in text
    assert "| 14:12 | payment-api@v2.4.1: Currency rounding for refunds | payment-api | was taken back" in text


def test_the_day_in_the_title_is_that_of_the_zone(found: Investigation) -> None:
    report = Postmortem(found=found, zone="Pacific/Kiritimati")
    assert report.title == "payment-api: incident of 23 November 2026"
    assert "Mon 23 Nov 2026, Pacific/Kiritimati" in report.to_html()


def test_actions_are_about_what_was_found_and_not_about_words_in_error_lines(report: Postmortem) -> None:
    assert report.actions
    assert not any("timeout" in one.because.lower() for one in report.actions)


def test_the_service_is_named_once_in_the_verdict(found: Investigation) -> None:
    assert headline(found).startswith("payment-api: redis pool: max connections 100 → 20 – very likely")


def test_without_a_change_the_cause_is_said_to_be_unknown(found: Investigation) -> None:
    second = replace(found.report.factors[0], change=None)
    bare = replace(found, report=replace(found.report, factors=(second,), conclusion="no change", reason="none fits"))
    assert headline(bare).startswith("payment-api: cause not known; ")
    html = Postmortem(found=bare).to_html()
    assert "What caused it is not known. Where to look: payment-api, very likely (96&nbsp;%); " in html
    assert "No change explains it: none fits." in html


def test_what_failed_for_one_reason_is_said_once(found: Investigation) -> None:
    failed = tuple(f"traces {number}: shop: there are no spans" for number in range(1, 5))
    told = replace(found, enriched=replace(found.enriched, failed=(*failed, "interrupted")))
    panel = verdict_panel(told, name="", zone="UTC").to_text(100)
    assert panel.count("there are no spans") == 1
    assert "traces: shop: there are no spans" in panel
    assert "interrupted" in panel
    assert Postmortem(found=told).to_html().count("there are no spans") == 1


def test_measures_without_a_number_have_no_chart(found: Investigation) -> None:
    metrics = found.enriched.metrics.assign(value=float("nan"))
    report = Postmortem(found=replace(found, enriched=replace(found.enriched, metrics=metrics)))
    assert report.impact.requests is None
    assert report.impact.failed is None
    assert "No number" not in report.to_html()
    without = replace(found.enriched, metrics=metrics.drop(columns="value").iloc[:0])
    assert charts_of(without, "UTC") == []


def test_hostile_titles_do_not_leave_their_place(found: Investigation) -> None:
    first = found.report.factors[0]
    hostile = "<b>x</b> \x1b[31m\u202egnp.exe | `tick`"
    told = replace(found, report=replace(found.report, factors=(replace(first, title=hostile),)))
    for text in (repr(told), headline(told), Postmortem(found=told, written=written(f"# {hostile}")).to_html()):
        assert not {"\x1b", "\u202e"} & set(text)
    assert "<b>x" not in Postmortem(found=told).to_html()
    assert "\x1b" not in repr(Postmortem(found=told, written=written(f"# {hostile}")))


def test_beside_the_session_s_time_stands_utc(found: Investigation, tmp_path: Path) -> None:
    text = Postmortem(found=found, zone="Asia/Kolkata").save(tmp_path / "report.md").read_text()
    assert "| time | UTC | from onset | what | service | event | until |" in text
    assert "| 22 Nov 19:51 | 22 Nov 14:21 | +6 min | alert | payment-api |" in text


# ── what a reader who was not there finds ────────────────────────────────────────────────────────────────────────────


def _summary(report: Postmortem) -> dict[str, str]:
    part = next(part for part in report.document.parts if part.key == "summary")
    return dict(next(block.rows for block in part.blocks if isinstance(block, Facts)))


def test_the_summary_says_what_happened_what_it_cost_why_and_what_is_next(report: Postmortem) -> None:
    assert _summary(report) == {
        "What happened": "payment-api was slow and failing from 14:15 to 14:50 (35 min) on Sun 22 Nov 2026, UTC:"
        " p99 latency 400 ms → 2.29 s (5.7×), error rate 0.0884 % → 2.27 % (26×).",
        "Impact": "2,028 of 77,508 requests failed (2.62 %); in the worst minute 8.02 % at 14:25 UTC;"
        " in an ordinary time about 67 would have. That is 3.17 % of the error budget of 30 d."
        " Also affected: checkout-api, user-service, order-service.",
        "Why": _summary(report)["Why"],
        "Ruled out": "The deployment “payment-api@v2.4.1: Currency rounding for refunds” at 14:12: was taken"
        " back (payment-api@v2.4.0: Rollback of v2.4.1), which did not help. And 6 more.",
        "Response": "Noticed after 6 min, at 14:21 (alert: p99 of payment-api is above 1 s). Over at 14:50, 3 min"
        " after “redis pool: max connections 20 → 100”.",
        "Next": "7 actions proposed, the first to keep it from coming back: alert on waiting for a connection"
        " and on the share of the pool in use, before requests fail.",
    }
    cause = "The config change “redis pool: max connections 100 → 20” of payment-api at 14:13 – very likely ("
    assert _summary(report)["Why"].startswith(cause)


def test_what_people_have_to_write_is_said_until_they_wrote_it(report: Postmortem, found: Investigation) -> None:
    assert report.document.status == ""
    bare = Postmortem(found=found)
    assert bare.document.status.startswith(
        "Draft, made from measurements. Still to be written by people: owners and dates of 7"
    )
    assert bare.document.status.endswith("lessons: what went well, what went badly, where you were lucky.")


def test_each_claim_leads_to_its_evidence(report: Postmortem) -> None:
    html = report.to_html()
    links, places = re.findall(r'href="#(E\d+)"', html), re.findall(r'<tr role="row" id="(E\d+)"', html)
    assert places == [f"E{place}" for place in range(1, len(places) + 1)]
    assert set(links) == set(places)


def test_actions_have_a_place_for_owner_and_date(report: Postmortem) -> None:
    part = next(part for part in report.document.parts if part.key == "actions")
    table = next(block for block in part.blocks if isinstance(block, Table))
    assert table.columns == ["action", "when", "because of", "owner", "due"]
    assert table.rows[0][1:] == ("if it comes back", "factor 1", "to be named", "to be set")


def test_an_incident_that_goes_on_is_told_as_one(found: Investigation) -> None:
    enriched = found.enriched
    shifts = tuple(replace(one, end_ns=None) for one in enriched.shifts)
    because = "not over: p99 latency is not back to usual where the data ends"
    incident = replace(enriched.incident, end_ns=None, end_because=because)
    report = Postmortem(found=replace(found, enriched=replace(enriched, incident=incident, shifts=shifts)))
    told = _summary(report)
    assert told["What happened"].startswith(
        "payment-api has been slow and failing since 14:15 on Sun 22 Nov 2026, UTC; not over"
    )
    assert told["Response"].endswith("It is not over.")
    assert told["Next"].startswith("Now: give the pool its size back")
    assert ("Duration", because) in report.impact.facts()


def test_an_end_that_nothing_measures_is_not_called_not_over(found: Investigation) -> None:
    incident = replace(found.enriched.incident, end_ns=None, end_because="not known: no source measures it")
    enriched = replace(found.enriched, incident=incident, shifts=(), metrics=found.enriched.metrics.iloc[:0])
    told = _summary(Postmortem(found=replace(found, enriched=enriched)))
    assert "when it ended is not known. No source has metrics of it." in told["What happened"]
    assert told["Response"].endswith("Its end is not known: no source measures it.")
    assert told["Impact"].startswith(
        "No source tells how many requests failed; there are 60 error lines and 20 failing traces."
    )


def test_without_a_symptom_there_is_nothing_to_explain(found: Investigation) -> None:
    second = replace(found.report.factors[0], change=None, confidence=0.15)
    told = replace(found.report, factors=(second,), conclusion="no change", reason="none fits")
    quiet = replace(found, report=told, enriched=replace(found.enriched, shifts=()))
    assert _summary(Postmortem(found=quiet))["Why"].startswith(
        "There is no symptom to explain. What stands out most around it"
    )


def test_an_incident_over_midnight_names_its_days(found: Investigation) -> None:
    report = Postmortem(found=found, zone="Asia/Kolkata")  # 19:45 to 20:20
    assert "22 Nov" not in _summary(report)["Why"]
    late = replace(found.enriched.incident, start_ns=found.enriched.incident.start_ns - 20 * 3600 * 10**9)
    days = Postmortem(found=replace(found, enriched=replace(found.enriched, incident=late)))
    assert "from 21 Nov 18:15 to 22 Nov 14:50 (20 h 35 min), 21 – 22 Nov 2026, UTC" in days.document.subtitle
    assert "at 22 Nov 14:13" in _summary(days)["Why"]
    assert "changed at 22 Nov 14:13" in days.to_html()


def test_no_folder_of_this_machine_stands_in_a_report(found: Investigation) -> None:
    failed = ("traces: shop (/home/anna/incidents/4711): there are no spans",)
    report = Postmortem(found=replace(found, enriched=replace(found.enriched, failed=failed, warnings=failed)))
    for text in (report.to_html(), report.to_json()):
        assert "/home/anna" not in text
        assert "shop (…/4711)" in text


def test_the_charts_mark_the_cause_in_another_service_and_what_ended_it(session: Session) -> None:
    report = Postmortem(found=investigate(session.enrich("checkout-api", "2026-11-22T12:45:00Z")))
    impact = next(part for part in report.document.parts if part.key == "impact")
    marks = next(block for block in impact.blocks if isinstance(block, Table))
    assert [row[1:] for row in marks.rows] == [
        ("12:38", "config change", "inventory-service", "Migration 0042 drops index inventory_sku_idx"),
        ("12:59:45", "config change", "inventory-service", "Index inventory_sku_idx created again"),
    ]
    assert report.document.figures[0].alt == "p99 latency of checkout-api"


def test_what_no_source_tells_is_not_known_and_what_is_usual_is_no_damage(found: Investigation) -> None:
    metrics = found.enriched.metrics
    rates = replace(found.enriched, metrics=metrics[metrics["metric"] != "error_rate"])
    assert ("Failed requests", "not known: no source tells the error rate") in impact_of(rates).facts()
    calm = Impact(requests=1000.0, failed=3.0, usual_failed=4.0, worst_share=0.2, worst_ns=0)
    assert calm.failed_text() == "3 of 1,000 requests failed (0.3 %), no more than in an ordinary time (about 4)"
    rare = replace(calm, failed=12.0, usual_failed=0.2)
    assert rare.failed_text().endswith(
        "in the worst minute 20 % at 1 Jan 00:00 UTC; in an ordinary time hardly any would have"
    )
    unknown = replace(calm, usual_failed=None, worst_share=None)
    assert unknown.failed_text() == "3 of 1,000 requests failed (0.3 %)"
    none_failed = metrics.assign(value=metrics["value"].where(metrics["metric"] != "error_rate", 0.0))
    assert impact_of(replace(found.enriched, metrics=none_failed)).worst_share is None


def test_an_action_that_no_factor_asks_for_names_its_sign(found: Investigation) -> None:
    none = replace(found.report, factors=(), conclusion="not enough evidence", reason="nothing stands out")
    bare = replace(found, report=none)
    part = next(part for part in Postmortem(found=bare).document.parts if part.key == "actions")
    table = next(block for block in part.blocks if isinstance(block, Table))
    assert {row[2] for row in table.rows} >= {"Connection pool exhausted"}
