"""Measures Laurel against floors that run in turn with it, on the same machine in the same minutes."""
