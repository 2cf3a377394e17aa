"""What may be seen, and by whom: redaction of secrets and personal data."""
