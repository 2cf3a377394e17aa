"""What a person sees: charts, text, theme."""
