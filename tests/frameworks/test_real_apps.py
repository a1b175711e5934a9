"""Files that people wrote: all are read, or refused by one of the rules that may refuse."""

from collections import Counter

import pytest

from placement.errors import InputError
from placement.frameworks import read_workload
from placement.frameworks.marathon import Refused
from tests.shared import needs_shared, shared

MAY_REFUSE = {"2.1", "4.2", "5.3", "6.5", "8.2"}


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore::placement.errors.InputWarning")
@needs_shared
def test_real_files_are_read_or_refused_by_a_rule():
    files = sorted(shared("data", "real-apps", "marathon").glob("*.json"))
    outcome: Counter[str] = Counter()
    for file in files:
        try:
            assert len(read_workload([file]).workload) > 0
            outcome["read"] += 1
        except Refused as refusal:
            outcome[refusal.section] += 1
        except InputError as error:
            pytest.fail(f"{file.name}: {error}")
    assert set(outcome) - {"read"} <= MAY_REFUSE
    assert outcome["read"] >= 0.75 * len(files)
