"""What a list of operators was asked for: read from an address, written into links."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import QueryDict

from keepstep.core.schedule import Status
from keepstep.store.operator_search import Order, Search

NO_GROUP = "-"


@dataclass(frozen=True, slots=True)
class Asked:
    """The search, the page (from 1), and the order."""

    search: Search
    page: int = 1
    order: Order = Order.EMAIL
    descending: bool = False

    @classmethod
    def read(cls, query: QueryDict) -> Asked:
        """Read it; what can't be understood counts as not given."""
        status, group = query.get("status", ""), query.get("group", "")
        order, page = query.get("order", ""), query.get("page", "")
        return cls(
            Search(
                text=query.get("text", "").strip(),
                status=Status(status) if status in set(Status) else None,
                access_group=("" if group == NO_GROUP else group) if group else None,
                failure_code=query.get("code") or None,
            ),
            int(page) if page.isascii() and page.isdigit() and len(page) < 9 else 1,
            Order(order.removeprefix("-"))
            if order.removeprefix("-") in set(Order)
            else Order.EMAIL,
            order.startswith("-"),
        )

    def query(self, *, page: int | None = None, order: Order | None = None) -> str:
        """Give it for an address, at another page or in another order if one is named."""
        search = self.search
        given = {
            "text": search.text,
            "status": search.status or "",
            "group": NO_GROUP if search.access_group == "" else search.access_group or "",
            "code": search.failure_code or "",
        }
        wanted, descending = self.order, self.descending
        if order is not None:
            descending = order is self.order and not self.descending
            wanted = order
        if wanted is not Order.EMAIL or descending:
            given["order"] = f"{'-' if descending else ''}{wanted}"
        if page is not None and page > 1:
            given["page"] = str(page)
        return urlencode({key: value for key, value in given.items() if value})
