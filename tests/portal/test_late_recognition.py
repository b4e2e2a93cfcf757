"""A fax that was lost from memory before it was recognised: recognised when a clerk opens it, and nobody waits."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.store.intake import item
from gateway.store.recognition import recognition_row
from tests.portal.clerks import Clerks, Desk, words_of
from tests.portal.faxed import bring

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def row_of(clerks: Clerks, reference: str) -> Any:
    one = await clerks.house.database.read(item, reference)
    return await clerks.house.database.read(recognition_row, one.id)


async def test_a_fax_that_came_just_now_is_left_to_the_program_that_took_it(clerks: Clerks, edda: Desk) -> None:
    reference = await bring(clerks, ["Dear Sir or Madam"], number=71)
    assert "not read by a machine so far" in words_of(await edda.see(f"/desk/intake/{reference}"))
    await asyncio.sleep(0.2)
    assert (await row_of(clerks, reference)).version == 0


async def test_one_that_was_lost_is_recognised_when_it_is_opened(clerks: Clerks) -> None:
    reference = await bring(clerks, ["Dear Sir or Madam"], number=72)
    clerks.house.clock.advance(31 * 60)
    async with clerks.at_work() as later:
        assert "not read by a machine so far" in words_of(await later.see(f"/desk/intake/{reference}"))
        for _ in range(2):  # meanwhile it may have been
            await later.see(f"/desk/intake/{reference}")
        async with asyncio.timeout(120):
            while not (await row_of(clerks, reference)).version:
                await asyncio.sleep(0.1)
        assert "not read by a machine so far" not in words_of(await later.see(f"/desk/intake/{reference}"))
    row = await row_of(clerks, reference)
    assert (row.version, row.complete) == (1, 1)
