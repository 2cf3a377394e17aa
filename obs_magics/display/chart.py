"""A chart: what is shown under a cell, wherever the notebook is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from obs_magics.display import bundle
from obs_magics.display.theme import ThemeName

# What Vega-Lite allows on a picture as a whole only, and not on a part of one.
_WHOLE_PICTURE = frozenset({"$schema", "background", "config"})


@dataclass(frozen=True)
class Chart:
    """A picture of a frame.

    Args:
        spec: Vega-Lite 5, interactive, with its data inline.
        still: The same picture without what only a pointer could reach; SVG and PNG are made from it.
        text: The picture as text, for a width in characters.
        notes: What was left out or changed, each a sentence without a full stop; they stand on the picture too.
    """

    spec: dict[str, Any]
    still: Mapping[str, Any] = field(repr=False)
    text: Callable[[int], str] = field(repr=False)
    notes: tuple[str, ...] = ()

    def svg(self, theme: ThemeName = "auto") -> str:
        """The picture as SVG; `auto` is transparent and reads on light and on dark."""
        return self._svg if theme == "auto" else bundle.svg(self.still, theme)

    @cached_property
    def _svg(self) -> str:
        return bundle.svg(self.still, "auto")

    def png(self, theme: ThemeName = "light") -> bytes:
        """The picture as PNG, two pixels for each of the chart's."""
        return bundle.png(self.still, theme)

    def to_altair(self) -> Any:
        """The picture as an Altair chart, to be changed or put beside others; the theme is Altair's."""
        import altair

        spec = {key: value for key, value in self.spec.items() if key not in _WHOLE_PICTURE}
        kind = altair.LayerChart if "layer" in spec else altair.Chart
        return kind.from_dict(spec, validate=False)

    def to_text(self, width: int = 80) -> str:
        """The picture in characters, at most `width` columns wide (40 at least)."""
        return self.text(max(width, 40))

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {bundle.VEGALITE: self.spec, bundle.SVG: self.svg(), bundle.TEXT: self.to_text()}
