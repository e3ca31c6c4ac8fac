"""People: their profiles, and what a change of one does to the boards."""
