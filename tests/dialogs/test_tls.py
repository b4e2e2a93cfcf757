from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from gateway.domain.errors import ConfigError
from gateway.inbound.listener import DoorLimits, open_listener
from gateway.inbound.listener.tls import renew, server_context
from tests.dialogs.certificates import make_certificate
from tests.dialogs.door import MemoryDoor
from tests.dialogs.house import PATIENCE, Client, House, open_house


async def test_what_is_sent_with_starttls_is_not_taken_for_what_came_inside(
    server: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    async with open_house(server, trust, require_auth=True) as house:
        client = await house.connect()
        assert (await client.line()).startswith("220 ")
        client.send(b"EHLO a.test\r\nSTARTTLS\r\nEHLO injected.test\r\nMAIL FROM:<evil@b.test>\r\nNOOP\r\n")
        assert (await client.reply()) == "250 HELP"
        assert (await client.line()).startswith("220 2.0.0")
        await client.start_tls()
        assert await client.ask("NOOP injected replies would come first") == "250 2.0.0 ok"
        assert (await client.ask("AUTH PLAIN AGpvZQByaWdodA==")).startswith("503 5.5.1 say EHLO first")
        await client.close()


@pytest.mark.parametrize("cut", range(0, 40, 3))
async def test_injection_fails_wherever_the_group_is_cut(
    cut: int, server: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    octets = b"STARTTLS\r\nEHLO injected.test\r\nRSET\r\n"
    async with open_house(server, trust, limits=DoorLimits(handshake_seconds=5)) as house:
        client = await house.connect()
        assert (await client.line()).startswith("220 ")
        client.send(octets[:cut])
        for _ in range(4):
            await asyncio.sleep(0)
        client.send(octets[cut:])
        assert (await client.line()).startswith("220 2.0.0")
        try:
            await client.start_tls()
            assert await client.ask("HELP") == (
                "214 2.0.0 EHLO STARTTLS AUTH MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT; see RFC 5321"
            )
        except (OSError, TimeoutError):  # the injected octets came in time to break the handshake: as good
            await house.settle()
        await client.close()


async def test_a_client_may_speak_in_the_flight_that_ends_its_handshake(
    server: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    async with open_house(server, trust) as house:
        client = await house.connect()
        assert (await client.line()).startswith("220 ")
        assert (await client.ask("STARTTLS")).startswith("220 ")
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = trust.wrap_bio(incoming, outgoing, server_hostname="localhost")
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                client.send(outgoing.read())
                incoming.write(await client.reader.read(65536))
        tls.write(b"NOOP\r\nQUIT\r\n")
        client.send(outgoing.read())  # the client's Finished and its first commands, in one piece
        said = b""
        async with asyncio.timeout(PATIENCE):
            while b"221" not in said:
                incoming.write(await client.reader.read(65536))
                try:
                    said += tls.read()
                except ssl.SSLWantReadError:
                    continue
        assert said == b"250 2.0.0 ok\r\n221 2.0.0 bye\r\n"
        await client.close()


@pytest.mark.parametrize("implicit", [False, True])
async def test_a_handshake_that_fails_ends_the_connection_and_its_count(
    implicit: bool, server: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    async with open_house(server, trust, implicit_tls=implicit) as house:
        for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x05hello", b"\x00" * 100):
            client = await house.connect()
            if not implicit:
                assert (await client.line()).startswith("220 ")
                assert (await client.ask("STARTTLS")).startswith("220 ")
            client.send(garbage)
            while not await client.is_closed():
                pass
            await client.close()
        await house.settle()
        assert house.listener._state.occupancy.total == 0


@pytest.mark.parametrize("implicit", [False, True])
async def test_a_handshake_that_does_not_come_is_not_awaited_for_ever(
    implicit: bool, server: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    limits = DoorLimits(handshake_seconds=0.1)
    async with open_house(server, trust, implicit_tls=implicit, limits=limits) as house:
        client = await house.connect()
        if not implicit:
            assert (await client.line()).startswith("220 ")
            assert (await client.ask("STARTTLS")).startswith("220 ")
        assert await client.is_closed()
        await client.close()


async def test_tls_spoken_to_the_starttls_port_is_closed_without_a_word_on_it(
    server: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    async with open_house(server, trust) as house:
        client = await house.connect()
        client.send(b"\x16\x03\x01\x02\x00\x01\x00")
        assert (await client.line()).startswith("220 ")
        assert await client.is_closed()
        await client.close()


@pytest.mark.parametrize("maximum", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_old_tls_is_refused(maximum: ssl.TLSVersion, server: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, maximum
    async with open_house(server, old, implicit_tls=True) as house:
        with pytest.raises(OSError):
            await house.connect(tls=True)


async def test_a_cipher_without_forward_secrecy_or_authentication_is_refused(server: ssl.SSLContext) -> None:
    weak = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    weak.check_hostname, weak.verify_mode = False, ssl.CERT_NONE
    weak.maximum_version = ssl.TLSVersion.TLSv1_2
    weak.set_ciphers("kRSA:ECDHE+SHA:ECDHE+SHA256:ECDHE+SHA384:!AESGCM:!CHACHA20")
    async with open_house(server, weak, implicit_tls=True) as house:
        with pytest.raises(OSError):
            await house.connect(tls=True)


def test_every_suite_offered_has_forward_secrecy_and_authenticates(server: ssl.SSLContext) -> None:
    for suite in server.get_ciphers():
        assert suite["aead"], suite["name"]
        assert suite["protocol"] == "TLSv1.3" or suite["name"].startswith("ECDHE-")


@pytest.mark.parametrize("implicit", [False, True])
async def test_a_renewed_certificate_is_for_new_handshakes_and_ends_no_session(implicit: bool, tmp_path: Path) -> None:
    first, second = make_certificate(tmp_path / "first"), make_certificate(tmp_path / "second")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    put(first, chain, key)
    context = server_context(chain, key)
    async with open_house(context, trusting(first), implicit_tls=implicit, require_auth=True) as house:
        old = await greeted(house, implicit=implicit)
        put(second, chain, key)
        renew(context, chain, key)
        assert await old.ask("NOOP") == "250 2.0.0 ok"
        assert shown(old) == der(first)
        house.trust = trusting(second)
        new = await greeted(house, implicit=implicit)
        assert shown(new) == der(second)
        assert await new.ask("AUTH PLAIN AGpvZQByaWdodA==") == "235 2.7.0 signed in"
        await old.close()
        await new.close()


async def test_files_that_do_not_fit_leave_the_certificate_that_is_shown(tmp_path: Path) -> None:
    first, second = make_certificate(tmp_path / "first"), make_certificate(tmp_path / "second")
    context = server_context(*first)
    async with open_house(context, trusting(first), implicit_tls=True) as house:
        with pytest.raises(ConfigError):
            renew(context, second[0], first[1])
        client = await greeted(house, implicit=True)
        assert shown(client) == der(first)
        await client.close()


async def greeted(house: House, *, implicit: bool) -> Client:
    client = await house.connect(tls=implicit)
    assert (await client.line()).startswith("220 ")
    if not implicit:
        assert (await client.ask("STARTTLS")).startswith("220 ")
        await client.start_tls()
    assert await client.ask("EHLO a.test") == "250 HELP"
    return client


def put(pair: tuple[Path, Path], chain: Path, key: Path) -> None:
    chain.write_bytes(pair[0].read_bytes())
    key.write_bytes(pair[1].read_bytes())


def trusting(pair: tuple[Path, Path]) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(pair[0]))


def shown(client: Client) -> bytes:
    found = client.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    assert isinstance(found, bytes)
    return found


def der(pair: tuple[Path, Path]) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pair[0].read_text("ascii"))


def test_a_certificate_without_its_key_is_a_configuration_error(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        server_context(certificate[0], certificate[0])
    with pytest.raises(ConfigError):
        server_context(certificate[0], tmp_path / "absent.pem")


@pytest.mark.parametrize(("implicit", "auth"), [(True, False), (False, True)])
async def test_a_listener_without_tls_can_neither_begin_with_it_nor_take_passwords(implicit: bool, auth: bool) -> None:
    with pytest.raises(ValueError, match="TLS"):
        await open_listener(
            MemoryDoor(),
            name="test",
            host="127.0.0.1",
            port=0,
            tls=None,
            implicit_tls=implicit,
            limits=DoorLimits(),
            hostname="gw.test",
            require_auth=auth,
        )
