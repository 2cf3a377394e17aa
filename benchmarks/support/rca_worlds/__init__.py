"""Incidents made up at random, each by a seed of its own: what nobody set the engine's constants on.

A world is a call graph with load that has a day's shape; one fault at one place; metrics by the names of usual
exporters, requests with spans and lines, and changes of which most are innocent. Cases are written in the form of the
public ones (`data/rca/FORMAT.md`). Nothing here knows how the engine decides.
"""

from __future__ import annotations

from support.rca_worlds.world import World, make
from support.rca_worlds.write import write

__all__ = ["World", "make", "write"]
