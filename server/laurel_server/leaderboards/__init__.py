"""The use cases of boards: project, query, rebuild and watch."""
