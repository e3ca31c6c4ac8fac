"""Numbers in sentences for people."""


def counted(number: int, noun: str) -> str:
    """Return a number and what it counts: `1 point`, `2,500 points`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
