"""The line that says how far a question is."""

from __future__ import annotations

import io
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from support.patience import eventually

from obs_magics.display.progress import ProgressLine, progress_text
from obs_magics.model.sources import Progress


class Terminal(io.StringIO):
    """A stream that somebody sees."""

    def isatty(self) -> bool:
        return True


class KernelStream(io.StringIO):
    """As ipykernel's OutStream: no terminal, and yet seen."""

    __module__ = "ipykernel.iostream"


@dataclass
class Clock:
    """Time that stands until it is moved."""

    now: float = field(default=100.0)

    def __call__(self) -> float:
        return self.now


def screen(written: str) -> str:
    """What stands in the line after all carriage returns."""
    line = ""
    for part in written.split("\r"):
        line = part + line[len(part) :]
    return line.rstrip()


def test_nothing_is_written_in_the_first_second() -> None:
    clock, stream = Clock(), Terminal()
    with ProgressLine(stream, clock=clock, tick_seconds=3600) as progress:
        progress(Progress(0, 4))
        clock.now += 0.99
        progress(Progress(1, 4))
    assert stream.getvalue() == ""


@pytest.mark.parametrize("stream", [Terminal(), KernelStream()])
def test_then_one_line_is_kept_up_to_date_and_taken_away(stream: io.StringIO) -> None:
    clock = Clock()
    with ProgressLine(stream, clock=clock, tick_seconds=3600) as progress:
        clock.now += 2
        progress(Progress(3, 8, 1200, "a long note that will be gone"))
        assert screen(stream.getvalue()).startswith(
            "███████▌············ 3 of 8 parts · 1,200 rows · 2 s · a long note"
        )
        clock.now += 2
        progress(Progress(4, 8))
        assert screen(stream.getvalue()) == "██████████·········· 4 of 8 parts · 4 s"
    assert screen(stream.getvalue()) == ""
    assert "\n" not in stream.getvalue()


def test_it_is_written_at_most_five_times_a_second() -> None:
    clock, stream = Clock(), Terminal()
    progress = ProgressLine(stream, clock=clock, tick_seconds=3600)
    for _ in range(100):
        clock.now += 0.02
        progress(Progress(1, 2))
    assert 4 <= stream.getvalue().count("\r") <= 6


def test_a_file_gets_nothing() -> None:
    clock, stream = Clock(), io.StringIO()
    with ProgressLine(stream, clock=clock, tick_seconds=3600) as progress:
        clock.now += 5
        progress(Progress(1, 2))
    assert stream.getvalue() == ""


def test_the_line_goes_away_when_the_question_fails() -> None:
    clock, stream = Clock(), Terminal()
    line = ProgressLine(stream, clock=clock, tick_seconds=3600)

    def fail() -> None:
        with line:
            clock.now += 5
            line(Progress(1, 2))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert screen(stream.getvalue()) == ""


def test_it_writes_to_standard_error_as_it_is_then(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, stream = Clock(), Terminal()
    progress = ProgressLine(clock=clock)
    monkeypatch.setattr(sys, "stderr", stream)
    clock.now += 2
    progress(Progress(0, 0, 1, "日本\n語"))
    assert screen(stream.getvalue()) == "1 row · 2 s · 日本⏎語"


def test_many_threads_may_tell() -> None:
    ticks = iter(range(10_000))
    stream = Terminal()
    with ProgressLine(stream, clock=lambda: float(next(ticks))) as progress, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda done: progress(Progress(done, 200)), range(200)))
    assert screen(stream.getvalue()) == ""
    lines = [part for part in stream.getvalue().split("\r") if part.strip()]
    assert all(line.count("parts") == 1 for line in lines)


def test_a_share_outside_of_all_stays_in_the_bar() -> None:
    assert progress_text(Progress(9, 8), 1).startswith("█" * 20 + " 9 of 8")


def test_it_counts_on_while_nothing_is_heard() -> None:
    clock, stream = Clock(), Terminal()
    with ProgressLine(stream, clock=clock, tick_seconds=0.01):
        clock.now += 3
        eventually(lambda: "3 s" in stream.getvalue())
        assert screen(stream.getvalue()) == "3 s · waiting for the answer"
    assert screen(stream.getvalue()) == ""


@pytest.mark.parametrize("word", ["off", "0", "False", " NO "])
def test_the_environment_can_silence_it(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_MAGICS_PROGRESS", word)
    clock, stream = Clock(), Terminal()
    with ProgressLine(stream, clock=clock, tick_seconds=3600) as progress:
        clock.now += 5
        progress(Progress(1, 4))
    assert stream.getvalue() == ""
