"""Incidents: what is gathered around one, and one timeline of it."""
