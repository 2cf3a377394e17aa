"""The demo world: a small shop with a bad afternoon."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from obs_magics.model.sources import ProgressListener

__all__ = ["open"]


def open(progress: ProgressListener | None = None, *, hours: int = 6) -> Path:  # noqa: A001 - `demo.open()` reads well
    """The folder of the demo world, for a `FolderSource`; built when it is not there yet, with progress.

    Args:
        progress: Told how far the building is.
        hours: Of detail before the world's now, 1 to 24.

    Raises:
        UsageError: `hours` is out of bounds.
        ObsError: The world cannot be written.
    """
    from obs_magics.demo.cache import open_world
    from obs_magics.model.sources import no_progress

    return open_world(progress or no_progress, hours=hours)
