"""The one HTTP client: timeouts, retries, auth, limits; and the one background event loop."""
