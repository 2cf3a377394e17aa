"""PromQL over local data."""
