"""Short ways to read Marathon documents in tests."""

from __future__ import annotations

import io
import json
from typing import Any

from placement.frameworks import ReadWorkload, read_workload
from placement.workload import Job


def read(document: Any, **settings: str) -> ReadWorkload:
    data = io.BytesIO(json.dumps(document).encode())
    return read_workload(["-"], format="marathon", settings=settings, stdin=data)


def job(document: dict[str, Any], **settings: str) -> Job:
    (only,) = read(document, **settings).workload.jobs
    return only


def app(**fields: Any) -> dict[str, Any]:
    return {"id": "/a", "cmd": "x", **fields}
