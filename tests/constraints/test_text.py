import pytest

from placement.constraints import GroupBy, MaxPer, Unique, parse
from placement.constraints.text import check_relax, make, relaxed, write
from placement.errors import InputError


def test_constraints_are_joined_by_semicolons():
    assert parse("rack:GROUP_BY:3;hostname:UNIQUE; zone:max_per:2") == (
        GroupBy("rack", 3),
        Unique("hostname"),
        MaxPer("zone", 2),
    )


def test_a_semicolon_inside_a_value_is_escaped():
    text = r"rack:LIKE:a\;b;hostname:UNIQUE"
    assert [str(one) for one in parse(text)] == ["rack:LIKE:a;b", "hostname:UNIQUE"]
    assert write(parse(text)) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rack:UNIQUE:a", "takes no value"),
        ("rack:UNIQE", "did you mean 'UNIQUE'"),
        (":UNIQUE", "names no field"),
        ("rack", "not a constraint"),
        ("rack:MAX_PER", "needs a value"),
        ("rack:MAX_PER:two", "whole number"),
        ("rack:GROUP_BY:inf", "whole number"),
        ("rack:LIKE", "needs a value"),
        ("rack:LIKE:*", "pattern|\\*"),
        ("rack:IS:{a}", "IS takes only"),
        ("rack:ANTI_AFFINITY:/a:-1", "negative"),
    ],
)
def test_wrong_constraints_are_refused_by_name(text, message):
    with pytest.raises(InputError, match=message):
        parse(text)


def test_only_the_operators_allowed_are_made():
    with pytest.raises(InputError, match="unknown operator"):
        make("rack", "AFFINITY", "/db", operators=("UNIQUE",))


@pytest.mark.parametrize(
    ("word", "named"),
    [("*/rack:UNIQUE", True), ("/a/rack:*", True), ("/b/rack:UNIQUE", False), ("/a/*:MAX_PER", False)],
)
def test_relax_words_name_constraints_by_job_field_and_operator(word, named):
    assert relaxed([word], "/a", Unique("rack")) is named


@pytest.mark.parametrize("word", ["rack:UNIQUE", "/a/rack", "/a/rack:PORTS", "/a/:UNIQUE"])
def test_relax_words_of_another_form_are_refused(word):
    with pytest.raises(InputError, match="relaxed"):
        check_relax(word)
