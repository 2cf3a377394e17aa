"""The core: sources, time and questions, asynchronous; `api` puts the public face on it."""
