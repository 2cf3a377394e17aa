"""Plain English into what a source is asked, and back."""
