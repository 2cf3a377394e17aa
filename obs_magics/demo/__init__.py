"""The demo world: a small shop with a bad afternoon."""
