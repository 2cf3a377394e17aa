"""LogQL: the grammar, its tree, and the templates of `line_format`."""
