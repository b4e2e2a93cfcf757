"""Which parts of a message are signed, in which form, and what each signature covers.

A signature that covers less than a reader sees is how signed mail is forged: another text is put beside the signed one.
So a signature here always comes with the parts that it covers, found from the same part map that the page is made of.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.domain.partmap import Part, PartMap
from gateway.domain.signature import Scheme, Signature

MAX_SIGNED = 4
CMS_TYPES = ("application/pkcs7-mime", "application/x-pkcs7-mime")
_SIGNATURE_TYPES = {
    "application/pkcs7-signature": Scheme.SMIME,
    "application/x-pkcs7-signature": Scheme.SMIME,
    "application/pgp-signature": Scheme.OPENPGP,
}


class Form(StrEnum):
    """Where a signature stands."""

    DETACHED = "detached"  # multipart/signed (RFC 1847): in a part beside the content
    OPAQUE = "opaque"  # CMS around the content
    CLEAR = "clear"  # lines of a text


@dataclass(frozen=True, slots=True)
class SignedPart:
    """One signed part. `content` is what is signed; `signature`, of a detached one, the part that holds it.

    Both are None for a multipart/signed that does not have exactly those two children.
    """

    scheme: Scheme
    form: Form
    part: Part
    content: Part | None
    signature: Part | None = None


def signed_parts(part_map: PartMap) -> tuple[SignedPart, ...]:
    """The signed parts of a message itself, the outer ones first; not those inside of attached messages."""
    found = (_signed(part_map, part) for part in part_map.own_parts if part.protection == "signed")
    return tuple(each for each in found if each is not None)


def with_cover(result: Signature, part_map: PartMap, signed: SignedPart, others: Iterable[SignedPart]) -> Signature:
    """A result that tells what its signature covers: `is_whole` when nothing of the message is left but signatures."""
    if signed.content is None:
        return replace(result, is_whole=False, is_of_text=False)
    signatures = [each.signature for each in (signed, *others) if each.signature is not None]
    left = [part for part in part_map.own_leaves if not _is_in(part_map, part, signed.content)]
    return replace(
        result,
        is_whole=result.is_whole and all(part in signatures for part in left),
        is_of_text=result.is_of_text and not any(part in left for part in part_map.best_text().parts),
    )


def _signed(part_map: PartMap, part: Part) -> SignedPart | None:
    if part.media_type == "multipart/signed":
        return _detached(part_map, part)
    if part.media_type in CMS_TYPES or (part.filename or "").lower().endswith(".p7m"):
        return SignedPart(Scheme.SMIME, Form.OPAQUE, part, part)
    if part.media_type == "text/plain":
        return SignedPart(Scheme.OPENPGP, Form.CLEAR, part, part)
    return None


def _detached(part_map: PartMap, part: Part) -> SignedPart:
    children = [each for each in part_map.own_parts if part_map.ancestors(each)[-1:] == (part,)]
    last = children[-1] if children else part
    scheme = _SIGNATURE_TYPES.get(last.media_type)
    protocol = part.parameter("protocol").lower()
    named = _SIGNATURE_TYPES.get(protocol) if protocol else scheme
    if len(children) != 2 or scheme is None or scheme is not named:
        return SignedPart(scheme or named or Scheme.SMIME, Form.DETACHED, part, None)
    return SignedPart(scheme, Form.DETACHED, part, children[0], last)


def _is_in(part_map: PartMap, part: Part, around: Part) -> bool:
    return part == around or around in part_map.ancestors(part)
