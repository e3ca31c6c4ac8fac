"""How the parts are configured, wired, started and stopped."""
