"""The correspondent's copy of a message as one mail: From, the case's To and Cc, Date, Subject, reference, parts.

Of a received message the body goes along as received under a header of ours; a message written in the portal is
composed anew from its parts. Never Bcc, trace fields or internal hosts.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Iterator

from gateway.domain.clock import from_microseconds
from gateway.domain.summary import Mailbox
from gateway.mime.composing import Attachment, Fields, compose, correspondents_copy
from gateway.mime.scanner import Scanner
from gateway.portal.content import attachment_name, part_octets, shown_text
from gateway.portal.vault import Found, Opened, Vault
from gateway.portal.visitors import Visitor

_MAX_HEADER_OCTETS = 256 * 1024


async def copy_of(vault: Vault, visitor: Visitor, opened: Opened, domain: str) -> Iterator[bytes]:
    """Return the octets of the copy, to be read in a thread. Raises what opening the parts raises."""
    fields = _fields(opened, domain)
    if opened.found.row.composed:
        return await _composed(vault, visitor, opened, fields)
    octets = await vault.octets(opened, "")
    body = min(opened.summary.part_map.root.offset, octets.length)  # of a header nobody could read not an octet goes on
    head = min(body, _MAX_HEADER_OCTETS)
    scanner = Scanner()
    for piece in await asyncio.to_thread(lambda: list(octets.read(0, head))):
        scanner.feed(piece)
    header = correspondents_copy(scanner.finish(), fields)
    return _joined([header], octets.read(body, octets.length))


def shown_address(address: str, found: Found, domain: str) -> str:
    """Return an address as the other side may see it: whatever is the gateway's own stands for the case."""
    if address.lower().endswith(f"@{domain}".lower()):
        return f"{found.case.reference.local_part}@{domain}"
    return address


async def _composed(vault: Vault, visitor: Visitor, opened: Opened, fields: Fields) -> Iterator[bytes]:
    text_part, *files = opened.summary.part_map.leaves
    text = (await asyncio.to_thread(shown_text, await part_octets(vault, opened, text_part))).text
    attachments: list[Attachment] = []
    for part in files:
        octets = await part_octets(vault, await vault.open(visitor, opened.found, part.path), part)
        media_type = (
            "application/octet-stream" if part.media_type.startswith(("multipart/", "message/")) else part.media_type
        )
        attachments.append(Attachment(attachment_name(part), media_type, octets.pieces(0, part.length)))
    return compose(fields, text, attachments, boundary=f"=_{secrets.token_hex(16)}")


def _fields(opened: Opened, domain: str) -> Fields:
    summary, row = opened.summary, opened.found.row
    written_us = row.received_us if summary.date_us is None else summary.date_us
    return Fields(
        from_=_written([summary.author], opened.found, domain)[0],
        to=_written(summary.to, opened.found, domain),
        cc=_written(summary.cc, opened.found, domain),
        date=from_microseconds(written_us),
        subject=f"[{row.reference}] {summary.subject}".strip(),
        message_id=f"<{row.reference.lower()}@{domain}>",
    )


def _written(boxes: Iterable[Mailbox], found: Found, domain: str) -> tuple[Mailbox, ...]:
    return tuple(Mailbox(box.name, shown_address(box.address, found, domain)) for box in boxes)


def _joined(*parts: Iterable[bytes]) -> Iterator[bytes]:
    for part in parts:
        yield from part
