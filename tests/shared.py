"""Where the published cases and data sets are, for tests that need them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = os.environ.get("PLACEMENT_SHARED")

needs_shared = pytest.mark.skipif(
    not SHARED,
    reason="needs the published data sets: set PLACEMENT_SHARED to the folder that holds data/ and conformance/",
)


def shared(*parts: str) -> Path:
    """A path below the shared folder."""
    assert SHARED, "only tests marked needs_shared may ask"
    return Path(SHARED).joinpath(*parts)
