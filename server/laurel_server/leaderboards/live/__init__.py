"""Live boards: who watches what, read once a tick for all of them."""
