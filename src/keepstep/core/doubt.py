"""When an answer casts doubt on the sync state, so that a full round must follow."""

from __future__ import annotations

from dataclasses import dataclass, field

from keepstep.core.page import ChangeKind, Listing

# A mailbox of a million items in pages of 100 comes to 10,000 pages; more is no mailbox.
MOST_PAGES = 20_000
# An honest listing names each item once, or a few times while it changes under way.
MOST_PAGES_WITHOUT_A_NEW_ITEM = 20
FEW = 20


@dataclass(slots=True)
class Watch:
    """Watches the listings of one round. `began_with` is the sync state it began with ("": none).

    `known_items` is how many live items the store has of the mailbox.
    """

    began_with: str
    known_items: int = 0
    _states: set[str] = field(default_factory=set)
    _creates_of_known: int = 0
    _pages: int = 0
    _seen: set[str] = field(default_factory=set)
    _pages_without_a_new_item: int = 0

    def doubt(self, sent: str, listing: Listing, known_ids: set[str]) -> str:
        """Give what is doubtful about the listing that answered the state `sent`, or "".

        `known_ids` are those of its items that are live in the store, unchanged since.
        """
        self._pages += 1
        self._states.add(sent)
        if not listing.last and listing.sync_state in self._states:
            return "the server repeats a page"
        if self._pages > MOST_PAGES or self._brings_nothing_new(listing):
            return "the server never comes to an end"
        if self.began_with:
            creates = {
                change.item_id for change in listing.changes if change.kind is ChangeKind.CREATE
            }
            self._creates_of_known += len(creates & known_ids)
            if self._looks_like_full_listing():
                return "the server forgot the sync state and lists everything"
        return ""

    def _brings_nothing_new(self, listing: Listing) -> bool:
        before = len(self._seen)
        self._seen.update(change.item_id for change in listing.changes)
        if len(self._seen) > before or listing.last:
            self._pages_without_a_new_item = 0
        else:
            self._pages_without_a_new_item += 1
        return self._pages_without_a_new_item > MOST_PAGES_WITHOUT_A_NEW_ITEM

    def _looks_like_full_listing(self) -> bool:
        """Several items listed as new that are live and unchanged: no real change lists them so.

        In a small calendar half of them is several, as the others may have changed or gone since.
        """
        return self._creates_of_known > FEW or 0 < self.known_items <= 2 * self._creates_of_known
