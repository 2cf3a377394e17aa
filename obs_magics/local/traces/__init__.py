"""Spans of a folder: the store, its tree, and what is found without a query."""
