"""Which source a question means, and what is said when it means none."""

from __future__ import annotations

import pytest
from support.fakes import FAKE, UNBUILT, FakeSource

from obs_magics.config.adapter import Adapter
from obs_magics.config.platform import PlatformSettings
from obs_magics.model.errors import ConfigError, UsageError
from obs_magics.session.book import SourceBook

REGISTRY = {"fake": FAKE, "unbuilt": UNBUILT}


def book(*names: str, **kinds: str) -> SourceBook:
    platforms = {name: PlatformSettings(type=kinds.get(name, "fake"), url="http://x") for name in (*names, *kinds)}
    return SourceBook(platforms, REGISTRY)


def test_the_only_source_needs_no_name() -> None:
    assert book("a").source(None).name == "a"
    assert book("a").source("auto").name == "a"


def test_a_source_is_opened_once() -> None:
    sources = book("a")
    assert sources.source("a") is sources.source(None)


def test_several_sources_need_a_name_or_a_default() -> None:
    sources = book("a", "b")
    with pytest.raises(UsageError, match=r"several sources \(a, b\)") as error:
        sources.source(None)
    assert "%obs use" in error.value.hint
    sources.use("b")
    assert sources.source(None).name == "b"
    assert [status.name for status in sources.statuses() if status.is_default] == ["b"]


def test_a_source_without_adapter_does_not_stand_in_the_way() -> None:
    sources = book("a", later="unbuilt")
    assert sources.source(None).name == "a"
    problem = {status.name: status.problem for status in sources.statuses()}
    assert problem == {"a": "", "later": "this version has no adapter for Unbuilt yet"}
    with pytest.raises(UsageError, match="no adapter for Unbuilt"):
        sources.use("later")


def test_no_source_at_all_names_the_way_out() -> None:
    with pytest.raises(UsageError, match="%obs demo"):
        book().source(None)


@pytest.mark.parametrize(("typed", "hint"), [("pron", "did you mean prom?"), ("zzz", "the sources are: prom, logs")])
def test_an_unknown_name_says_what_there_is(typed: str, hint: str) -> None:
    with pytest.raises(UsageError) as error:
        book("prom", "logs").source(typed)
    assert error.value.hint == hint


def test_a_source_that_is_switched_off_is_not_asked() -> None:
    off = SourceBook({"a": PlatformSettings(type="fake", url="http://x", enabled=False)}, REGISTRY)
    with pytest.raises(UsageError, match="switched off"):
        off.source("a")


@pytest.mark.parametrize(("kind", "hint"), [("fakee", "did you mean fake?"), ("zzzzz", "the types are: fake, unbuilt")])
def test_an_unknown_type_says_what_there_is(kind: str, hint: str) -> None:
    with pytest.raises(ConfigError) as error:
        book(a=kind)
    assert error.value.hint == hint


def test_a_source_without_metrics_says_so() -> None:
    class Mute:
        platform, address, name = "mute", "here", "m"

        def now_ns(self) -> int | None: ...
        async def health(self) -> None: ...
        async def close(self) -> None: ...

    adapter = Adapter("mute", "Mute", PlatformSettings, lambda _name, _settings: Mute())
    sources = SourceBook({"m": PlatformSettings(type="mute")}, {"mute": adapter})
    with pytest.raises(UsageError, match=r"m \(mute\) has no metrics"):
        sources.metrics_source("m")
    with pytest.raises(UsageError, match="no catalog"):
        sources.catalog_source("m")


async def test_closing_closes_what_was_opened_and_opens_anew_when_asked() -> None:
    sources = book("a", "b")
    first = sources.source("a")
    await sources.close()
    assert isinstance(first, FakeSource)
    assert first.closed
    assert sources.source("a") is not first


def test_adding_in_place_of_another_gives_it_back() -> None:
    sources = book("a")
    first = sources.source("a")
    settings = PlatformSettings(type="fake", url="http://y")
    assert sources.add("a", settings, FakeSource("a", settings)) is first
    assert sources.add("new", settings) is None
    assert list(sources) == ["a", "new"]
    assert {status.address for status in sources.statuses()} == {"http://y"}
