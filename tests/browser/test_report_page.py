"""A report as readers meet it: on a screen in the dark, on paper, on a phone, by keyboard; without a script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from obs_magics.display.document import Block, Document, Facts, Figure, Part, Prose, to_html
from obs_magics.display.metrics import metrics_chart
from obs_magics.display.table import Table
from obs_magics.model.frames import TIMESTAMP_DTYPE

_SHOWN = "[...document.querySelectorAll('figure img')].filter(one => one.checkVisibility()).map(one => one.className)"
_CUT = """[...document.querySelectorAll('td, dd, li, h1, p')]
    .filter(one => one.getBoundingClientRect().right > innerWidth + 1).map(one => one.textContent)"""


@pytest.fixture(scope="module")
def page(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    times = pd.date_range("2026-11-22 14:00", periods=30, freq="min", tz="UTC").astype(TIMESTAMP_DTYPE)
    frame = pd.DataFrame({"timestamp": times, "value": range(30), "metric": pd.Categorical(["requests"] * 30)})
    chart = metrics_chart(frame, unit="{request}/s")
    assert chart is not None
    query = "sum by (service) (rate(http_requests_total{service=~'checkout-api|order-service|payment-api'}[1m]))" * 3
    rows = [["14:12", "deployment", "payment-api", "v2.4.1: Currency rounding for refunds", query]] * 3
    blocks: list[Block] = [
        Facts([("What happened", "payment-api was slow and failing from 14:15 to 14:50 (35 min)")]),
        Figure(chart),
        Table(["time", "what", "service", "event", "query"], rows, caption="All that is known"),
        Prose("- [ ] page (@anna)"),
    ]
    document = Document("Payments failed", status="Draft", parts=[Part("summary", "Summary", blocks)])
    path: Path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(to_html(document), encoding="utf-8")
    context = browser.new_context(java_script_enabled=True)
    opened = context.new_page()
    opened.goto(path.as_uri())
    yield opened
    context.close()


@pytest.mark.parametrize(
    ("media", "scheme", "shown"),
    [("screen", "light", "light"), ("screen", "dark", "dark"), ("print", "light", "light"), ("print", "dark", "light")],
)
def test_a_chart_is_light_on_paper_and_as_the_reader_likes_it_on_a_screen(
    page: Any, media: str, scheme: str, shown: str
) -> None:
    page.emulate_media(media=media, color_scheme=scheme)
    assert page.evaluate(_SHOWN) == [shown]
    back = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert back == ("rgb(17, 17, 17)" if shown == "dark" else "rgb(255, 255, 255)")


@pytest.mark.parametrize("width", [320, 390, 768, 1024, 1440])
def test_nothing_is_cut_and_nothing_is_moved_sideways(page: Any, width: int) -> None:
    page.emulate_media(media="screen", color_scheme="light")
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate(_CUT) == []


def test_rows_are_cards_on_a_phone_and_still_a_table_to_a_screen_reader(page: Any) -> None:
    page.emulate_media(media="screen", color_scheme="light")
    page.set_viewport_size({"width": 390, "height": 800})
    labels = page.evaluate("[...document.querySelectorAll('td')].map(one => getComputedStyle(one, '::before').content)")
    assert labels[:4] == ['"time: "', '"what: "', '"service: "', '"event: "']
    assert page.get_by_role("columnheader").count() == 5
    assert page.get_by_role("cell").count() == 15
    assert page.get_by_role("img", name="to do").count() == 1
