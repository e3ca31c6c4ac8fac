"""The rules of points and boards: pure, without I/O, with the clock passed in."""
