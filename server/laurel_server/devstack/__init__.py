"""Real engines out of wheels, for development, tests and demos."""
