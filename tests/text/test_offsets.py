import itertools

import pytest
import regex
from hypothesis import assume, given
from hypothesis import strategies as st

from classifier.errors import DataError
from classifier.records import Span
from classifier.text import (
    CODE_POINTS,
    GRAPHEMES,
    RULES,
    UTF_16,
    MarkedSpan,
    OffsetRule,
    resolve_offsets,
)

_TEXTS = st.text(st.sampled_from("aб🙂🇺🇦e\u0301\r\n Т"), min_size=1, max_size=40)


def _count(text: str, rule: OffsetRule) -> int:
    """How long a text is under a rule, the plain way."""
    if rule.line_end != "as is":
        text = text.replace("\r\n", "\n").replace("\n", {"LF": "\n", "CRLF": "\r\n"}[rule.line_end])
    if rule.unit == "UTF-16":
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    return len(regex.findall(r"\X", text)) if rule.unit == "grapheme" else len(text)


def _borders(text: str, rule: OffsetRule) -> set[int]:
    """Where the rule can put a mark: not inside a cluster, not inside a line end."""
    pieces = regex.findall(r"\X" if rule.unit == "grapheme" else r"(?s)\r\n|.", text)
    return {0, *itertools.accumulate(len(piece) for piece in pieces)}


@pytest.mark.parametrize(
    ("text", "claim", "rule"),
    [
        pytest.param("In Kyjiv", MarkedSpan(3, 8, "Kyjiv"), CODE_POINTS, id="code points"),
        # the face is one code point and two UTF-16 units
        pytest.param("🙂 Kyjiv", MarkedSpan(3, 8, "Kyjiv"), UTF_16, id="UTF-16"),
        # a flag is two code points, four UTF-16 units, one grapheme
        pytest.param("🇹🇷 Ankara", MarkedSpan(2, 8, "Ankara"), GRAPHEMES, id="grapheme"),
        pytest.param(
            "Oekrai\u0308ne wint", MarkedSpan(9, 13, "wint"), GRAPHEMES, id="combining mark"
        ),
        pytest.param(
            "In Kyjiv", MarkedSpan(3, 7, "Kyjiv"), OffsetRule(is_inclusive=True), id="end in"
        ),
        pytest.param(
            "a\r\nb\r\nAnkara", MarkedSpan(4, 10, "Ankara"), GRAPHEMES, id="CRLF as one grapheme"
        ),
        pytest.param(
            "a\nb\nAnkara",
            MarkedSpan(6, 11, "Ankara"),
            OffsetRule("code point", True, "CRLF"),
            id="LF on disk, counted as CRLF, end inside",
        ),
        pytest.param(
            "🙂\nb\nAnkara",
            MarkedSpan(7, 12, "Ankara"),
            OffsetRule("UTF-16", True, "CRLF"),
            id="all three at once",
        ),
    ],
)
def test_the_rule_is_found(text: str, claim: MarkedSpan, rule: OffsetRule) -> None:
    found = resolve_offsets(text, [claim])
    assert found.rule == rule
    assert found.spans[0].of(text) == claim.surface


@pytest.mark.parametrize("rule", RULES, ids=str)
@given(text=_TEXTS, data=st.data())
def test_what_one_rule_counted_is_found_back(
    rule: OffsetRule, text: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    assume({start, end} <= _borders(text, rule))
    first = _count(text[:start], rule)
    last = first + _count(text[start:end], rule)
    claim = MarkedSpan(first, last - rule.is_inclusive, text[start:end])
    assert resolve_offsets(text, [claim], [rule]).spans == (Span(start, end),)


def test_every_surface_must_match() -> None:
    claims = [MarkedSpan(0, 6, "Moskou"), MarkedSpan(8, 12, "Kyjiv")]
    with pytest.raises(DataError, match=r"all 2 spans.*misses 1: 8-12 'Kyjiv'"):
        resolve_offsets("Moskou en Kyjiv", claims)


def test_two_rules_that_disagree_are_refused() -> None:
    # 4-6 is the first "ha" by UTF-16 units and the second by code points; graphemes were promised
    rules = [OffsetRule("grapheme", is_inclusive=True), UTF_16, CODE_POINTS]
    with pytest.raises(DataError, match="several or none do"):
        resolve_offsets("🙂🙂haha", [MarkedSpan(4, 6, "ha")], rules)


def test_the_promised_rule_goes_first_where_it_fits() -> None:
    assert resolve_offsets("🙂🙂haha", [MarkedSpan(4, 6, "ha")], [UTF_16, CODE_POINTS]).spans == (
        Span(2, 4),
    )


def test_without_surfaces_rules_that_agree_are_enough() -> None:
    found = resolve_offsets("Moskou zwijgt", [MarkedSpan(0, 6, None)], [UTF_16, GRAPHEMES])
    assert found == (UTF_16, (Span(0, 6),))


def test_without_surfaces_the_only_rule_that_starts_words_is_taken() -> None:
    # by UTF-16 units the span starts at the word; by code points inside it
    found = resolve_offsets("🙂 Kyjiv wacht", [MarkedSpan(3, 8, None)], [CODE_POINTS, UTF_16])
    assert found == (UTF_16, (Span(2, 7),))


def test_without_surfaces_and_without_words_to_tell_the_file_is_refused() -> None:
    with pytest.raises(DataError, match="several or none do"):
        resolve_offsets("🙂🙂 a b c d", [MarkedSpan(5, 6, None)], [CODE_POINTS, UTF_16])


def test_a_line_end_in_the_surface_may_be_shown_as_a_space() -> None:
    for shown in ("het\nKremlin", "het Kremlin", "het\\nKremlin"):
        assert resolve_offsets("In het\nKremlin", [MarkedSpan(3, 14, shown)]).spans == (
            Span(3, 14),
        )


@pytest.mark.parametrize(
    "claim", [MarkedSpan(5, 3, "x"), MarkedSpan(0, 99, "x"), MarkedSpan(-4, 2, "x")]
)
def test_offsets_outside_the_text_fit_no_rule(claim: MarkedSpan) -> None:
    with pytest.raises(DataError, match="misses 1"):
        resolve_offsets("Moskou", [claim])


def test_nothing_to_resolve_is_nothing_resolved() -> None:
    assert resolve_offsets("", []) == (CODE_POINTS, ())
