"""Events of a folder, a file or a repository."""
