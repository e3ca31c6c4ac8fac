"""Cancellations that name no purchase, as refunds of purchases: the user's latest ones first, each up to its amount."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from laurel_client.replay import Event


@dataclass(slots=True)
class _Purchase:
    """A purchase, and what of its amount is not refunded yet."""

    event: Event
    left: Decimal


class Refunds:
    """Knows a file's purchases in their order, and what is refunded of each."""

    def __init__(self) -> None:
        self._by_user: dict[str, list[_Purchase]] = defaultdict(list)

    def note(self, purchase: Event) -> None:
        """Note a purchase that later cancellations may refund."""
        amount = Decimal(purchase.amount or 0)
        if amount > 0:
            self._by_user[purchase.user_id].append(_Purchase(purchase, amount))

    def of(self, cancellation: Event) -> Iterator[Event]:
        """Yield the refunds that make up a cancellation; nothing where the user has bought nothing before."""
        missing = abs(Decimal(cancellation.amount or 0))
        for number, purchase in enumerate(self._refundable(cancellation), start=1):
            if not missing:
                return
            refunded = min(missing, purchase.left)
            missing, purchase.left = missing - refunded, purchase.left - refunded
            yield Event(
                event_id=cancellation.event_id if number == 1 else f"{cancellation.event_id}/{number}",
                user_id=cancellation.user_id,
                occurred_at=cancellation.occurred_at,
                amount=str(refunded),
                refunds=purchase.event.event_id,
                refunds_amount=purchase.event.amount,
            )

    def _refundable(self, cancellation: Event) -> Iterable[_Purchase]:
        at = cancellation.occurred_at
        for purchase in reversed(self._by_user[cancellation.user_id]):
            before = purchase.event.occurred_at
            if purchase.left and (at is None or before is None or before <= at):
                yield purchase
