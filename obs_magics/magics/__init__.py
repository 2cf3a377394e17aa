"""What a person types in a cell."""
