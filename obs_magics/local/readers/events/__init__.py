"""Files of events that people have: webhooks, exports, and tables of their own."""

from __future__ import annotations

from obs_magics.local.readers.events.files import looks_right, read
from obs_magics.local.readers.events.shapes import ALL_SHAPES

EVENT_TITLES: tuple[str, ...] = (*(shape.title for shape in ALL_SHAPES), "JSON or CSV with times and kinds of events")

__all__ = ["EVENT_TITLES", "looks_right", "read"]
