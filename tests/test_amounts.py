import pytest

from placement.amounts import plain, text, thousandths
from placement.errors import InputError


@pytest.mark.parametrize(
    ("value", "amount"),
    [(1, 1000), (0.1, 100), ("0.5", 500), (0.0004, 0), (0.0005, 0), (0.0015, 2), ("1e3", 1_000_000), (0, 0)],
)
def test_amounts_are_thousandths_rounded_half_to_even(value, amount):
    assert thousandths(value) == amount


@pytest.mark.parametrize("value", [-1, "-0.1", float("nan"), float("inf"), "four", "", None, True, 10**13])
def test_what_is_no_amount_is_refused(value):
    with pytest.raises(InputError):
        thousandths(value)


def test_amounts_print_without_trailing_zeros():
    assert [text(amount) for amount in (1000, 1500, 1, 0)] == ["1", "1.5", "0.001", "0"]
    assert [plain(amount) for amount in (2000, 250)] == [2, 0.25]
