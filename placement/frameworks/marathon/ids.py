"""Ids of apps and groups: paths, resolved against the enclosing group.

Source: mesosphere/marathon, state/PathId.scala (docs/marathon.md 2.1).
"""

from __future__ import annotations

import re

from placement.frameworks.marathon.settings import Refused

_LABEL = r"([a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])"
_SEGMENT = re.compile(rf"({_LABEL}\.)*{_LABEL}")
_RESERVED = ("restart", "tasks", "versions", ".", "..")
ROOT = "/"
LONGEST = 1000


def resolve(text: str, base: str = ROOT) -> str:
    """Return a path resolved against a group: `.` stays, `..` climbs (never above the root)."""
    segments = [] if text.startswith("/") else [one for one in base.split("/") if one]
    for one in text.split("/"):
        if one == "..":
            segments = segments[:-1]
        elif one and one != ".":
            segments.append(one)
    return "/" + "/".join(segments)


def parent(path: str) -> str:
    """Return the group a path lies in."""
    return path.rpartition("/")[0] or ROOT


def top(path: str) -> str:
    """Return the first segment of a path ('' for the root)."""
    return path.split("/")[1]


def app_id(text: str, base: str) -> str:
    """Return the resolved id of an app, pod or group.

    Raises
    ------
    Refused
        If a segment breaks the rule for ids.
    """
    if len(text) > LONGEST:
        raise Refused("id is too long", section="2.1", value=text, expected=f"at most {LONGEST} characters")
    for segment in (one for one in text.split("/") if one not in ("", ".", "..")):
        if not _SEGMENT.fullmatch(segment):
            raise Refused("id has a bad segment", section="2.1", value=segment,
                          expected="lower case letters, digits, inner dots and hyphens")  # fmt: skip
    path = resolve(text, base)
    if path.rpartition("/")[2] in _RESERVED:
        raise Refused(
            "id ends in a reserved word", section="2.1", value=text, expected="not restart, tasks or versions"
        )
    return path
