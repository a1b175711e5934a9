import pytest

from placement.constraints import Is, parse
from placement.errors import InputError
from tests.clusters import agent, allowed, cluster, job


@pytest.mark.parametrize(
    ("value", "holds"), [("1.0001", True), ("1.0005", True), ("1.00051", False), ("1", True), ("1.001", False)]
)
def test_numbers_are_rounded_to_three_decimals_half_to_even_on_the_binary_value(value, holds):
    assert allowed(cluster(agent("a1", number="1.0")), job(constraints=f"number:IS:{value}")) == ["a1"] * holds


def test_text_is_compared_exactly():
    where = cluster(agent("a1", hostname="right.com"), agent("a2", hostname="wrong.com"))
    assert allowed(where, job(constraints="@hostname:IS:right.com")) == ["a1"]


def test_without_a_value_only_an_empty_text_is_equal():
    assert parse("field:IS") == (Is("field", ""),)
    where = cluster(agent("a1", field="''"), agent("a2", field="x"), agent("a3"))
    assert allowed(where, job(constraints="field:IS")) == ["a1"]


@pytest.mark.parametrize("value", ["[1-2]", "{a}", "a b", "ä"])
def test_ranges_sets_and_other_characters_are_refused(value):
    with pytest.raises(InputError, match="IS takes only text and numbers"):
        Is("field", value)
