"""Settings: one YAML file, validated, with secrets resolved late."""
