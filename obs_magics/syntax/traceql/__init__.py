"""TraceQL: the grammar, its tree, and a validator that rejects what Tempo rejects."""
