"""What is unusual, as pictures and words: bands, expected ranges, small multiples, the report, what moved together."""
