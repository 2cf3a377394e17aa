"""The demo world: a small shop on Kubernetes, one bad afternoon, and everything that was recorded of it."""
