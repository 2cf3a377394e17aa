"""What a person sees of logs: volume over time, patterns, lines."""
