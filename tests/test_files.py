import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.files import json_line, replacing, toml_text, write_json_lines, write_text

_PLAIN = st.text(st.characters(exclude_categories=["Cs"])) | st.integers(-(2**40), 2**40)
_TABLES = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    _PLAIN | st.lists(_PLAIN) | st.dictionaries(st.text("abc.- ", min_size=1), _PLAIN),
)


def test_a_failed_write_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write_half() -> None:
        with replacing(path) as draft:
            draft.write_text("half")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        write_half()
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


def test_line_ends_are_written_as_they_are(tmp_path: Path) -> None:
    write_text(tmp_path / "new" / "a.txt", ["één\r\n", "twee\r", "drie\n"])
    assert (tmp_path / "new" / "a.txt").read_bytes() == "één\r\ntwee\rdrie\n".encode()


def test_records_are_one_line_each_whatever_they_hold(tmp_path: Path) -> None:
    write_json_lines(tmp_path / "a.jsonl", [{"a": "x\ny"}, {"a": None}])
    assert (tmp_path / "a.jsonl").read_text() == '{"a": "x\\ny"}\n{"a": null}\n'


def test_not_a_number_is_no_json() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_line({"a": float("nan")})


@given(_TABLES)
def test_toml_reads_back_as_it_was(table: dict[str, object]) -> None:
    assert tomllib.loads(toml_text(table)) == table


def test_tables_in_lists_read_back_as_they_were() -> None:
    table = {"a b": {"labels": [{"name": "x", "c": {"s": ["1", "2"]}}, {"name": "y", "c": {}}]}}
    assert tomllib.loads(toml_text(table)) == table
