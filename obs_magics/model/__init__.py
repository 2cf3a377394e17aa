"""The vocabulary: frames, time, queries, sources, provenance, events, errors. Imports nothing of ours."""
