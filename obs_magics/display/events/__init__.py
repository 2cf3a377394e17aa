"""Events as a strip of lanes over time, and as a table."""
