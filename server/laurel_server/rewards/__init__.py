"""The use cases of points: award and read."""
