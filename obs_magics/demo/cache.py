"""Keeps a built demo world in the user's cache folder: built once, shared by all who ask, built again when damaged."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import platformdirs

from obs_magics import __version__
from obs_magics.demo.world.build import WORLD_VERSION, build
from obs_magics.local import native
from obs_magics.model.errors import ObsError, UsageError
from obs_magics.model.sources import ProgressListener, no_progress

CACHE_VARIABLE = "OBS_MAGICS_CACHE"
MOST_HOURS = 24


def cache_folder() -> Path:
    """Where worlds are kept: ``$OBS_MAGICS_CACHE``, else the user's cache folder as the system has it."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen) if chosen else platformdirs.user_cache_path("obs_magics", appauthor=False)


def open_world(progress: ProgressListener = no_progress, *, hours: int = 6, folder: Path | None = None) -> Path:
    """The folder of the demo world, built when it is not there yet (a few seconds).

    Args:
        progress: Told how far the building is.
        hours: Of detail, 1 to 24.
        folder: Where worlds are kept; `cache_folder()` when None.

    Raises:
        UsageError: `hours` is out of bounds.
        ObsError: The world cannot be written.
    """
    if not 1 <= hours <= MOST_HOURS:
        raise UsageError(f"the demo world has 1 to {MOST_HOURS} hours of detail, not {hours}")
    place = (folder or cache_folder()) / world_name(hours)
    try:
        return place if is_whole(place) else _build_into(place, hours, progress)
    except OSError as problem:
        raise ObsError(
            f"the demo world cannot be written: {problem.strerror}",
            where=str(place),
            hint=f"free some space (40 MB), or set ${CACHE_VARIABLE} to a folder that can be written",
        ) from problem


def world_name(hours: int) -> str:
    """The folder of a world: another for each release, each change of the world, and each length."""
    return f"demo-{__version__}-{WORLD_VERSION}-{hours}h"


def is_whole(place: Path) -> bool:
    """Whether there is a world, and every file of it is as it was written."""
    try:
        manifest = native.read_manifest(place)
    except ObsError:
        return False
    return manifest is not None and not native.damage(place, manifest)


def _build_into(place: Path, hours: int, progress: ProgressListener) -> Path:
    """Build beside the place and move the whole in, so that nobody ever sees half a world."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{place.name}-", dir=place.parent) as name:
        built = Path(name) / "world"
        build(built, hours=hours, progress=progress)
        _move_in(built, place, Path(name) / "old")
    return place


def _move_in(built: Path, place: Path, old: Path) -> None:
    """Put a new world in its place; one that somebody else has put there meanwhile is as good."""
    while not is_whole(place):
        try:
            built.rename(place)
        except OSError:
            if not place.exists():
                raise
            if not is_whole(place):  # damaged: out of the way at once, deleted with the temporary folder
                shutil.rmtree(old, ignore_errors=True)
                with contextlib.suppress(FileNotFoundError):  # somebody else was as quick
                    place.rename(old)
