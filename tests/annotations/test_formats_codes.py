from collections.abc import Sequence

import pytest

from classifier.annotations import Value
from classifier.annotations.formats._codes import Code, decode, encode_values
from classifier.annotations.formats._files import read_table
from classifier.codebook import default_codebook
from classifier.errors import DataError


@pytest.mark.parametrize(
    ("codes", "target", "labels"),
    [
        pytest.param([("target", "RU")], "RU", {}, id="name"),
        pytest.param([("country", "Ukraine")], "UA", {}, id="title"),
        pytest.param([("", "RU")], "RU", {}, id="no field"),
        pytest.param([("Stance", "Neutral")], None, {"stance": "neutral"}, id="case"),
        pytest.param([("tone", "neutral")], None, {"stance": "neutral"}, id="other field"),
        pytest.param([("", "RU_unfavourable")], "RU", {"stance": "unfavourable"}, id="joined"),
        pytest.param(
            [("", "RU:weak+strong")], "RU", {"roles": {"weak", "strong"}}, id="joined set"
        ),
        pytest.param([("roles_weak", "")], None, {"roles": {"weak"}}, id="flag"),
        pytest.param([("roles", "none_of_these")], None, {"roles": set()}, id="coded, none"),
        pytest.param([("roles", "Peacemaker")], None, {"roles": {"mediator"}}, id="counterpart"),
        pytest.param([("", "mention")], None, {}, id="a mark that says nothing"),
    ],
)
def test_foreign_labels_are_understood(
    codes: Sequence[Code], target: str | None, labels: dict[str, Value]
) -> None:
    decoded = decode(codes, default_codebook(), "semeval2025")
    assert (decoded.target, decoded.labels, decoded.unknown) == (target, labels, ())


@pytest.mark.parametrize(
    ("codes", "unknown"),
    [
        pytest.param([("stance", "warm")], ("stance", "warm"), id="no such label"),
        pytest.param([("target", "FR")], ("target", "FR"), id="no such target"),
        pytest.param([("", "RU:warm")], ("", "RU:warm"), id="half of it known"),
        pytest.param(
            [("stance", "neutral"), ("stance", "favourable")],
            ("stance", "favourable"),
            id="two labels where one is asked",
        ),
    ],
)
def test_what_the_codebook_has_no_word_for_is_told(codes: Sequence[Code], unknown: Code) -> None:
    assert decode(codes, default_codebook(), "x").unknown == (unknown,)


def test_two_targets_are_two_mentions() -> None:
    decoded = decode([("target", "RU"), ("", "UA"), ("", "RU")], default_codebook(), "x")
    assert (decoded.target, decoded.others, decoded.unknown) == ("RU", ("UA",), ())


@pytest.mark.parametrize(
    ("value", "is_flagged"), [("", True), ("true", True), ("TRUE", True), ("false", False)]
)
def test_the_flag_of_a_false_match_is_read(value: str, is_flagged: bool) -> None:
    assert decode([("not_target", value)], default_codebook(), "x").not_target is is_flagged


def test_null_and_the_empty_set_stay_apart() -> None:
    assert encode_values(None) == []
    assert encode_values(frozenset()) == ["none_of_these"]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_table_is_read_with_the_mark_it_was_written_with(mark: str) -> None:
    text = f'a{mark}b\r\n"x{mark}\r\ny"{mark}\r\n'
    assert list(read_table(text, "t.csv")) == [("t.csv:3", {"a": f"x{mark}\r\ny", "b": None})]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,a\n1,2\n", "columns must differ"),
        ('a,b\n1,"2\n', r"t\.csv:2: broken CSV"),
        ("a,b\n1,2,3\n", r"t\.csv:2: 2 cells were required, got 3"),
    ],
)
def test_a_broken_table_is_refused(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        list(read_table(text, "t.csv"))


def test_a_cell_may_be_longer_than_the_csv_module_allows_by_default() -> None:
    ((_, row),) = read_table(f"a,b\n{'x' * 200_000},1\n", "t.csv")
    assert len(row["a"]) == 200_000
