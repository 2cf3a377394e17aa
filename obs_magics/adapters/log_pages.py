"""Lines in pages, newest first: as many as are asked for, none lost and none twice.

A page is the newest lines before a moment. When it is full, there may be more lines with the timestamp of its oldest
ones; so those are left out, and the next page begins with all of that timestamp. A page that has one timestamp only is
asked for again and larger; when the server gives no larger one, the rest of that moment cannot be had, which is said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from obs_magics.adapters.log_rows import Rows, joined, no_rows
from obs_magics.model.errors import BadAnswer, QueryError, SourceError
from obs_magics.model.sources import Progress, ProgressListener
from obs_magics.model.time import SECOND, TimeRange

Ask = Callable[[TimeRange, int], Awaitable[Rows]]
"""Ask for so many of the newest lines of a range."""
Keep = Callable[[Rows], Rows]
"""Choose among the lines of a page."""


@dataclass(frozen=True, slots=True)
class Pages:
    """What came.

    Args:
        rows: The lines, at most as many as were asked for.
        looked_at: Lines that came before any was left out.
        whole: There are no others in the range.
        truncated: Why lines are missing that were asked for, each a sentence.
        failed: What went wrong half-way; empty when nothing did.
    """

    rows: Rows
    looked_at: int
    whole: bool
    truncated: tuple[str, ...]
    failed: str


@dataclass(kw_only=True)
class Pager:
    """Fetches the newest lines of a range, once.

    Args:
        ask: Gives a page.
        span: The range.
        limit: Lines wanted.
        page_lines: What the server gives at once; called for each page, as the server may teach us better.
        keep: Which lines of a page count; None for all.
        most: Lines to look at in all when `keep` leaves out most of them.
        progress: Told after each page.
    """

    ask: Ask
    span: TimeRange
    limit: int
    page_lines: Callable[[], int]
    keep: Keep | None
    most: int
    progress: ProgressListener
    _pages: list[Rows] = field(default_factory=list)
    _rest: Rows = field(default_factory=no_rows)  # the oldest lines of the last page: they come again with the next
    _held: int = 0
    _looked_at: int = 0
    _end_ns: int = 0
    _enough: bool = False
    _truncated: list[str] = field(default_factory=list)

    async def fetch(self) -> Pages:
        """Ask until there are enough lines, or no more.

        Raises:
            QueryError: The first page was refused.
            SourceError: The first page did not come.
        """
        self._end_ns = self.span.end_ns
        wanted, answers, failed = min(self.limit, self.page_lines()), 0, ""
        self._tell(answers)
        while self._end_ns > self.span.start_ns and not self._enough:
            try:
                page = await self._page(wanted)
            except (SourceError, QueryError) as error:
                if not answers:
                    raise
                self._add(self._rest, len(self._rest))
                failed = f"lines before {clock(self._end_ns)} did not come: {error.message}"
                break
            answers += 1
            wanted = await self._take(page, min(wanted, self.page_lines()))
            self._tell(answers)
        rows = joined(self._pages[::-1]).newest(self.limit)
        whole = not (self._enough or failed or self._truncated)
        return Pages(rows, self._looked_at, whole, tuple(self._truncated), failed)

    async def _page(self, wanted: int) -> Rows:
        page = await self.ask(TimeRange(self.span.start_ns, self._end_ns), wanted)
        if len(page) and not self.span.start_ns <= page.oldest_ns <= int(page.timestamps_ns.max()) < self._end_ns:
            raise BadAnswer("the server gives lines from outside of the range that it was asked for")
        return page

    async def _take(self, page: Rows, wanted: int) -> int:
        """Keep what is certain of a page; how many lines to ask for next."""
        kept = page if self.keep is None or not len(page) else await asyncio.to_thread(self.keep, page)
        if len(page) < wanted:
            self._add(kept, len(page))
            self._end_ns = self.span.start_ns  # the server has no more
        elif self._held + len(kept) >= self.limit:
            self._add(kept, len(page))
            self._enough = True
        elif page.oldest_ns < page.timestamps_ns.max():
            self._cut(page, kept)
        elif wanted < self.page_lines():
            self._rest = kept
            return min(2 * wanted, self.page_lines())
        else:
            self._give_up_on(page, kept)
        if self._looked_at >= self.most and self._end_ns > self.span.start_ns and not self._enough:
            self._enough = True
            self._truncated.append(
                f"only the newest {self._looked_at:,} lines were looked at, back to {clock(self._end_ns)}"
            )
        return self.page_lines() if self.keep else max(1, min(self.page_lines(), self.limit - self._held))

    def _cut(self, page: Rows, kept: Rows) -> None:
        """Leave out the oldest lines of a page: of their timestamp there may be more."""
        oldest_ns = page.oldest_ns
        certain = kept.timestamps_ns > oldest_ns
        self._add(kept.where(certain), int((page.timestamps_ns > oldest_ns).sum()))
        self._rest, self._end_ns = kept.where(~certain), oldest_ns + 1

    def _give_up_on(self, page: Rows, kept: Rows) -> None:
        """Go on before a moment of which there are more lines than the server gives."""
        self._add(kept, len(page))
        self._rest, self._end_ns = no_rows(), page.oldest_ns
        self._truncated.append(
            f"of {clock(page.oldest_ns)} there may be more than {len(page):,} lines: the server gives no more at once"
        )

    def _add(self, kept: Rows, looked_at: int) -> None:
        self._looked_at += looked_at
        self._held += len(kept)
        self._pages.append(kept)

    def _tell(self, answers: int) -> None:
        ended = self._enough or self._end_ns <= self.span.start_ns
        more = 0 if ended else max(1, -(-(self.limit - self._held) // self.page_lines()))
        held = min(self._held, self.limit)
        self.progress(Progress(answers, answers + more, held, f"{held:,} lines" if answers else ""))


def clock(ns: int) -> str:
    """A moment for people, exact to the nanosecond, in UTC."""
    return f"{datetime.fromtimestamp(ns // SECOND, UTC):%Y-%m-%dT%H:%M:%S}.{ns % SECOND:09d}Z"
