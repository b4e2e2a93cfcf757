"""Ports for servers that cannot take port 0: no two processes are given the same, and none that somebody holds."""

from __future__ import annotations

import socket
import subprocess
import sys
from dataclasses import astuple
from pathlib import Path

from tests.ports import HOST, LENGTH, demo_ports, free_port, free_ports

ROOT = Path(__file__).parents[3]
MOST = LENGTH // 2
"""Servers of other tests, and of programs that a killed run left, may hold the rest."""
MOST_OF_ANOTHER = f"from tests.ports import *; print(*(free_port() for _ in range({MOST})))"


def test_no_port_is_given_twice_before_most_were() -> None:
    assert len({free_port() for _ in range(MOST)}) == MOST


def test_they_are_in_a_row_without_those_that_somebody_holds() -> None:
    before = free_port()
    with socket.create_server((HOST, free_port())) as other:
        held = other.getsockname()[1]
        for _ in range(LENGTH // 10):
            row = free_ports(20)
            assert row == list(range(row[0], row[0] + 20))
            assert held not in row
    assert before != held


def test_another_process_is_given_others() -> None:
    told = subprocess.run(
        [sys.executable, "-c", MOST_OF_ANOTHER], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout  # fmt: skip
    theirs = set(map(int, told.split()))
    assert len(theirs) == MOST
    assert not theirs & {free_port() for _ in range(LENGTH)}


def test_a_gateway_has_each_port_for_itself() -> None:
    assert len(set(astuple(demo_ports()))) == len(astuple(demo_ports()))
