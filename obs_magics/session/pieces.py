"""Questions about very many series, fetched part by part while the parts before are examined."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from obs_magics.model.query import MetricsQuery
from obs_magics.model.sources import MetricsSource
from obs_magics.session.dress import joined
from obs_magics.session.history import Historian, Question
from obs_magics.session.partition import cuts_of
from obs_magics.session.plan import Plan
from obs_magics.session.scan import Part, chunks
from obs_magics.syntax.promql_split import with_values

if TYPE_CHECKING:
    import pandas as pd


class Pieces:
    """The chunks of some questions: each is fetched with its history when it is wanted, and forgotten after that.

    Args:
        source: Whom the questions go to.
        history: Fetches them.
        baseline_ns: How far back.
        size: Series in a chunk.
    """

    def __init__(self, source: MetricsSource, history: Historian, baseline_ns: int, size: int) -> None:
        self._source = source
        self._history = history
        self._baseline_ns = baseline_ns
        self._size = size
        self._parts: list[tuple[int, Question, Plan]] = []
        self._questions = 0
        self._owners: list[int] = []
        self.notes: list[str] = []

    async def add(self, question: Question, plan: Plan) -> None:
        """Take a question in, cut where it can be cut."""
        query = plan.query
        assert isinstance(query, MetricsQuery)  # noqa: S101 - for the type checker
        cuts = [] if question.measure else await cuts_of(query, self._source, self._size)
        parts = [
            dataclasses.replace(question, text=with_values(question.text, cut.metric, cut.label, cut.values))
            for cut in cuts
        ]
        self._parts += [(self._questions, part, plan) for part in parts or [question]]
        self._questions += 1

    @property
    def count(self) -> int:
        """How many parts are fetched; each gives one chunk, or more where it could not be cut."""
        return len(self._parts)

    async def frames(self) -> AsyncIterator[pd.DataFrame]:
        """The chunks, in order."""
        for owner, question, plan in self._parts:
            fetched = await self._history.fetch(question, plan, self._baseline_ns)
            self.notes += [note for note in fetched.notes if note not in self.notes]
            whole = await asyncio.to_thread(joined, [fetched.normal, fetched.frame])
            cut = chunks(whole, self._size)
            while (piece := await asyncio.to_thread(next, cut, None)) is not None:
                self._owners.append(owner)
                yield piece

    def owned(self, parts: Sequence[Part]) -> list[list[Part]]:
        """What came of the chunks, question by question."""
        own: list[list[Part]] = [[] for _ in range(self._questions)]
        for owner, part in zip(self._owners, parts, strict=True):
            own[owner].append(part)
        return own
