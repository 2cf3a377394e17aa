"""Grammars and ASTs of the query languages."""
