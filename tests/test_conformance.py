"""The published cases hold, and the runner can fail."""

from pathlib import Path

import pytest

from tests.conformance.__main__ import main
from tests.conformance.runner import differences, evaluate, load_cases, run
from tests.shared import needs_shared, shared

OWN = Path(__file__).parent / "conformance" / "marathon.json"


def test_every_case_passes_or_differs_by_decision():
    report = run(load_cases(OWN), differences())
    assert report.failed == {}
    assert report.passed == 210
    assert len(report.differing) <= 5


@pytest.mark.integration
@needs_shared
def test_the_published_file_holds_the_same_cases():
    assert load_cases(shared("conformance", "marathon.json")) == load_cases(OWN)


def test_a_wrong_expectation_fails():
    case = next(one for one in load_cases(OWN) if one["expect"].get("eligible"))
    assert evaluate(case) == []
    assert evaluate({**case, "expect": {"eligible": ["nobody"]}}) != []
    assert evaluate({**case, "expect": {"invalid": "it is not"}}) != []
    assert evaluate({**case, "expect": {"unheard of": 1}}) != []


def test_an_unknown_format_fails():
    case = load_cases(OWN)[0]
    assert evaluate({**case, "format": "unheard of"}) == ["no evaluator for format unheard of"]


def test_a_case_that_differs_without_a_decision_makes_the_runner_exit_1(tmp_path, capsys):
    import json

    case = next(one for one in load_cases(OWN) if one["expect"].get("eligible"))
    file = tmp_path / "cases.json"
    file.write_text(json.dumps([{**case, "expect": {"eligible": []}}]))
    assert main([str(file)]) == 1
    assert "0 passed, 1 failed, 0 differ by decision" in capsys.readouterr().out
