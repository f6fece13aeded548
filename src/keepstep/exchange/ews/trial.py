"""Asking a server to see how it fares: each call is exactly one request, whatever it asks for."""

from __future__ import annotations

from collections.abc import Sequence

from keepstep.exchange.connector import Target
from keepstep.exchange.ews.connect import Access, transport_of
from keepstep.exchange.ews.connector import EwsConnector
from keepstep.exchange.ews.get_item import BodyForm, items_of, items_request


class TrialConnector(EwsConnector):
    """A connector that can read items by one request, as many as are asked for."""

    async def items(self, target: Target, item_ids: Sequence[str]) -> int:
        """Read these (different) items whole, without changed occurrences; give how many came.

        Raises `ExchangeError`, also where one item spoils the answer.
        """
        operation = items_request(item_ids, self._dialect.item, BodyForm.TEXT)
        found = await self._ask(target, operation, lambda answer: items_of(answer, item_ids))
        return len(found)


def connect_for_trial(access: Access) -> TrialConnector:
    """Give a connector for trials; it opens its connections at the first request."""
    return TrialConnector(transport_of(access), access.version)
