"""What points and places are worth to a user: standing, tiers, badges and achievements."""
