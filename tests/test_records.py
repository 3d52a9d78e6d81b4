import hashlib

import pytest

from classifier.errors import RecordError
from classifier.records import Article, Estimate, Span


@pytest.mark.parametrize(("start", "end"), [(3, 3), (4, 2), (-1, 2)])
def test_span_refuses_empty_inverted_and_negative(start: int, end: int) -> None:
    with pytest.raises(RecordError, match=f"0 <= start < end, got {start} and {end}"):
        Span(start, end)


def test_span_counts_code_points() -> None:
    assert Span(2, 6).of("🚢 Kiev") == "Kiev"


def test_span_refuses_to_end_after_the_text() -> None:
    with pytest.raises(RecordError, match=r"span 0-9 ends after the text \(4\)"):
        Span(0, 9).of("Kiev")


@pytest.mark.parametrize(
    ("other", "overlaps", "contains"),
    [
        pytest.param(Span(10, 12), False, False, id="touching"),
        pytest.param(Span(9, 12), True, False, id="one character shared"),
        pytest.param(Span(5, 10), True, True, id="the same"),
    ],
)
def test_span_relations(other: Span, overlaps: bool, contains: bool) -> None:
    assert Span(5, 10).overlaps(other) is overlaps
    assert Span(5, 10).contains(other) is contains


def test_article_needs_an_id() -> None:
    with pytest.raises(RecordError, match="non-empty article_id"):
        Article("", "text")


def test_article_hash_is_of_the_exact_text() -> None:
    text = " Kiëv\r\n"
    assert Article("a", text).sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_article_hash_survives_a_lone_surrogate() -> None:
    assert len(Article("a", "\ud800").sha256) == 64


def test_estimate_has_a_value_exactly_when_ok() -> None:
    with pytest.raises(RecordError, match='status is "ok", got None'):
        Estimate(None, "ok")
    with pytest.raises(RecordError, match=r"got 0\.5 with status 'no overlap'"):
        Estimate(0.5, "no overlap")


@pytest.mark.parametrize(
    ("estimate", "expected"),
    [
        (Estimate(0.5, "ok", 0.25, 0.75), "0.500 [0.250, 0.750]"),
        (Estimate(None, "undefined: no variation"), "undefined: no variation"),
        (
            Estimate(0.5, "ok", interval_status="too few: 2 articles"),
            "0.500 (no interval: too few: 2 articles)",
        ),
    ],
)
def test_estimate_says_itself_in_one_line(estimate: Estimate, expected: str) -> None:
    assert str(estimate) == expected
