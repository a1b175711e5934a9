"""Roles: under which one a spec runs, and whose resources it may use.

Source: mesosphere/marathon, util/RoleSettings.scala and state/ResourceRole.scala (docs/marathon.md 4).
"""

from __future__ import annotations

from dataclasses import dataclass

from placement.cluster import UNRESERVED
from placement.documents import Record
from placement.frameworks.marathon import ids
from placement.frameworks.marathon.settings import MarathonSettings, Refused

_BAD_CHARACTERS = frozenset("\t\n\v\f\r /\x7f")
_BEHAVIORS = ("any", "unreserved", "reserved")


@dataclass(frozen=True, slots=True)
class RoleRule:
    """Which roles a spec may run under.

    Attributes
    ----------
    default, valid
        The role of a spec that names none, and all valid ones.
    certain
        Whether that rests on what was stated rather than on a default of Marathon's settings.

    """

    default: str
    valid: tuple[str, ...]
    certain: bool


def role_rule(path: str, enforced: bool, settings: MarathonSettings) -> RoleRule:
    """Return the rule for a spec (4.1); `enforced`: its top-level group enforces the group role."""
    default, stated = settings.mesos_role, "mesos_role" in settings.given
    if ids.parent(path) == ids.ROOT:
        return RoleRule(default, (default,), stated)
    group = ids.top(path)
    if enforced:
        return RoleRule(group, (group,), True)
    return RoleRule(default, (default, group), stated)


def role_of(spec: Record, rule: RoleRule, *, exists: bool) -> str:
    """Return the role a spec runs under; one that exists already keeps the role it has.

    Raises
    ------
    Refused
        If Mesos takes no such name, or the group does not allow the role.

    """
    given = spec.text("role")
    role = rule.default if given is None else given
    check_name(role, spec, "role")
    if role in rule.valid or exists:
        return role
    message, expected = "Marathon allows other roles only here", " or ".join(rule.valid)
    if rule.certain:
        raise Refused.at(spec, "role", message, "4.1", expected)
    spec.doubt("role", message, expected=f"{expected} (or --set mesos_role={role})")
    return role


def check_resident(spec: Record, role: str, rule: RoleRule, *, exists: bool) -> None:
    """Refuse persistent volumes under the role '*', unless that role is only assumed."""
    if role != UNRESERVED:
        return
    message, expected = "persistent volumes need a role other than *", "a role, or --set mesos_role=ROLE"
    if (rule.certain or "role" in spec) and not exists:
        raise Refused.at(spec, "role", message, "4.1", expected)
    spec.doubt("role", message, value=role, expected=expected)


def accepted_roles(
    holder: Record | None, role: str, settings: MarathonSettings, *, resident: bool, empty_is_absent: bool = False
) -> tuple[str, ...]:
    """Return the roles whose resources may be used (4.2); a resident spec starts on unreserved ones.

    Raises
    ------
    Refused
        If the list is empty or names a role that is not the spec's.

    """
    named = holder.texts("acceptedResourceRoles") if holder is not None else None
    if holder is None or named is None or (empty_is_absent and not named):
        return (UNRESERVED,) if resident else _by_default(role, settings)
    if not named:
        raise _refused(holder, "acceptedResourceRoles must not be empty", role)
    for one in named:
        check_name(one, holder, "acceptedResourceRoles")
    if any(one not in (UNRESERVED, role) for one in named):
        raise _refused(holder, "acceptedResourceRoles names a role that is not the app's", role)
    if resident and set(named) != {UNRESERVED}:
        raise _refused(holder, "a resident app accepts unreserved resources only", UNRESERVED)
    return tuple(named)


def _by_default(role: str, settings: MarathonSettings) -> tuple[str, ...]:
    accepted = dict(zip(_BEHAVIORS, ((role, UNRESERVED), (UNRESERVED,), (role,)), strict=True))
    return accepted[settings.accepted_resource_roles_default_behavior]


def check_name(role: str, record: Record, name: str) -> None:
    """Refuse role names that Mesos refuses (4.2)."""
    if role in ("", ".", "..") or role.startswith("-") or _BAD_CHARACTERS & set(role):
        raise Refused("is no role name", section="4.2", file=record.file, place=record.at(name), value=role,
                      expected="a name without blanks or slashes that does not start with -")  # fmt: skip


def _refused(holder: Record, message: str, role: str) -> Refused:
    expected = UNRESERVED if role == UNRESERVED else f"{UNRESERVED} or {role}"
    return Refused.at(holder, "acceptedResourceRoles", message, "4.2", expected)
