"""What a check has compared and found."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from laurel_server.domain.views import Check

SHOWN = 5
"""Differences that a check's detail names."""

Progress = Callable[[str, int, int], Awaitable[None]]
"""Is told of a part of the comparison by name: how many things more were compared, and about how many there are.

The comparison waits for it, and so goes no faster than it is let.
"""


async def unnoticed(_part: str, _more: int, _total: int) -> None:
    """Tell nobody."""


@dataclass(slots=True)
class Findings:
    """The findings of one check."""

    name: str
    checked: int = 0
    wrong: list[str] = field(default_factory=list)

    def check(self) -> Check:
        """Return them as a result."""
        shown = "; ".join(self.wrong[:SHOWN])
        return Check(self.name, not self.wrong, self.checked, len(self.wrong), shown)
