"""Evaluates conformance cases: one evaluator a format, one function an expectation."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from placement.errors import InputError
from tests.conformance import marathon

Case = Mapping[str, Any]

EVALUATORS: Mapping[str, Callable[[Case], Mapping[str, Callable[[Any], str | None]]]] = {
    "marathon": marathon.expectations,
}
"""For each format: from a case to its expectations by name; each takes what is expected and says what is wrong."""


@dataclass
class Report:
    """Outcome of a run."""

    passed: int = 0
    failed: dict[str, list[str]] = field(default_factory=dict)
    differing: dict[str, str] = field(default_factory=dict)


def load_cases(file: Path) -> list[Case]:
    return list(json.loads(file.read_text(encoding="utf-8")))


def differences() -> Mapping[str, str]:
    """Cases that are answered differently on purpose, with the reason."""
    text = (Path(__file__).parent / "differences.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def run(cases: Iterable[Case], decided: Mapping[str, str]) -> Report:
    report = Report()
    for case in cases:
        failures = evaluate(case)
        if not failures:
            report.passed += 1
        elif case["id"] in decided:
            report.differing[case["id"]] = decided[case["id"]]
        else:
            report.failed[case["id"]] = failures
    return report


def evaluate(case: Case) -> list[str]:
    """Return what is wrong with our answer to a case; nothing if it is right."""
    if case["format"] not in EVALUATORS:
        return [f"no evaluator for format {case['format']}"]
    expect = case["expect"]
    try:
        known = EVALUATORS[case["format"]](case)
    except InputError as error:
        return [] if "invalid" in expect else [f"refused: {error}"]
    if "invalid" in expect:
        return [f"accepted, though {expect['invalid']}"]
    failures = []
    for name, wanted in expect.items():
        if name not in known:
            failures.append(f"unknown expectation {name}")
            continue
        complaint = known[name](wanted)
        if complaint:
            failures.append(f"{name}: {complaint}")
    return failures
