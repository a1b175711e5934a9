"""`python -m tests.conformance FILE...`: evaluate case files; exit 1 if any case fails."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.conformance.runner import differences, load_cases, run


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="case files (JSON lists)")
    parser.add_argument("--case", action="append", default=[], help="only the cases with this id")
    chosen = parser.parse_args(arguments)
    cases = [case for file in chosen.files for case in load_cases(file)]
    if chosen.case:
        cases = [case for case in cases if case["id"] in chosen.case]
    report = run(cases, differences())
    for case_id, failures in report.failed.items():
        print(f"FAILED {case_id}: " + "; ".join(failures))
    for case_id, reason in report.differing.items():
        print(f"differs by decision {case_id}: {reason}")
    print(f"{report.passed} passed, {len(report.failed)} failed, {len(report.differing)} differ by decision")
    return 1 if report.failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
