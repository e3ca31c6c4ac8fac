"""Periods of boards: how they end, and what is known of them afterwards."""
