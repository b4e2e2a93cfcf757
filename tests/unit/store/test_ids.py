from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from gateway.store.ids import below, new_id


def test_an_id_has_32_hex_digits_and_begins_with_the_time() -> None:
    before, after = new_id(), new_id()
    assert len(before) == len(after) == 32
    assert int(before[:12], 16) <= int(after[:12], 16)


def test_threads_are_never_given_the_same_id() -> None:
    with ThreadPoolExecutor(8) as threads:
        ids = [one for many in threads.map(lambda _: [new_id() for _ in range(500)], range(16)) for one in many]
    assert len(set(ids)) == len(ids)


def test_a_forked_process_gives_other_ids_than_its_parent() -> None:
    new_id()
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writable, "".join(new_id()[12:] for _ in range(100)).encode("ascii"))
        os._exit(0)
    os.waitpid(child, 0)
    told = os.read(readable, 4000).decode("ascii")
    os.close(readable)
    os.close(writable)
    theirs = {told[place : place + 20] for place in range(0, len(told), 20)}
    assert len(theirs) == 100
    assert theirs.isdisjoint(new_id()[12:] for _ in range(600))


def test_numbers_are_below_their_bound_and_none_is_left_out() -> None:
    seen = Counter(below(5) for _ in range(1000))
    assert set(seen) == set(range(5))
