"""Marathon's run-time settings that change placement, and the error for what Marathon itself refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from placement.constraints.group_by import Generation
from placement.errors import InputError, nearest

FEATURES = ("gpu_resources", "external_volumes", "secrets", "task_killing", "vips", "maintenance_mode")


class Refused(InputError):  # noqa: N818 - reads as what Marathon did
    """An app that Marathon refuses; `section` is the part of its rules that says so (docs/marathon.md)."""

    def __init__(self, message: str, *, section: str, **more: Any) -> None:
        self.section = section
        super().__init__(message, **more)

    def __str__(self) -> str:
        return f"{super().__str__()} [Marathon's rule {self.section}]"

    def inside(self, *, file: str | None = None, place: str | None = None) -> Refused:
        """Return the same refusal told from further outside."""
        outer = super().inside(file=file, place=place)
        return Refused(outer.message, section=self.section, file=outer.file, place=outer.place, value=outer.value,
                       expected=outer.expected, nearest=outer.nearest)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class MarathonSettings:
    """Settings by the names of Marathon's flags.

    Attributes
    ----------
    local_region
        Region of the Mesos masters; None: unknown.
    group_by
        Generation of GROUP_BY with a number: 'quota' or 'classic'.
    """

    mesos_role: str = "*"
    accepted_resource_roles_default_behavior: str = "any"
    new_group_enforce_role: str = "off"
    default_network_name: str | None = None
    local_port_min: int = 10000
    local_port_max: int = 20000
    gpu_scheduling_behavior: str = "restricted"
    maintenance_mode: bool = True
    draining_seconds: float = 0.0
    local_region: str | None = None
    enable_features: frozenset[str] = frozenset()
    group_by: Generation = "quota"

    @classmethod
    def from_mapping(cls, given: Mapping[str, str]) -> MarathonSettings:
        """Return the settings of NAME=VALUE pairs.

        Raises
        ------
        InputError
            For an unknown name or a value it cannot have.
        """
        names = [one.name for one in fields(cls)]
        values: dict[str, Any] = {}
        for name, value in given.items():
            if name not in names:
                raise InputError("no such setting of Marathon", value=name, expected="one of " + ", ".join(names),
                                 nearest=nearest(name, names))  # fmt: skip
            values[name] = _READERS.get(name, _text)(name, value)
        return cls(**values)


def _text(name: str, value: str) -> str:
    return value


def _one_of(*allowed: str) -> Callable[[str, str], str]:
    def read(name: str, value: str) -> str:
        if value not in allowed:
            raise InputError(f"setting {name} has no such value", value=value, expected="one of " + ", ".join(allowed),
                             nearest=nearest(value, allowed))  # fmt: skip
        return value

    return read


def _switch(name: str, value: str) -> bool:
    return _one_of("on", "off", "true", "false", "True", "False")(name, value) in ("on", "true", "True")


def _number(name: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1e12:
        raise InputError(f"setting {name} is not a number of seconds", value=value, expected="0 or more")
    return number


def _port(name: str, value: str) -> int:
    if not value.isdigit() or int(value) > 65535:
        raise InputError(f"setting {name} is not a port", value=value, expected="0 to 65535")
    return int(value)


def _features(name: str, value: str) -> frozenset[str]:
    found = frozenset(word.strip() for word in value.split(",") if word.strip())
    for word in sorted(found):
        _one_of(*FEATURES)(name, word)
    return found


_READERS: Mapping[str, Callable[[str, str], Any]] = {
    "accepted_resource_roles_default_behavior": _one_of("any", "unreserved", "reserved"),
    "new_group_enforce_role": _one_of("off", "top"),
    "gpu_scheduling_behavior": _one_of("restricted", "unrestricted"),
    "group_by": _one_of("quota", "classic"),
    "maintenance_mode": _switch,
    "draining_seconds": _number,
    "local_port_min": _port,
    "local_port_max": _port,
    "enable_features": _features,
}
