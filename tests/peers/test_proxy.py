"""HAProxy, swaks and curl speak the PROXY protocol, swaks XCLIENT, to the real listener."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path

import pytest

from gateway.inbound.listener.tls import server_context
from tests.dialogs.certificates import make_certificate
from tests.dialogs.house import open_house
from tests.ports import free_port

PROXY = (ip_network("127.0.0.9/32"),)
HERE = (ip_network("127.0.0.1/32"),)
PATIENCE = 30.0
HAPROXY = """\
defaults
    mode tcp
    timeout connect 5s
    timeout client 30s
    timeout server 30s
listen door
    bind 127.0.0.1:{front}
    source 127.0.0.9
    option smtpchk EHLO probe.test
    server gateway 127.0.0.1:{back} {send}
"""


@pytest.fixture
def contexts(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's and a client's."""
    pair = make_certificate(tmp_path / "tls")
    return server_context(*pair), ssl.create_default_context(cafile=str(pair[0]))


@pytest.mark.parametrize("send", ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options unique-id,crc32c"])
async def test_haproxy_in_front_hands_on_whom_it_serves(
    send: str, contexts: tuple[ssl.SSLContext, ssl.SSLContext], tmp_path: Path
) -> None:
    server, trust = contexts
    async with (
        open_house(server, trust, implicit_tls=True, require_auth=True, proxies=PROXY) as house,
        haproxy(tmp_path, house.listener.port, send) as front,
    ):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", front, ssl=trust, server_hostname="localhost", local_addr=("127.0.0.77", 0)
        )
        assert await reader.readline() == b"220 gw.test ESMTP\r\n"
        writer.write(
            b"EHLO a.test\r\nAUTH PLAIN AGpvZQByaWdodA==\r\nMAIL FROM:<joe@b.test>\r\nRCPT TO:<sm@gw.test>\r\n"
            b"BDAT 7 LAST\r\nwords\r\nQUIT\r\n"
        )
        async with asyncio.timeout(PATIENCE):
            said = await reader.read()
        assert b"250 2.6.0 SM-1" in said
        assert house.door.deposits[0].peer.address == "127.0.0.77"
        assert house.door.guessed_from == ["127.0.0.77"]
        writer.close()


@pytest.mark.parametrize("send", ["send-proxy", "send-proxy-v2"])
async def test_haproxy_looks_after_our_health_and_finds_it_good(
    send: str, contexts: tuple[ssl.SSLContext, ssl.SSLContext], tmp_path: Path
) -> None:
    checked = f"{send} check check-send-proxy inter 50ms fall 1"
    async with (
        open_house(None, contexts[1], proxies=PROXY) as house,
        haproxy(tmp_path, house.listener.port, checked) as front,
    ):
        async with asyncio.timeout(PATIENCE):
            while int(repr(house.listener._state.numbers)[6:-1]) < 5:  # so many have come
                await asyncio.sleep(0.005)
        reader, writer = await asyncio.open_connection("127.0.0.1", front)  # nobody answers for one that is down
        assert await reader.readline() == b"220 gw.test ESMTP\r\n"
        writer.close()


async def test_haproxy_that_is_not_listed_gets_nothing_in(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext], tmp_path: Path
) -> None:
    server, trust = contexts
    async with (
        open_house(server, trust, implicit_tls=True, proxies=HERE) as house,
        haproxy(tmp_path, house.listener.port, "send-proxy-v2") as front,
    ):
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", front, ssl=trust, server_hostname="localhost")
        assert house.door.deposits == []


@pytest.mark.parametrize("version", ["1", "2"])
async def test_swaks_speaks_for_another(version: str, contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    server, trust = contexts
    async with open_house(server, trust, proxies=HERE) as house:
        said = await run(
            "swaks", "--server", "127.0.0.1", "--port", str(house.listener.port), "--tls",
            "--from", "joe@b.test", "--to", "sm@gw.test", "--proxy-version", version,
            "--proxy-family", "TCP4" if version == "1" else "AF_INET",
            "--proxy-source", "198.51.100.7", "--proxy-source-port", "56324",
            "--proxy-dest", "127.0.0.1", "--proxy-dest-port", "587",
        )  # fmt: skip
        assert "250 2.6.0 SM-1" in said
        assert house.door.deposits[0].peer.address == "198.51.100.7"


async def test_swaks_names_a_client_by_xclient(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    server, trust = contexts
    async with open_house(server, trust, implicit_tls=True, speakers=HERE) as house:
        said = await run(
            "swaks", "--server", "127.0.0.1", "--port", str(house.listener.port), "--tls-on-connect",
            "--from", "joe@b.test", "--to", "sm@gw.test",
            "--xclient-addr", "198.51.100.7", "--xclient-name", "desk.example", "--xclient-port", "4711",
        )  # fmt: skip
        assert "250 2.6.0 SM-1" in said
        peer = house.door.deposits[0].peer
        assert (peer.address, peer.port) == ("198.51.100.7", 4711)


async def test_curl_speaks_for_itself_through_a_header(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext], tmp_path: Path
) -> None:
    server, trust = contexts
    (tmp_path / "mail").write_bytes(b"Subject: a\r\n\r\nwords\r\n")
    async with open_house(server, trust, implicit_tls=True, proxies=HERE) as house:
        address = f"smtps://127.0.0.1:{house.listener.port}"
        command = ("curl", "--silent", "--show-error", "--verbose", "--insecure", "--mail-from", "joe@b.test",
                   "--mail-rcpt", "sm@gw.test", "--upload-file", str(tmp_path / "mail"), address)  # fmt: skip
        assert "250 2.6.0 SM-1" in await run(*command, "--haproxy-protocol")
        assert house.door.deposits[0].peer.address == "127.0.0.1"
        await run(*command, succeeds=False)
        assert len(house.door.deposits) == 1


@asynccontextmanager
async def haproxy(folder: Path, back: int, send: str) -> AsyncIterator[int]:
    """Run HAProxy in front of a port; gives its own, when it listens."""
    program = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
    if program is None:
        pytest.skip("needs HAProxy: make peers")
    front, settings = free_port(), folder / "haproxy.cfg"
    settings.write_text(HAPROXY.format(front=front, back=back, send=send), "ascii")
    silent = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(program, "-db", "-f", settings, stdout=silent, stderr=silent)
    try:
        async with asyncio.timeout(PATIENCE):
            while not await answers(front):
                await asyncio.sleep(0.05)
        yield front
    finally:
        process.terminate()
        await process.wait()


async def answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def run(*command: str, succeeds: bool = True) -> str:
    """Run a tool; return all that it says."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"needs {command[0]}: make peers")
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(PATIENCE):
        said, _ = await process.communicate()
    text = said.decode("utf-8", "replace")
    assert (process.returncode == 0) == succeeds, text
    return text
