"""Log lines of a folder: where they lie, what they are labelled with, which of them a selector takes."""
