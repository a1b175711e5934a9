"""Volumes of apps and pods: persistent ones become requests, external ones only limit counts.

Source: mesosphere/marathon, `docs/marathon.md` 8.2 (persistent) and 8.4 (external).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from placement.cluster import DiskKind
from placement.constraints.base import Constraint
from placement.constraints.text import make
from placement.documents import Record
from placement.errors import InputError, doubt
from placement.frameworks.marathon.settings import Refused
from placement.workload import VolumeRequest

KINDS: tuple[DiskKind, ...] = ("root", "path", "mount")
SINGLE_WRITERS = ("SINGLE_NODE_WRITER", "SINGLE_NODE_READER_ONLY", "UNKNOWN")
"""CSI access modes that let one instance only use a volume."""


@dataclass(frozen=True, slots=True)
class External:
    """An external volume: its name, whether it may be shared, and whether it allows only one instance."""

    name: str
    shared: bool
    single: bool
    place: str


def persistent(volumes: Iterator[Record]) -> tuple[VolumeRequest, ...]:
    """Return what the persistent ones among an app's or pod's volumes ask for.

    Raises
    ------
    Refused
        If one breaks section 8.2.
    """
    return tuple(_request(one) for one in volumes if "persistent" in one)


def _request(volume: Record) -> VolumeRequest:
    details = volume.record("persistent")
    assert details is not None, "only called for volumes that have it"
    name = volume.text("containerPath") if "containerPath" in volume else volume.text("name")
    if "containerPath" in volume.fields or "name" not in volume:
        _check_path(volume, name)
        if (volume.text("mode") or "") != "RW":
            raise _refused(volume, "mode", "a persistent volume must be RW", "RW")
    size, most = details.amount("size", 0) if _positive(details, "size") else 0, None
    if size <= 0:
        raise _refused(details, "size", "size must be above 0", "MB")
    kind = _kind(details)
    if "maxSize" in details:
        most = details.amount("maxSize", 0)
        if kind != "mount":
            raise _refused(details, "maxSize", "only mount volumes may have maxSize")
        if most <= size:
            raise _refused(details, "maxSize", "maxSize must be larger than size")
    rules = tuple(_path_rule(details, i, kind) for i in range(len(details.items("constraints") or [])))
    profile = details.text("profileName")
    return VolumeRequest(name=name or "", size=size, kind=kind, most=most, profile=profile or None, path_rules=rules)


def _positive(details: Record, name: str) -> bool:
    return details.number(name, 0) > 0


def _check_path(volume: Record, path: str | None) -> None:
    if not path:
        raise _refused(volume, "containerPath", "containerPath is missing", "a name")
    if path in (".", "..") or "/" in path:
        raise _refused(volume, "containerPath", "containerPath must be a plain name", "no slash, not . or ..")


def _kind(details: Record) -> DiskKind:
    word = details.text("type") or ("mount" if "profileName" in details else "root")
    for kind in KINDS:
        if word == kind:
            return kind
        if word.lower() == kind:
            doubt("disk type in capitals", strict=details.strict, file=details.file, place=details.at("type"), value=word,
                  expected=kind)  # fmt: skip
            return kind
    raise _refused(details, "type", "unknown disk type", ", ".join(KINDS))


def _path_rule(details: Record, number: int, kind: DiskKind) -> Constraint:
    value = (details.items("constraints") or [])[number]
    place = f"{details.at('constraints')}[{number}]"
    fault: str | None = None
    if kind == "root":
        fault = "constraints are not supported on root volumes"
    elif not isinstance(value, list) or len(value) != 3 or not all(isinstance(one, str) for one in value):
        fault = "a volume constraint has three texts"
    elif value[0] != "path" or value[1] not in ("LIKE", "UNLIKE"):
        fault = "a volume constraint is LIKE or UNLIKE on path"
    if fault:
        raise Refused(fault, section="8.2", file=details.file, place=place, value=value,
                      expected='["path", "LIKE", "PATTERN"]')  # fmt: skip
    try:
        return make(value[0], value[1], value[2], operators=("LIKE", "UNLIKE"))
    except InputError as error:
        outer = error.inside(file=details.file, place=place)
        raise Refused(outer.message, section="8.2", file=outer.file, place=outer.place, value=outer.value) from None


def external(volumes: Iterator[Record]) -> tuple[External, ...]:
    """Return the external ones among an app's volumes."""
    found = []
    for volume in volumes:
        details = volume.record("external")
        if details is None:
            continue
        provider = (details.text("provider") or "dvdi").lower()
        options = details.record("options")
        mode = options.text("accessMode") if options is not None else None
        mode = mode or (options.text("access_mode") if options is not None else None)
        read_only = (volume.text("mode") or "RW") == "RO"
        single = provider == "dvdi" or mode in SINGLE_WRITERS or (mode == "MULTI_NODE_SINGLE_WRITER" and not read_only)
        shared = details.flag("shared", False) or (mode == "MULTI_NODE_SINGLE_WRITER" and read_only)
        found.append(External(details.text("name") or "", shared, single, details.place))
    return tuple(found)


def check_shared(apps: Sequence[tuple[str, tuple[External, ...]]]) -> None:
    """Refuse a name of an external volume that is used twice unless every user declares it shared.

    Raises
    ------
    Refused
        Naming the second user.
    """
    users: dict[str, External] = {}
    for app, volumes in apps:
        for one in volumes:
            before = users.get(one.name)
            if before is not None and not (before.shared and one.shared):
                raise Refused("two volumes use one external volume, and not both as shared", section="8.4",
                              place=one.place, value=one.name, expected=f"another name for {app}")  # fmt: skip
            users.setdefault(one.name, one)


def _refused(record: Record, name: str, message: str, expected: str | None = None) -> Refused:
    return Refused(message, section="8.2", file=record.file, place=record.at(name), value=record.fields.get(name),
                   expected=expected)  # fmt: skip
