"""Java's full-match patterns: each line of the tables follows from the documentation of java.util.regex.Pattern."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placement.errors import InputError
from placement.patterns import LONGEST, Pattern


def matches(pattern: str, value: str) -> bool:
    return Pattern.compile(pattern).matches([value])[0]


MEANINGS = [
    # the whole value, case-sensitive
    ("rack-[12]", "rack-1", True),
    ("rack-[12]", "rack-10", False),
    ("ack", "rack", False),
    ("RACK", "rack", False),
    ("", "", True),
    ("", "a", False),
    ("a|", "", True),
    ("a|ab", "ab", True),
    ("r(?:ack|oom)s?", "rooms", True),
    # the point leaves out Java's line ends, unless (?s) or (?d)
    (".", "x", True),
    (".", "\n", False),
    (".", "\r", False),
    (".", "\x85", False),
    (".", "\u2028", False),
    (".", "\x0b", True),
    (".", "\U0001f600", True),
    ("(?s).", "\n", True),
    ("(?s:.).", "\n\n", False),
    ("(?d).", "\r", True),
    ("(?d).", "\n", False),
    # predefined classes are ASCII; \s has the vertical tab, \v and \h are classes
    (r"\d", "7", True),
    (r"\d", "\u0667", False),
    (r"\D", "\u0667", True),
    (r"\w+", "aZ_9", True),
    (r"\w", "é", False),
    (r"\W", "é", True),
    (r"\s", "\x0b", True),
    (r"\s", "\xa0", False),
    (r"\S", "\x0b", False),
    (r"[\s]", "\x0b", True),
    (r"[^\s]", "\x0b", False),
    (r"\v", "\x0b", True),
    (r"\v", "\n", True),
    (r"\v", "\u2029", True),
    (r"\V", "\n", False),
    (r"[\v]", "\r", True),
    (r"\h", "\t", True),
    (r"\h", "\u3000", True),
    (r"\H", "a", True),
    (r"\R", "\r\n", True),
    (r"\R", "\u2028", True),
    (r"\R", "\n\n", False),
    # classes: unions, intersections, literal brackets and hyphens
    ("[a-z&&[def]]", "e", True),
    ("[a-z&&[def]]", "g", False),
    ("[a-z&&[^bc]]", "b", False),
    ("[a-z&&[^m-p]]", "q", True),
    ("[a-z&&b-d&&[c]]", "c", True),
    ("[a-z&&b-d&&[c]]", "d", False),
    ("[a-d[m-p]]", "n", True),
    ("[a-d[m-p]]", "e", False),
    ("[a&b]", "&", True),
    ("[]a]", "]", True),
    ("[^]a]", "]", False),
    ("[a-]", "-", True),
    ("[-a]", "-", True),
    ("[a^]", "^", True),
    ("[.*]", "*", True),
    (r"[\]\-]", "-", True),
    (r"[\d-z]", "-", True),
    (r"[\x41-\x43]", "B", True),
    ("[a&&b]", "a", False),
    # quoting and escapes
    (r"\Qa.b\E", "a.b", True),
    (r"\Qa.b\E", "axb", False),
    (r"\Qa.b", "a.b", True),
    (r"\Qab\E*", "abb", True),
    (r"\Qab\E*", "abab", False),
    (r"[\Qa-c\E]", "-", True),
    (r"[\Qa-c\E]", "b", False),
    (r"\0101", "A", True),
    (r"\0478", "'8", True),
    (r"\0777", "?7", True),
    (r"\cA", "\x01", True),
    (r"\x41", "A", True),
    (r"\x{1F600}", "\U0001f600", True),
    (r"\u0041", "A", True),
    (r"\uD83D\uDE00", "\U0001f600", True),
    (r"\e\a\t", "\x1b\x07\t", True),
    (r"\.\{\_", ".{_", True),
    ("}]", "}]", True),
    # repeats
    ("a{2}", "aa", True),
    ("a{2,}", "a", False),
    ("a{1,2}", "aaa", False),
    ("(ab){2}", "abab", True),
    ("a{0}", "", True),
    ("a+?", "aaa", True),
    ("a??b", "ab", True),
    ("a{1500}", "a" * 1500, True),
    ("a{1500}", "a" * 1499, False),
    ("a{2,1500}", "a" * 1500, True),
    ("a{2,1500}", "a" * 1501, False),
    ("a{1500,}", "a" * 3000, True),
    ("a{1500,}", "a" * 1499, False),
    ("(a{40}){40}", "a" * 1600, True),
    ("(a{40}){40}", "a" * 1599, False),
    # possessive repeats that never have to give anything back
    ("a*+", "aaa", True),
    ("a*+b", "aab", True),
    ("[^-]++-[0-9]++", "rack-12", True),
    ("(?:a*+b)*", "aabab", True),
    ("a{2}+a", "aaa", True),
    # ends
    ("^a$", "a", True),
    ("^a$", "a\n", False),
    ("a$|b", "a", True),
    ("a$b", "ab", False),
    (r"a\Z", "a", True),
    (r"a\z", "a\n", False),
    (r"\Aa\z", "a", True),
    (r"\Ga", "a", True),
    ("a^b", "ab", False),
    (r"\bab\b.*", "ab cd", True),
    (r"\bab\b.*", "abcd", False),
    (r"a\Bb", "ab", True),
    # flags
    ("(?i)rack", "RaCk", True),
    ("(?i)[a-c]x", "BX", True),
    ("(?i)k", "\u212a", False),
    ("(?i)é", "É", False),
    ("a(?i)b", "aB", True),
    ("a(?i)b", "AB", False),
    ("(a(?i)b)c", "aBC", False),
    ("(?i:a)b", "Ab", True),
    ("(?i)a(?-i)b", "AB", False),
    ("a(?i)b|c", "C", True),
    ("(?<first>a)b", "ab", True),
    # named classes
    (r"\p{Alpha}+", "aZ", True),
    (r"\p{Alpha}", "é", False),
    (r"\p{Lower}", "a", True),
    (r"\P{Upper}", "A", False),
    (r"\p{Punct}", "$", True),
    (r"\p{Graph}", " ", False),
    (r"\p{Print}", " ", True),
    (r"\p{Blank}", "\n", False),
    (r"\p{Cntrl}", "\x7f", True),
    (r"\p{XDigit}", "f", True),
    (r"\p{Space}", "\x0b", True),
    (r"\p{Alnum}", "_", False),
    (r"\p{ASCII}", "\x80", False),
    (r"\p{L}", "é", True),
    (r"\pL", "1", False),
    (r"\p{Lu}", "É", True),
    (r"\p{IsLu}", "é", False),
    (r"\p{gc=Nd}", "\u0667", True),
    (r"[\p{L}&&[^\p{Lu}]]", "É", False),
    (r"[\p{L}&&[^\p{Lu}]]", "é", True),
    (r"\p{javaLetterOrDigit}", "\u0667", True),
]


@pytest.mark.parametrize(("pattern", "value", "expected"), MEANINGS)
def test_a_pattern_means_what_it_means_in_java(pattern, value, expected):
    assert matches(pattern, value) is expected


REFUSALS = [
    ("(?=a)a", "look-ahead"),
    ("(?!a)b", "look-ahead"),
    ("(?<=a)b", "look-behind"),
    ("(?<!a)b", "look-behind"),
    ("(?>a*)b", "atomic group"),
    (r"(a)\1", "back-reference"),
    (r"(?<n>a)\k<n>", "back-reference"),
    (r"[\1]", "back-reference"),
    ("a*+a", "possessive"),
    ("a?+a", "possessive"),
    ("(?:ab|a)*+b", "possessive"),
    ("(?:a*+b?)*a", "possessive"),
    (r"a$\s*", "end"),
    (r"a\Z\n?", "end"),
    ("(?m)^a$", "line anchor"),
    ("[^a[b]]", "negated class"),
    ("[^a&&b]", "negated class"),
    ("[a&&]", "&&"),
    ("[&&a]", "&&"),
    ("[a&&&b]", "&&"),
    ("[a&&[b]c]", "&&"),
    ("[a&&^b]", "&&"),
    (r"[\v-a]", "\\v"),
    (r"[a-\d]", "range"),
    ("[z-a]", "backwards"),
    ("[a", "unclosed class"),
    ("[]", "unclosed class"),
    ("(a", "unclosed group"),
    ("a)", "unmatched"),
    ("*a", "nothing to repeat"),
    ("a|*", "nothing to repeat"),
    ("{1}", "nothing to repeat"),
    ("(?i)*", "nothing to repeat"),
    ("a**", "quantifier after a quantifier"),
    ("a{2}{3}", "quantifier after a quantifier"),
    ("a{,3}", "illegal repeat"),
    ("a{3,2}", "illegal repeat"),
    ("a{99999999999}", "illegal repeat"),
    ("a{x}", "illegal repeat"),
    ("a{2000000000}", "too large"),
    ("((a{1000}){1000}){1000}", "too large"),
    (r"\x4", "hexadecimal"),
    (r"\x{110000}", "hexadecimal"),
    (r"\u12", "Unicode escape"),
    (r"\uD800", "surrogate"),
    (r"\0", "octal"),
    (r"\08", "octal"),
    (r"\y", "not supported"),
    (r"\X", "not supported"),
    (r"\N{DIGIT ONE}", "not supported"),
    (r"\E", "not supported"),
    (r"[\b]", "not supported"),
    (r"\b{g}", "boundary"),
    ("a\\", "unfinished"),
    (r"\p{Latin}", "not known"),
    (r"\p{InGreek}", "not known"),
    (r"\p{^Lu}", "not known"),
    (r"(?i)\p{Lu}", "without regard to case"),
    (r"(?i)[\p{Lower}]", "without regard to case"),
    ("(?x)a b", "flag x"),
    ("(?u)a", "flag u"),
    ("(?U)a", "flag U"),
    ("(?z)a", "unknown group"),
    ("(?#comment)a", "unknown group"),
    ("(?P<n>a)", "unknown group"),
    ("(?<1n>a)", "group name"),
    ("(?<n>a)(?<n>b)", "twice"),
    ("(" * 101 + ")" * 101, "nested deeper"),
    ("[" * 101 + "a" + "]" * 101, "nested deeper"),
    ("a" * (LONGEST + 1), "too long"),
    (r"\pL" * 3000, "too large"),
]


@pytest.mark.parametrize(("pattern", "construct"), REFUSALS)
def test_what_cannot_be_translated_exactly_is_refused_by_name(pattern, construct):
    with pytest.raises(InputError, match=re.escape(construct)) as refusal:
        Pattern.compile(pattern)
    assert refusal.value.value == pattern


def test_the_error_gives_the_position_from_one():
    with pytest.raises(InputError, match="look-ahead at position 3"):
        Pattern.compile("ab(?=c)")


def test_an_end_before_a_point_is_the_very_end():
    """A point takes no line end, so after `$` it can take nothing at all."""
    assert matches("a$.*", "a")
    assert not matches("a$.*", "a\n")


def test_a_surrogate_pair_in_a_value_is_one_character():
    assert matches(".", "\ud83d\ude00")
    assert matches("a.", "a\ud800")


def test_equal_texts_are_compiled_once():
    assert Pattern.compile("a+") is Pattern.compile("a+")
    assert Pattern.compile("a+").text == "a+"


def test_a_catastrophic_pattern_is_answered_within_a_second():
    values = ["a" * 40 + "b" + str(i) for i in range(10_000)]
    start = time.process_time()
    assert not any(Pattern.compile("(a+)+$").matches(values))
    assert not any(Pattern.compile("(a|aa)+").matches(values))
    assert time.process_time() - start < 1


def test_nothing_is_written_to_standard_error(capfd):
    Pattern.compile("a{1000}").matches(["a" * 1000])
    with pytest.raises(InputError):
        Pattern.compile("(?=a)")
    assert capfd.readouterr().err == ""


SHARED_ATOMS = st.sampled_from(["a", "b", "c", "-", "0", r"\.", "[ab]", "[^a]", "[a-c]", r"\d", "[0-9a]", r"\w", "()"])


def _extended(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(children, children).map("".join),
        st.tuples(children, children).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        st.tuples(children, st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{2,}", "*?"])).map(
            lambda two: f"(?:{two[0]}){two[1]}"
        ),
    )


@given(st.recursive(SHARED_ATOMS, _extended, max_leaves=6), st.text("abc-0.", max_size=8))
def test_what_java_and_python_share_means_the_same_in_both(pattern, value):
    assert matches(pattern, value) is (re.fullmatch(pattern, value) is not None)
