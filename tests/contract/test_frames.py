from __future__ import annotations

import asyncio
import json
import os
import struct
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.errors import ConfigError, KeyholderUnavailable, Malformed, NotAllowed
from gateway.frames import MAX_OCTETS, FrameClient, decode, encode, listen

SECRET = "Zq canary"


async def answer(verb: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    if verb == "echo":
        return {"said": request["say"]}
    if verb == "no":
        raise NotAllowed("not yours")
    if verb == "slow":
        await asyncio.sleep(60)
    raise RuntimeError(SECRET)


def client_of(path: Path, **more: Any) -> FrameClient:
    return FrameClient(path, away=KeyholderUnavailable, **more)


async def test_many_ask_at_once_and_each_gets_its_own_answer(tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with listen(path, answer, away=KeyholderUnavailable):
        client = client_of(path)
        said = await asyncio.gather(*(client.ask("echo", say=n) for n in range(100)))
        assert [one["said"] for one in said] == list(range(100))
        assert len(client._idle) <= 16
        await client.close()


async def test_an_error_comes_back_as_itself_and_an_unforeseen_one_without_its_words(tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with listen(path, answer, away=KeyholderUnavailable):
        client = client_of(path)
        with pytest.raises(NotAllowed, match="not yours"):
            await client.ask("no")
        with pytest.raises(KeyholderUnavailable) as caught:
            await client.ask("break")
        assert SECRET not in caught.value.advice
        assert (await client.ask("echo", say="still here"))["said"] == "still here"
        await client.close()


async def test_an_answer_that_does_not_come_in_time_is_a_program_that_is_away(tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with listen(path, answer, away=KeyholderUnavailable):
        client = client_of(path, timeout=0.05)
        with pytest.raises(KeyholderUnavailable):
            await client.ask("slow")
        client._timeout = 60.0
        assert (await client.ask("echo", say=1))["said"] == 1
        await client.close()


async def test_nobody_there_is_a_program_that_is_away(tmp_path: Path) -> None:
    with pytest.raises(KeyholderUnavailable):
        await client_of(tmp_path / "absent").ask("echo", say=1)


@pytest.mark.parametrize(
    "octets",
    [
        struct.pack(">I", MAX_OCTETS + 1) + b"{}",
        struct.pack(">I", 4) + b"[1]x",
        struct.pack(">I", 2) + b"[]",
        struct.pack(">I", 9999) + b"{",
        b"\xff",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
async def test_what_is_no_frame_ends_the_connection_and_nothing_else(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "s"
    async with listen(path, answer, away=KeyholderUnavailable):
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(octets)
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        client = client_of(path)
        assert (await client.ask("echo", say=1))["said"] == 1
        await client.close()


async def test_a_request_over_the_limit_is_not_sent(tmp_path: Path) -> None:
    with pytest.raises(Malformed):
        await client_of(tmp_path / "s").ask("echo", say="x" * MAX_OCTETS)


async def test_a_request_without_a_verb_is_malformed(tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with listen(path, answer, away=KeyholderUnavailable):
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(struct.pack(">I", 2) + b"{}")
        (length,) = struct.unpack(">I", await reader.readexactly(4))
        assert json.loads(await reader.readexactly(length))["error"] == "Malformed"
        writer.close()


async def test_a_socket_left_by_a_dead_program_is_replaced_and_a_file_is_not(tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with listen(path, answer, away=KeyholderUnavailable):
        pass
    async with listen(path, answer, away=KeyholderUnavailable):
        pass
    path.unlink()
    path.write_text("a file")
    with pytest.raises(ConfigError):
        async with listen(path, answer, away=KeyholderUnavailable):
            pass
    assert path.read_text() == "a file"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: only root can be somebody else")
@pytest.mark.parametrize("uid", [0, 65534])
async def test_only_processes_of_listed_users_are_answered(tmp_path: Path, uid: int) -> None:
    path = Path("/tmp") / f"gateway-test-{os.getpid()}-{uid}.sock"
    code = (
        "import os,socket,sys,struct; os.setuid(int(sys.argv[2])); s=socket.socket(socket.AF_UNIX);"
        's.connect(sys.argv[1]); b=b\'{"verb":"echo","say":1}\'; s.sendall(struct.pack(\'>I\',len(b))+b);'
        "s.settimeout(60); print(len(s.recv(100)))"
    )
    try:
        async with listen(path, answer, away=KeyholderUnavailable, mode=0o666, users={0}):
            command = [sys.executable, "-c", code, str(path), str(uid)]
            told = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    finally:
        path.unlink(missing_ok=True)
    answered = told.returncode == 0 and int(told.stdout) > 0
    assert answered is (uid == 0)


def test_octets_pass_as_text() -> None:
    assert decode(encode(bytes(range(256)))) == bytes(range(256))
    for wrong in ("*", "a", None, 7):
        with pytest.raises(Malformed):
            decode(wrong)
