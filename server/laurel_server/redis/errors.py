"""What goes wrong with Redis."""


class RedisUnavailable(Exception):
    """Redis is away, too slow, or refused a command; whatever was sent may or may not have been done."""


class RedisRefused(RedisUnavailable):
    """Redis answered with an error: it is loading, full, read-only, or a key is of another kind."""
