"""The embedded backend: a folder of files answered like a platform, over DuckDB and our own engines."""
