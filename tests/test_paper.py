"""Tables as a paper prints them."""

from pathlib import Path

import pytest

from classifier.errors import DataError
from classifier.paper import PaperTable, cell, table_of_records
from classifier.records import Estimate

FIGURE = Estimate(-0.118, "ok", low=-0.163, high=-0.0721)
NONE = Estimate(None, "undefined: no variation")
TABLE = table_of_records(
    "Alpha & kappa, 100 %",
    [
        {"name": "gpt_4|x", "alpha_difference": FIGURE, "n": 1200, "note": "=1+1"},
        {"name": "llama", "alpha_difference": NONE, "n": 3},
    ],
    ("by article",),
)


def test_a_cell_has_value_and_interval_without_leading_zeros() -> None:
    assert [cell(value) for value in (FIGURE, NONE, 1.0, -0.004, "x", None, 7)] == [
        *("−.12 [−.16, −.07]", "– (undefined: no variation)", "1.00", ".00", "x", "–", "7"),
    ]


def test_markdown_keeps_bars_apart() -> None:
    assert TABLE.to_markdown().splitlines() == [
        "Alpha & kappa, 100 %",
        "",
        "| name | alpha difference | n | note |",
        "| --- | ---: | ---: | --- |",
        r"| gpt_4\|x | −.12 [−.16, −.07] | 1200 | =1+1 |",
        "| llama | – (undefined: no variation) | 3 | – |",
        "",
        "by article",
    ]


def test_latex_is_escaped() -> None:
    text = TABLE.to_latex()
    assert r"\caption{Alpha \& kappa, 100 \%}" in text
    assert r"gpt\_4|x & $-$.12 [$-$.16, $-$.07] & 1200 & =1+1 \\" in text
    assert text.count(r"\begin{tabular}{lrrl}") == 1


def test_a_sheet_has_the_numbers_in_full_and_no_formulas(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    TABLE.write(tmp_path / "t.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "t.xlsx").active
    rows = [[one.value for one in row] for row in sheet.iter_rows(max_row=2)]
    name = "alpha difference"
    assert rows[0] == ["name", name, f"{name}: value", f"{name}: low", f"{name}: high", "n", "note"]
    assert rows[1][:6] == ["gpt_4|x", "−.12 [−.16, −.07]", -0.118, -0.163, -0.0721, 1200]
    assert sheet.cell(2, 7).data_type == "s"


def test_a_document_has_every_cell(tmp_path: Path) -> None:
    docx = pytest.importorskip("docx")
    TABLE.write(tmp_path / "t.docx")
    (table,) = docx.Document(str(tmp_path / "t.docx")).tables
    assert [one.text for one in table.rows[2].cells] == [
        *("llama", "– (undefined: no variation)", "3", "–"),
    ]


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"must end in \.tex, \.md, \.xlsx, \.docx; got '\.pdf'"):
        TABLE.write(tmp_path / "t.pdf")


def test_an_empty_table_is_still_a_table() -> None:
    assert PaperTable("Nothing", ("a",), ()).to_markdown().splitlines()[2] == "| a |"
