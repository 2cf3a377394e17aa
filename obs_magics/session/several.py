"""Several sources asked at once: what came of those that answered, and what is wrong with the others."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Mapping

from obs_magics.model.errors import ObsError
from obs_magics.model.sources import Answer


async def whole_of(
    tasks: Mapping[str, asyncio.Task[Answer]],
    closed: Mapping[str, ObsError],
    merge: Callable[[dict[str, Answer]], Answer],
) -> Answer:
    """One answer of several.

    Args:
        tasks: By the name of the source, each ended.
        closed: What is wrong with those that could not be asked.
        merge: Makes one answer of those that came.

    Raises:
        ObsError: The first of their errors, when none answered.
    """
    answers: dict[str, Answer] = {}
    errors = dict(closed)
    for name, task in tasks.items():
        error = task.exception()
        if error is None:
            answers[name] = task.result()
        elif isinstance(error, ObsError):
            errors[name] = error
        else:
            raise error
    if not answers:
        raise next(iter(errors.values()))
    whole = await asyncio.to_thread(merge, answers)
    failed = tuple(f"{name} did not answer: {error.message}" for name, error in errors.items())
    missing = f"{len(errors)} of {len(answers) + len(errors)} sources did not answer" if errors else ""
    truncated = "; ".join(part for part in (whole.truncated, missing) if part)
    return dataclasses.replace(whole, failed=(*whole.failed, *failed), truncated=truncated)
