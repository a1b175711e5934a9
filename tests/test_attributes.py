import pytest
from hypothesis import given
from hypothesis import strategies as st

from placement.attributes import Attribute, parse, parse_ranges, ranges_text, scalar_text, set_text
from placement.errors import InputError


@pytest.mark.parametrize(
    ("text", "kind", "printed"),
    [
        ("rack-1", "text", "rack-1"),
        ("rack-1.0", "text", "rack-1.0"),
        ("1.0", "scalar", "1"),
        ("7", "scalar", "7"),
        ("1.0005", "scalar", "1"),
        ("1.1005", "scalar", "1.101"),
        ("[5-6,1-2]", "ranges", "[1-2,5-6]"),
        ("{1,0}", "set", "{0,1}"),
        ("'007'", "text", "007"),
        ("nan", "text", "nan"),
        ("5-7", "text", "5-7"),
    ],
)
def test_the_text_decides_the_type(text, kind, printed):
    assert parse(text) == Attribute(kind, printed)


@pytest.mark.parametrize("text", ["[7-5]", "[a-b]", "[1]"])
def test_brackets_that_hold_no_ranges_are_refused(text):
    with pytest.raises(InputError):
        parse(text)


def test_single_ports_are_read_where_allowed():
    assert parse_ranges("80;443;31000-31001", ";", single=True) == [(80, 80), (443, 443), (31000, 31001)]


@given(
    st.one_of(
        st.floats(0, 1e6).map(lambda value: Attribute("scalar", scalar_text(value))),
        st.lists(st.sampled_from("abc"), min_size=1).map(lambda items: Attribute("set", set_text(items))),
        st.lists(st.tuples(st.integers(0, 9), st.integers(9, 20)), min_size=1).map(
            lambda ranges: Attribute("ranges", ranges_text(ranges))
        ),
        st.text(st.characters(codec="ascii", exclude_characters="'\" \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f"), min_size=1).map(
            lambda text: Attribute("text", text)
        ),
    )
)
def test_an_attribute_written_in_mesos_form_is_read_back(attribute):
    assert parse(attribute.mesos()) == attribute
