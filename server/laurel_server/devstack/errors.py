"""What can go wrong with the stack, in words for the person who started it."""


class DevstackError(Exception):
    """The stack cannot start or go on; the message says why and what to do."""
