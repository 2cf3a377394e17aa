"""A timeline as a picture with lanes, as a table, and in characters."""
