"""The documentation says what there is: pages, links, magics, options, settings."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from pydantic import BaseModel

from obs_magics.adapters import ADAPTERS
from obs_magics.api.base import EVENTS_ADAPTER, FOLDER_ADAPTER
from obs_magics.config.adapter import Adapter
from obs_magics.config.load import load_settings
from obs_magics.config.platform import PlatformSettings
from obs_magics.config.registry import load_registry
from obs_magics.config.settings import Settings, ThresholdRule, WatchedMetric
from obs_magics.magics import commands_incident, reference
from obs_magics.magics.arguments import Command
from obs_magics.magics.commands import MAGICS
from obs_magics.magics.commands_obs import SUBCOMMANDS

DOCS = ROOT / "docs"
PAGES = {page.name: page.read_text(encoding="utf-8") for page in sorted(DOCS.glob("*.md"))}
TEXTS = {**PAGES, "../README.md": (ROOT / "README.md").read_text(encoding="utf-8")}
REGISTRY = load_registry([*ADAPTERS, FOLDER_ADAPTER, EVENTS_ADAPTER])
COMMANDS: list[Command] = [
    *MAGICS.values(),
    *SUBCOMMANDS.values(),
    *(one for one in vars(commands_incident).values() if isinstance(one, Command)),
]


def blocks(text: str) -> Iterator[str]:
    """What stands between fences, and indented by four, in a page."""
    fenced = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
    yield from (body for language, body in fenced.findall(text) if language in {"", "python"})
    for block in re.findall(r"(?:^    .*\n|^\n(?=    ))+", fenced.sub("", text), re.MULTILINE):
        yield textwrap.dedent(block)


def lines(text: str) -> Iterator[str]:
    """The lines of a page on which a magic stands, without what is said behind two spaces and a `#`."""
    for block in blocks(text):
        yield from (line.partition("  #")[0].rstrip() for line in block.splitlines() if line.startswith("%"))


def cells(text: str) -> Iterator[str]:
    """The cells of a page: a `%%` one with its body, a `%` one with its line."""
    for block in blocks(text):
        for part in re.split(r"\n\n(?=%%)|\n(?=%[^%])", block.strip()):
            if part.startswith("%"):
                yield part if part.startswith("%%") else part.partition("  #")[0].rstrip()


def test_every_page_is_led_to() -> None:
    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", PAGES["README.md"]))
    assert linked == PAGES.keys() - {"README.md"}


@pytest.mark.parametrize("name", TEXTS)
def test_a_link_leads_somewhere(name: str) -> None:
    links = re.findall(r"\]\(((?!https?:)[^)\s]+)\)", TEXTS[name])
    missing = [link for link in links if not (DOCS / Path(name).parent / link.partition("#")[0]).exists()]
    assert missing == []


@pytest.mark.parametrize("name", TEXTS)
def test_an_anchor_is_a_heading(name: str) -> None:
    for page, anchor in re.findall(r"\]\(([\w-]+\.md|)#([^)\s]+)\)", TEXTS[name]):
        headings = re.findall(r"^#+ (.*)$", TEXTS[page or name], re.MULTILINE)
        anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert anchor in anchors, f"{page}#{anchor}"


def test_the_page_of_the_magics_is_what_help_says() -> None:
    assert PAGES["magics.md"] == reference.render(), "python -m obs_magics.magics.reference writes it anew"


@pytest.mark.parametrize("name", [name for name, text in TEXTS.items() if any(lines(text))])
def test_a_magic_on_a_page_has_the_options_that_are_shown(name: str) -> None:
    for line in lines(TEXTS[name]):
        magic, _, rest = line.lstrip("%").partition(" ")
        if magic == "load_ext":
            continue
        assert magic in MAGICS, line
        known = {flag for one in COMMANDS if one.name.split()[0] == f"%{magic}" for flag in one.flags()}
        shown = re.findall(r"(?<=\s)(--[a-z][a-z-]*)(?=[\s=]|$)", re.sub(r"\"[^\"]*\"|'[^']*'|`[^`]*`", "", f" {rest}"))
        assert set(shown) <= known, line


@pytest.mark.parametrize("name", [name for name, text in TEXTS.items() if "```yaml" in text])
def test_a_configuration_on_a_page_is_valid(name: str, tmp_path: Path) -> None:
    for number, text in enumerate(re.findall(r"```yaml\n(.*?)```", TEXTS[name], re.DOTALL)):
        if "gitea" in text:
            continue  # of the adapter that test_docs_adapter.py installs
        file = tmp_path / f"{number}.yaml"
        file.write_text(text if "observability:" in text else "observability:\n" + textwrap.indent(text, "  "))
        assert load_settings(file, REGISTRY, environ={}).path == file


def keys(model: type[BaseModel]) -> set[str]:
    """The keys that a section of the YAML may have."""
    return {field.alias or name for name, field in model.model_fields.items()}


def test_every_setting_is_on_the_page_of_the_configuration() -> None:
    sections = [field.annotation for field in Settings.model_fields.values()]
    models = [one for one in sections if isinstance(one, type) and issubclass(one, BaseModel)]
    said = set(re.findall(r"[\w$]+", PAGES["configuration.md"])) | set(re.findall(r"\w+", PAGES["incidents.md"]))
    for model in (Settings, PlatformSettings, WatchedMetric, ThresholdRule, *models):
        assert keys(model) - said == set(), model.__name__


@pytest.mark.parametrize("adapter", [one for one in REGISTRY.values() if one.open], ids=lambda one: one.type)
def test_a_key_of_a_platform_is_on_its_page(adapter: Adapter) -> None:
    own = keys(adapter.settings) - keys(PlatformSettings)
    said = set(re.findall(r"\w+", PAGES.get(f"{adapter.type}.md", "")))
    assert own - said == set()


RATES = "--start 13:30 --end 15:30 sum by (service) (rate(http_requests_total[$__rate_interval]))"
P99 = (
    "--start 13:30 --end 15:30 histogram_quantile(0.99, sum by (le) "
    '(rate(http_request_duration_seconds_bucket{service="payment-api"}[5m])))'
)
# Pages whose cells run on the demo, in this order, and what they take as given.
ON_THE_DEMO = {
    "events.md": (),
    "logs.md": (),
    "traces.md": (),
    "incidents.md": (),
    "timeline.md": (),
    "report.md": (),
    "anomalies-magic.md": (
        f"%obs_metrics frame_name << {RATES}",
        f"%obs_metrics few << {RATES}",
        f"%obs_metrics slow << {P99}",
    ),
}


def test_the_cells_of_the_pages_run_on_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "obs_magics")
    try:
        for page, given in ON_THE_DEMO.items():
            shown = [cell for cell in cells(PAGES[page]) if not cell.startswith("%obs connect")]
            assert shown, page
            for cell in ("%obs demo", *given, *shown):
                with capture_output():
                    done = shell.run_cell(cell)
                assert done.success, f"{page}: {cell}: {done.error_in_exec or done.error_before_exec}"
    finally:
        shell.run_line_magic("unload_ext", "obs_magics")
        InteractiveShell.clear_instance()
