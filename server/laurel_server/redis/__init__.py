"""The boards in Redis: client, keys and scripts."""
