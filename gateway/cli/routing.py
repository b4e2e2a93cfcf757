"""Addresses of enrolled people for a mail system that is to block plain mail to them: entered, then printed."""

from __future__ import annotations

import csv as tables
from io import StringIO

from gateway.cli.asking import authority_of, enact, read
from gateway.cli.output import now_us
from gateway.cli.postfix import access_map
from gateway.config import Settings
from gateway.domain.address import parse_address
from gateway.store.listings import Listings


def routing_of(settings: Settings, *, csv: bool) -> str:
    """Return the lines: Postfix's access map, or with `csv` what Exchange imports. Raises KeyholderUnavailable.

    The entry is made before anything is shown.
    """
    now = now_us()
    found = read(settings, lambda rows: Listings(rows, authority_of(settings), now).designated_users())
    ends = [one for one in found if one["until_us"] is None or one["until_us"] > now]
    addresses = sorted({parse_address(address).key for one in ends for address in one["addresses"]})
    enact(settings, "list_routing", addresses=len(addresses))
    return _csv(addresses) if csv else access_map(addresses)


def _csv(addresses: list[str]) -> str:
    out = StringIO()
    lines = tables.writer(out, lineterminator="\n")
    lines.writerow(["Address", "Name"])
    lines.writerows([address, f"gateway {address}"] for address in addresses)
    return out.getvalue()
