from __future__ import annotations

import datetime as dt
import warnings
from contextlib import suppress
from itertools import pairwise

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.domain.signature import Reason
from gateway.mime.ber import MAX_DEPTH, NotBer, Reader
from gateway.mime.certificates import find_certificate, readable, signer_named, why_not_known
from gateway.mime.cms import MAX_CERTIFICATES, UnknownAlgorithm, digest_of, is_as_signed, read_signed_data, read_signer
from tests.signing import (
    CONTENT_TYPE,
    DATA,
    DAY,
    DIGESTS,
    ENTITY,
    INES,
    MD5,
    MESSAGE_DIGEST,
    NOW,
    SHA1,
    SIGNED_DATA,
    Card,
    algorithm,
    attribute,
    attributes,
    card,
    der,
    indefinite,
    integer,
    oid,
    seq,
    signed_data,
    signer,
)

RSA = rsa.generate_private_key(65537, 2048)
SHORT_RSA = rsa.generate_private_key(65537, 1024)
ROOT = card("Agency Root", ca=True)
INES_CARD = card(issuer=ROOT)
ANCHORS = [ROOT.certificate]


def judge(octets: bytes, content: bytes = ENTITY, who: Card = INES_CARD) -> bool:
    """Whether the first signer's signature holds over this content."""
    data = read_signed_data(octets)
    first = read_signer(data, data.signers[0])
    found = find_certificate(first, [who.octets])
    assert found is not None
    digest = digest_of(first)
    digest.update(content)
    return is_as_signed(first, found, digest.finalize())


# ---- what is good


@pytest.mark.parametrize("bits", [256, 384, 512])
@pytest.mark.parametrize(
    ("key", "pss"),
    [
        (RSA, False),
        (RSA, True),
        (ec.generate_private_key(ec.SECP256R1()), False),
        (ec.generate_private_key(ec.SECP384R1()), False),
        (ec.generate_private_key(ec.SECP521R1()), False),
        (ed25519.Ed25519PrivateKey.generate(), False),
    ],
    ids=["rsa", "pss", "p256", "p384", "p521", "ed25519"],
)
def test_what_was_signed_is_as_signed_and_nothing_else_is(key: object, pss: bool, bits: int) -> None:
    who = card(issuer=ROOT, key=key)
    octets = signed_data([signer(who, ENTITY, bits=bits, pss=pss)], [who.octets])
    assert judge(octets, who=who)
    assert not judge(octets, ENTITY.replace(b"figures", b"Figures"), who)


@pytest.mark.parametrize("key", [RSA, ec.generate_private_key(ec.SECP256R1())], ids=["rsa", "ec"])
def test_what_a_library_has_signed_is_as_signed(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
    who = card(issuer=ROOT, key=key)
    builder = pkcs7.PKCS7SignatureBuilder().set_data(ENTITY).add_signer(who.certificate, key, hashes.SHA384())
    options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
    assert judge(builder.sign(serialization.Encoding.DER, options), who=who)
    data = read_signed_data(builder.sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary]))
    assert data.content is not None
    assert b"".join(bytes(data.reader.octets[start:end]) for start, end in data.content) == ENTITY


def test_a_signer_may_be_named_by_the_identifier_of_the_key() -> None:
    assert judge(signed_data([signer(INES_CARD, ENTITY, by_key_id=True)], [INES_CARD.octets]))


def test_content_in_pieces_of_indefinite_length_is_read_in_order() -> None:
    pieces = [der(0x04, ENTITY[:10]), indefinite(0x24, der(0x04, ENTITY[10:12]), der(0x04)), der(0x04, ENTITY[12:])]
    inner = indefinite(
        0x30,
        integer(1),
        der(0x31),
        indefinite(0x30, oid(DATA), indefinite(0xA0, indefinite(0x24, *pieces))),
        indefinite(0x31, signer(INES_CARD, ENTITY)),
    )
    data = read_signed_data(indefinite(0x30, oid(SIGNED_DATA), indefinite(0xA0, inner)) + b"\r\n")
    assert data.content is not None
    assert b"".join(bytes(data.reader.octets[start:end]) for start, end in data.content) == ENTITY
    assert len(data.signers) == 1


# ---- what is not


def test_the_signature_of_another_key_does_not_hold() -> None:
    other = card(issuer=ROOT)
    forged = signer(Card(other.key, INES_CARD.certificate), ENTITY)
    assert not judge(signed_data([forged], [INES_CARD.octets]))


def test_a_digest_of_another_content_in_well_signed_attributes_does_not_hold() -> None:
    octets = signed_data([signer(INES_CARD, ENTITY, attrs=attributes(b"something else"))], [])
    assert not judge(octets)


@pytest.mark.parametrize("digest", [MD5, SHA1, "2.16.840.1.101.3.4.2.4"], ids=["md5", "sha1", "sha224"])
def test_a_weak_digest_is_not_judged(digest: str) -> None:
    with pytest.raises(UnknownAlgorithm):
        judge(signed_data([signer(INES_CARD, ENTITY, digest=digest)], []))


def test_a_digest_other_than_that_of_the_signature_is_not_judged() -> None:
    who = card(issuer=ROOT, key=ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(UnknownAlgorithm):
        judge(signed_data([signer(who, ENTITY, digest=DIGESTS[512])], []), who=who)


@pytest.mark.parametrize("key", [SHORT_RSA, ec.generate_private_key(ec.SECP224R1())], ids=["rsa-1024", "p224"])
def test_a_weak_key_is_not_judged(key: object) -> None:
    who = card(issuer=ROOT, key=key)
    with pytest.raises(UnknownAlgorithm):
        judge(signed_data([signer(who, ENTITY)], []), who=who)


def test_pss_with_defaults_means_sha1_and_is_not_judged() -> None:
    who = card(issuer=ROOT, key=RSA)
    plain = algorithm(RSA, 256, pss=True)
    octets = signed_data([signer(who, ENTITY, pss=True)], [])
    bare = seq(oid("1.2.840.113549.1.1.10"), seq())
    padded = bare[:-2] + der(0x30, b"")
    assert plain in octets
    with pytest.raises((UnknownAlgorithm, NotBer)):
        judge(rebuilt(who, padded), who=who)


def rebuilt(who: Card, named: bytes) -> bytes:
    """A signature whose algorithm is named otherwise."""
    whole = signer(who, ENTITY, pss=True)
    plain = algorithm(who.key, 256, pss=True)
    body = whole[4:].replace(plain, named) if whole[1] == 0x82 else whole[3:].replace(plain, named)
    return signed_data([seq(body)], [])


GOOD = attributes(ENTITY)


@pytest.mark.parametrize(
    "attrs",
    [
        [],
        GOOD[:1],
        GOOD[1:],
        [*GOOD, GOOD[1]],
        [*attributes(b"another"), GOOD[1]],
        [GOOD[0], attribute(MESSAGE_DIGEST, der(0x04, b"a" * 32), der(0x04, b"b" * 32))],
        [GOOD[0], attribute(MESSAGE_DIGEST)],
        [attribute(CONTENT_TYPE, oid(SIGNED_DATA)), GOOD[1]],
        [attribute(CONTENT_TYPE, der(0x04, b"x")), GOOD[1]],
    ],
    ids="none no-digest no-type twice another-first two-values no-value other-type odd-type".split(),
)
def test_attributes_that_are_missing_doubled_or_odd_are_malformed(attrs: list[bytes]) -> None:
    with pytest.raises(NotBer):
        judge(signed_data([signer(INES_CARD, ENTITY, attrs=attrs)], []))


def test_attributes_passed_off_as_content_are_not_judged() -> None:
    """A signature over attributes holds for a content that is those attributes, if none are asked for."""
    content = der(0x31, *GOOD)
    stolen = signer(INES_CARD, content, attrs=[])
    with pytest.raises(NotBer):
        judge(signed_data([stolen], [], der(0x04, content)), content)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x30",
        b"0\x80",
        b"text, and no CMS at all",
        seq(oid(DATA), der(0xA0, der(0x04, b"x"))),
        seq(oid(SIGNED_DATA), der(0xA0, der(0x04, b"x"))),
        seq(oid(SIGNED_DATA), der(0xA0, seq())),
        seq(oid(SIGNED_DATA), der(0xA0, seq(integer(1)))),
        seq(oid(SIGNED_DATA), der(0xA0, seq(integer(1), der(0x31), seq(oid(DATA))))),
        seq(oid(SIGNED_DATA), der(0xA0, seq(integer(1), der(0x31), seq(oid(DATA)), der(0xA5), der(0x31)))),
        signed_data([], [], kind="1.2.840.113549.1.9.16.1.4"),
        signed_data([], [INES_CARD.octets] * (MAX_CERTIFICATES + 1)),
        signed_data([], [], der(0x0C, b"a string")),
        b"\x30\x84\xff\xff\xff\xff" + b"0" * 50,
        b"\x3f\x81\x01\x00",
    ],
)
def test_what_is_no_signed_data_is_told_from_it(octets: bytes) -> None:
    with pytest.raises(NotBer):
        read_signed_data(octets)


@pytest.mark.parametrize("nest", [lambda inner: der(0x30, inner), lambda inner: indefinite(0x30, inner)])
def test_deep_nesting_is_cut_off(nest: object) -> None:
    octets = b""
    for _ in range(5_000):
        octets = nest(octets)  # type: ignore[operator]
    with pytest.raises(NotBer):
        read_signed_data(octets)
    reader = Reader(b"\x30\x80" * (MAX_DEPTH + 2))
    with pytest.raises(NotBer):
        reader.whole()


def test_a_million_empty_elements_are_not_walked() -> None:
    octets = signed_data([], [], der(0x24, b"\x04\x00" * 1_000_000))
    with pytest.raises(NotBer):
        read_signed_data(octets)


WHOLE = signed_data([signer(INES_CARD, ENTITY)], [INES_CARD.octets], der(0x04, ENTITY))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_any_change_is_told_or_breaks_the_signature(at: int, change: int) -> None:
    whole = bytearray(WHOLE)
    whole[at] ^= change
    holds, content = False, b""
    try:
        found = read_signed_data(bytes(whole))
        places = found.content or ()
        assert all(0 <= start <= end <= len(whole) for start, end in places)
        assert all(first[1] <= second[0] for first, second in pairwise(places))
        content = b"".join(bytes(whole[start:end]) for start, end in places)
        for element in found.signers:
            one = read_signer(found, element)
            named = find_certificate(one, [INES_CARD.octets])
            digest = digest_of(one)
            digest.update(content)
            holds = named is not None and is_as_signed(one, named, digest.finalize())
    except (NotBer, UnknownAlgorithm):
        return
    assert not holds or content == ENTITY


ELEMENTS = st.recursive(
    st.builds(der, st.sampled_from([0x02, 0x04, 0x05, 0x06, 0x80]), st.binary(max_size=4)),
    lambda inner: st.builds(
        lambda tag, items: der(tag, *items),
        st.sampled_from([0x30, 0x31, 0xA0, 0xA1, 0x24]),
        st.lists(inner, max_size=7),
    ),
    max_leaves=30,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(ELEMENTS, max_size=8))
def test_any_signer_is_read_or_refused(pieces: list[bytes]) -> None:
    data = read_signed_data(signed_data([seq(*pieces)], []))
    with suppress(NotBer, UnknownAlgorithm):
        read_signer(data, data.signers[0])


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=200), ELEMENTS, ELEMENTS.map(lambda one: seq(oid(SIGNED_DATA), der(0xA0, one)))))
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    try:
        data = read_signed_data(octets)
        for element in data.signers:
            read_signer(data, element)
    except (NotBer, UnknownAlgorithm):
        return


@settings(max_examples=200, deadline=None)
@example(INES_CARD.octets.index(b"\xa0\x03\x02\x01") + 4, 12)  # another version
@given(st.integers(0, len(INES_CARD.octets) - 1), st.integers(1, 255))
def test_any_change_of_a_certificate_is_told_or_makes_it_unknown(at: int, change: int) -> None:
    changed = bytearray(INES_CARD.octets)
    changed[at] ^= change
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own words on odd certificates
        try:
            data = read_signed_data(signed_data([signer(INES_CARD, ENTITY)], [bytes(changed)]))
            one = read_signer(data, data.signers[0])
            found = find_certificate(one, data.certificates)
        except NotBer:
            return
        if found is None:
            return
        signer_named(found)
        with suppress(UnknownAlgorithm):
            is_as_signed(one, found, one.message_digest)
        assert why_not_known(found, [], ANCHORS, NOW) is not None


# ---- who it was


def test_the_certificate_is_the_one_that_issuer_and_serial_number_name() -> None:
    data = read_signed_data(signed_data([signer(INES_CARD, ENTITY)], []))
    one = read_signer(data, data.signers[0])
    found = find_certificate(one, [card(issuer=ROOT).octets, b"no certificate", INES_CARD.octets, INES_CARD.octets])
    assert found == INES_CARD.certificate
    assert find_certificate(one, [ROOT.octets]) is None


def test_two_certificates_for_one_signer_are_malformed() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    one, two = card(issuer=ROOT, key=key), card(issuer=ROOT, key=key)
    data = read_signed_data(signed_data([signer(one, ENTITY, by_key_id=True)], []))
    with pytest.raises(NotBer):
        find_certificate(read_signer(data, data.signers[0]), [one.octets, two.octets])


def test_a_certificate_names_a_person_and_addresses_fit_to_be_shown() -> None:
    named = signer_named(card("Ines\r\n\u202e Adler\x00").certificate)
    assert named.name == "Ines Adler"
    assert len(readable("x" * 500)) == 100
    assert named.addresses == (INES,)


MIDDLE = card("Agency Issuing", ca=True, issuer=ROOT)


def why(who: Card, others: list[bytes] | None = None, anchors: list[x509.Certificate] | None = None) -> Reason | None:
    return why_not_known(who.certificate, others or [], ANCHORS if anchors is None else anchors, NOW)


def test_a_person_is_known_by_an_anchor_a_chain_or_their_own_certificate() -> None:
    assert why(INES_CARD) is None
    assert why(card(issuer=MIDDLE), [MIDDLE.octets]) is None
    assert why(card(issuer=MIDDLE), [], [MIDDLE.certificate]) is None
    alone = card()
    assert why(alone, [], [alone.certificate]) is None
    assert why(card(issuer=ROOT, uses=None)) is None
    assert why(card(issuer=ROOT, key=ed25519.Ed25519PrivateKey.generate())) is None


def test_a_person_whom_no_anchor_vouches_for_is_not_known() -> None:
    impostor = card("Agency Root", ca=True)
    person = card(issuer=ROOT)
    for who, others in (
        (card(), []),
        (card(issuer=impostor), [impostor.octets]),
        (card(issuer=MIDDLE), []),
        (card(issuer=person), [person.octets]),
    ):
        assert why(who, others) is Reason.ISSUER
    assert why(INES_CARD, [], []) is Reason.NO_ANCHORS


def test_an_authority_that_may_not_vouch_for_mail_or_so_deep_does_not() -> None:
    short = card("Short Root", ca=True, path_length=0)
    under = card("Under", ca=True, issuer=short)
    assert why(card(issuer=under), [under.octets], [short.certificate]) is Reason.ISSUER
    servers = card("Servers", ca=True, issuer=ROOT, extra=[(only(ExtendedKeyUsageOID.SERVER_AUTH), False)])
    assert why(card(issuer=servers), [servers.octets]) is Reason.ISSUER
    mail = card("Mail", ca=True, issuer=ROOT, extra=[(only(ExtendedKeyUsageOID.EMAIL_PROTECTION), False)])
    assert why(card(issuer=mail), [mail.octets]) is None
    revoker = card("Revoker", ca=True, issuer=ROOT, extra=[(usage(crl_sign=True), True)])
    assert why(card(issuer=revoker), [revoker.octets]) is Reason.ISSUER
    elsewhere = x509.NameConstraints([x509.RFC822Name("elsewhere.example")], None)
    bound = card("Bound", ca=True, issuer=ROOT, extra=[(elsewhere, True)])
    assert why(card(issuer=bound), [bound.octets]) is Reason.ISSUER


def test_a_certificate_for_something_else_or_of_another_time_is_not_known() -> None:
    assert why(card(issuer=ROOT, uses=[ExtendedKeyUsageOID.SERVER_AUTH])) is Reason.PURPOSE
    assert why(card(issuer=ROOT, extra=[(usage(key_encipherment=True), True)])) is Reason.PURPOSE
    assert why(card(issuer=ROOT, extra=[(usage(digital_signature=True), True)])) is None
    assert why(MIDDLE) is Reason.PURPOSE
    assert why(card(issuer=ROOT, valid=(NOW - 2 * DAY, NOW - DAY))) is Reason.VALIDITY
    assert why(card(issuer=ROOT, valid=(NOW + DAY, NOW + 2 * DAY))) is Reason.VALIDITY
    unheard = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    assert why(card(issuer=ROOT, extra=[(unheard, True)])) is Reason.ISSUER


def only(use: x509.ObjectIdentifier) -> x509.ExtendedKeyUsage:
    return x509.ExtendedKeyUsage([use])


def usage(**named: bool) -> x509.KeyUsage:
    every = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign "
        "encipher_only decipher_only"
    ).split()
    return x509.KeyUsage(**{name: named.get(name, False) for name in every})


def test_the_time_of_receipt_counts_and_not_today() -> None:
    old = (dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2021, 1, 1, tzinfo=dt.UTC))
    then = dt.datetime(2020, 6, 1, tzinfo=dt.UTC)
    root = card("Old Root", ca=True, valid=old)
    who = card(issuer=root, valid=old)
    assert why_not_known(who.certificate, [], [root.certificate], then) is None
    assert why_not_known(who.certificate, [], [root.certificate], NOW) is Reason.VALIDITY
