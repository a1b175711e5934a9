"""What the checker reports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule that placements break.

    Attributes
    ----------
    job
        Id of the job concerned.
    rule
        The rule: a constraint as text, or a word such as 'cpus', 'ports', 'number of instances'.
    count
        New instances concerned; for a constraint, those that would have to go for it to hold.
    message
        One sentence.
    """

    job: str
    rule: str
    count: int
    message: str
