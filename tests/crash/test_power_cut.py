"""A power cut, where root may make one: a file system shut down with all that was not synced, and mounted again."""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.test_store import ALL, ROOT, SEED, Vault, assert_recovers, make_vault

EXT4_IOC_SHUTDOWN = 0x8004587D
"""_IOR('X', 125, __u32) of the Linux kernel (fs/ext4/ext4.h)."""
WITHOUT_LOG_FLUSH = 2


class Disk:
    """An ext4 file system in a file, mounted by loop, with a power switch."""

    def __init__(self, folder: Path) -> None:
        self._image = folder / "image"
        self.mount_point = folder / "disk"
        self.mount_point.mkdir()
        with open(self._image, "wb") as image:
            image.truncate(96 * 1024 * 1024)
        self._run("mkfs.ext4", "-q", "-F", str(self._image))
        self.mount()

    def mount(self) -> None:
        self._run("mount", "-o", "loop", str(self._image), str(self.mount_point))

    def unmount(self) -> None:
        self._run("umount", str(self.mount_point))

    def cut_power(self) -> None:
        """From this instant nothing more reaches the disk, and what was not synced never will."""
        descriptor = os.open(self.mount_point, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, EXT4_IOC_SHUTDOWN, struct.pack("I", WITHOUT_LOG_FLUSH))
        finally:
            os.close(descriptor)

    @staticmethod
    def _run(*command: str) -> None:
        subprocess.run(command, check=True, capture_output=True, timeout=30)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        pytest.skip("needs root and mkfs.ext4")
    try:
        disk = Disk(tmp_path)
    except (OSError, subprocess.SubprocessError):
        pytest.skip("needs a kernel that mounts ext4 by loop")
    yield disk
    subprocess.run(["umount", "-l", str(disk.mount_point)], check=False, capture_output=True, timeout=30)


def deposits_until_power_cut(vault: Vault, disk: Disk, kept: int, wait: float) -> set[str]:
    """Let a program deposit until so many are acknowledged, cut the power, and return what was acknowledged before.

    A program outlives this cut by some milliseconds, in which the kernel may tell an fsync that was under way that all
    is well: no program says anything to anybody after the power is gone, so what is said then does not count.
    """
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.crash.depositor", str(vault.folder), "together", "400"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    lines: list[list[str]] = []
    for line in child.stdout:
        lines.append(line.split())
        if sum(words[0] == "kept" for words in lines) == kept:
            break
    time.sleep(wait)
    power_gone = time.monotonic()
    disk.cut_power()
    rest, _ = child.communicate(timeout=60)
    lines += [line.split() for line in rest.splitlines()]
    assert any(line[0] == "failed" for line in lines), "the power was cut too late"
    disk.unmount()
    disk.mount()
    acknowledged = {line[1] for line in lines if line[0] == "kept" and float(line[2]) < power_gone}
    assert len(acknowledged) >= kept
    return acknowledged


@pytest.mark.parametrize("turn", range(20 if ALL else 2))
def test_a_power_cut_loses_nothing_acknowledged(disk: Disk, turn: int) -> None:
    chance = random.Random(f"{SEED}{turn}")
    folder = disk.mount_point / "vault"
    vault = make_vault(folder, f"sqlite:///{folder}/gateway.db")
    os.sync()
    acknowledged = deposits_until_power_cut(vault, disk, chance.randint(5, 60), chance.random() / 20)
    present = vault.open()
    assert acknowledged <= present
    assert_recovers(vault, present)


@pytest.mark.parametrize("turn", range(20 if ALL else 2))
def test_blobs_on_a_disk_of_their_own_are_durable_by_themselves(disk: Disk, tmp_path: Path, turn: int) -> None:
    """No sync of the database helps them here: file, name and folder must each have been synced.

    The database outlives this cut: it may have rows whose blob was said to be synced when the power was gone already.
    """
    chance = random.Random(f"{SEED}own{turn}")
    vault = make_vault(tmp_path / "vault", f"sqlite:///{tmp_path}/vault/gateway.db")
    (disk.mount_point / "blobs").mkdir()
    (vault.folder / "blobs").symlink_to(disk.mount_point / "blobs")
    os.sync()
    acknowledged = deposits_until_power_cut(vault, disk, chance.randint(5, 60), chance.random() / 20)
    assert acknowledged <= vault.open(only=acknowledged)


def test_the_switch_does_cut_the_power(disk: Disk) -> None:
    """What was not synced is gone: without that, the test above would prove nothing."""
    (disk.mount_point / "synced").write_bytes(b"x")
    os.sync()
    (disk.mount_point / "unsynced").write_bytes(b"x")
    disk.cut_power()
    disk.unmount()
    disk.mount()
    assert (disk.mount_point / "synced").read_bytes() == b"x"
    assert not (disk.mount_point / "unsynced").exists()
