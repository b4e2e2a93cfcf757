"""A build with sealing replaced by the identity: every Python that has this folder on its path, and the variable set.

It proves that a search for canaries which finds nothing in a sealed vault would have found them.
"""

from __future__ import annotations

import os

if os.environ.get("GATEWAY_TEST_UNSEALED") == "yes":
    from gateway.demo.unsealed import Copying
    from gateway.store import sealing

    sealing.AESGCM = Copying
