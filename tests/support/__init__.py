"""Servers, recordings and shells that several tests use."""
