"""The Laurel server: a rewards ledger and a live leaderboard behind one gRPC endpoint."""

__version__ = "0.1.0"
