"""Colours that everybody can tell apart, on light and on dark."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from obs_magics.display.theme import DASHES, MAX_SERIES, PALETTE, THEMES, style, vega_config

WHITE, DARK = "#ffffff", "#111111"
# Machado, Oliveira, Fernandes: A Physiologically-based Model for Simulation of Color Vision Deficiency, 2009.
SIGHTS = {
    "all cones": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def linear(colour: str) -> np.ndarray:
    rgb = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(first: str, second: str) -> float:
    """WCAG 2.2's contrast ratio."""
    high, low = sorted((float(linear(one) @ [0.2126, 0.7152, 0.0722]) for one in (first, second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def oklab(rgb: np.ndarray) -> np.ndarray:
    """https://bottosson.github.io/posts/oklab/."""
    cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return lab @ np.cbrt(np.clip(cones @ np.clip(rgb, 0, 1), 0, None))


@pytest.mark.parametrize("background", [WHITE, DARK])
@pytest.mark.parametrize("colour", PALETTE)
def test_every_colour_stands_out_on_light_and_on_dark(colour: str, background: str) -> None:
    assert contrast(colour, background) >= 3


@pytest.mark.parametrize("sight", SIGHTS)
def test_every_two_colours_can_be_told_apart(sight: str) -> None:
    seen = [oklab(SIGHTS[sight] @ linear(colour)) for colour in PALETTE]
    assert min(np.linalg.norm(first - second) for first, second in combinations(seen, 2)) >= 0.095


def test_words_can_be_read_in_every_theme() -> None:
    assert min(contrast(THEMES["auto"].text, WHITE), contrast(THEMES["auto"].text, DARK)) >= 4
    assert contrast(THEMES["light"].quiet, WHITE) >= 4.5
    assert contrast(THEMES["dark"].quiet, DARK) >= 4.5


def test_twelve_series_have_twelve_pairs_of_colour_and_dash() -> None:
    assert len({style(number) for number in range(MAX_SERIES)}) == MAX_SERIES
    assert {style(number)[1] for number in range(4)} == set(DASHES)
    assert style(100)[0] in PALETTE


def test_the_theme_overrides_all_that_the_dark_theme_of_vega_embed_sets() -> None:
    """vega-themes/src/theme-dark.ts: these keys would else be painted over in JupyterLab's dark mode."""
    config = vega_config("auto")
    assert config["background"] == "transparent"
    assert config["view"] == {"stroke": None}
    assert {"color", "subtitleColor"} <= set(config["title"])
    assert config["style"]["guide-label"]["fill"] == config["style"]["guide-title"]["fill"]
    assert {"domainColor", "gridColor", "tickColor"} <= set(config["axis"])
