import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from classifier.annotations import (
    Annotation,
    AnnotationSet,
    adjudicate,
    annotation_table,
    check,
    check_nothing_is_lost,
    fix_annotations,
    long_table,
    read_annotations,
    table_annotations,
    table_columns,
    write_annotations,
)
from classifier.codebook import Codebook, default_codebook, write_codebook
from classifier.errors import CodebookError, DataError
from classifier.records import Article, Span

_TEXT = "🙂 Moskou dreigt, Kyiv wacht en Moskou zwijgt."
_SHA = Article("a", _TEXT).sha256


def _row(**changes: object) -> dict[str, Any]:
    row = {
        "article_id": "a",
        "start": 2,
        "end": 8,
        "target": "RU",
        "surface": "Moskou",
        "annotator": "noor",
        "stance": "unfavourable",
        "roles": ["aggressor"],
        "voice": None,
        "not_target": False,
        "comment": None,
    }
    return {key: value for key, value in (row | changes).items() if value != "absent"}


def _folder(path: Path, *rows: object, codebook: Codebook | None = None) -> Path:
    path.mkdir(exist_ok=True)
    article = {"article_id": "a", "text": _TEXT, "language": "nl"}
    (path / "articles.jsonl").write_text(json.dumps(article) + "\n", encoding="utf-8")
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    (path / "annotations.jsonl").write_text("".join(f"{line}\n" for line in lines))
    if codebook:
        write_codebook(codebook, path / "codebook.toml")
    return path


def test_a_set_is_read_with_its_articles_table_and_codebook(tmp_path: Path) -> None:
    read = read_annotations(_folder(tmp_path, _row(), _row(annotator="bram", roles=[])))
    assert read.articles[0].text == _TEXT
    assert tuple(read.table.columns) == table_columns(default_codebook())
    assert read.annotators == ("bram", "noor")
    first, second = read.table.to_dict("records")
    assert first["unit"] == second["unit"] == "a:2-8:RU"
    assert (first["roles"], second["roles"]) == (frozenset({"aggressor"}), frozenset())
    assert first["voice"] is None


@pytest.mark.parametrize(
    ("row", "reason", "detail"),
    [
        pytest.param('{"article_id": "a"', "broken JSON", "delimiter", id="broken JSON"),
        pytest.param("[1]", "not an object", r"got \[1\]", id="no object"),
        pytest.param(_row(surface="absent"), "key missing", "surface", id="key missing"),
        pytest.param(_row(mood="warm"), "unknown variable", "mood", id="unknown variable"),
        pytest.param(_row(article_id="b"), "unknown article", "'b' is not in", id="article"),
        pytest.param(_row(start="2"), "wrong type", "whole numbers", id="offset as text"),
        pytest.param(_row(start=8, end=2), "offsets inverted", "8 and 2", id="inverted"),
        pytest.param(_row(end=99), "offsets out of range", "45 characters, got 2-99", id="range"),
        pytest.param(_row(start=-1), "offsets out of range", "got -1-8", id="negative"),
        pytest.param(_row(start=3, end=9), "surface does not match", "'oskou '", id="surface"),
        pytest.param(_row(target="FR"), "unknown target", "TR, RU, UA; got 'FR'", id="target"),
        pytest.param(_row(stance="cold"), "unknown label", "got 'cold'", id="label"),
        pytest.param(_row(stance=["neutral"]), "wrong type", "one label or null", id="list"),
        pytest.param(_row(roles="weak"), "wrong type", "a list of labels", id="no list"),
        pytest.param(_row(roles=["weak", "weak"]), "label repeated", "twice", id="twice"),
        pytest.param(_row(annotator=" "), "no annotator", "name of a person", id="blank"),
        pytest.param(_row(annotator=None), "no annotator", "got None", id="no annotator"),
        pytest.param(_row(not_target="no"), "wrong type", "true, false or null", id="flag"),
        pytest.param(_row(comment=3), "wrong type", "comment must be", id="comment"),
        pytest.param(_row(text_sha256="0" * 64), "text changed", "sha256 000000", id="hash"),
        pytest.param(
            _row(evidence_start=4, evidence_end=4), "evidence out of range", "4, 4", id="evidence"
        ),
    ],
)
def test_a_faulty_row_is_named_with_file_and_line(
    tmp_path: Path, row: object, reason: str, detail: str
) -> None:
    folder = _folder(tmp_path, _row(annotator="bram"), row)
    (problem,) = check(folder)
    assert (problem.where, problem.reason) == ("annotations.jsonl:2", reason)
    with pytest.raises(DataError, match=rf"1 problem: annotations\.jsonl:2: {reason}: .*{detail}"):
        read_annotations(folder)


def test_all_faults_of_a_row_are_told_and_none_is_cut_off(tmp_path: Path) -> None:
    rows = [_row(stance="cold", target="FR", annotator=str(n)) for n in range(4)]
    folder = _folder(tmp_path, *rows)
    assert len(check(folder)) == 8
    with pytest.raises(DataError, match=r"8 problems: .*and 5 more"):
        read_annotations(folder)


def test_a_mention_coded_twice_by_one_annotator_is_a_fault(tmp_path: Path) -> None:
    folder = _folder(tmp_path, _row(), _row(stance="neutral"), _row())
    problems = check(folder)
    assert [(p.where, p.reason) for p in problems] == [
        ("annotations.jsonl:2", "coded twice"),
        ("annotations.jsonl:3", "identical row"),
    ]
    assert "those of annotations.jsonl:1" in problems[0].detail


def test_a_line_that_is_not_utf8_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    folder = _folder(tmp_path, _row())
    path = folder / "annotations.jsonl"
    path.write_bytes(b'{"comment": "\xef"}\n' + path.read_bytes())
    assert [(p.where, p.reason) for p in check(folder)] == [("annotations.jsonl:1", "not UTF-8")]


def test_faulty_articles_are_faults_of_the_set(tmp_path: Path) -> None:
    folder = _folder(tmp_path, _row())
    path = folder / "articles.jsonl"
    path.write_text(path.read_text() * 2 + '{"article_id": "b"}\n[]\n')
    assert [(p.where, p.reason) for p in check(folder)] == [
        ("articles.jsonl:2", "article repeated"),
        ("articles.jsonl:3", "malformed article"),
        ("articles.jsonl:4", "not an object"),
    ]


def test_the_hash_of_the_text_may_stand_in_a_row(tmp_path: Path) -> None:
    assert check(_folder(tmp_path, _row(text_sha256=_SHA))) == []


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"needs articles\.jsonl, none was found"):
        read_annotations(tmp_path)


def test_an_empty_codebook_is_refused(tmp_path: Path) -> None:
    folder = _folder(tmp_path, _row())
    (folder / "codebook.toml").write_text("")
    with pytest.raises(CodebookError, match=r"codebook\.toml: the codebook needs a table"):
        read_annotations(folder)


def _annotation(annotator: str, stance: str | None, **more: object) -> Annotation:
    base = Annotation("a", Span(2, 8), "RU", "Moskou", annotator, {"stance": stance})
    return replace(base, **more)  # type: ignore[arg-type]


def _set(*annotations: Annotation) -> AnnotationSet:
    codebook = default_codebook()
    table = annotation_table(annotations, codebook)
    return AnnotationSet((Article("a", _TEXT, language="nl"),), table, codebook)


def test_what_is_written_reads_back_as_it_was(tmp_path: Path) -> None:
    before = _set(
        _annotation("noor", "neutral", speaker="een arts", evidence=Span(9, 15), comment="\r\n"),
        _annotation("bram", None, not_target=True),
    )
    write_annotations(before, tmp_path)
    after = read_annotations(tmp_path)
    pd.testing.assert_frame_equal(before.table, after.table)
    assert (after.articles, after.codebook) == (before.articles, before.codebook)
    assert list(table_annotations(after)) == list(table_annotations(before))


def _gold(rule: str, *annotations: Annotation) -> dict[str, Any]:
    row: dict[str, Any] = adjudicate(_set(*annotations), rule).to_dict("records")[0]
    return row


def _roles(annotator: str, *roles: str) -> Annotation:
    return _annotation(annotator, None, labels={"roles": frozenset(roles)})


@pytest.mark.parametrize(
    ("stances", "expected"),
    [
        pytest.param(["neutral", "neutral", "favourable"], ("neutral", "ok"), id="two of three"),
        pytest.param(["neutral", "favourable"], (None, "tie"), id="one against one"),
        pytest.param(["neutral", None], ("neutral", "ok"), id="a null is no vote"),
        pytest.param([None, None], (None, "not coded"), id="nobody"),
        # named most often, though by less than half
        pytest.param(
            ["neutral", "neutral", "favourable", "unfavourable"], ("neutral", "ok"), id="plurality"
        ),
    ],
)
def test_majority(stances: list[str | None], expected: tuple[str | None, str]) -> None:
    gold = _gold("majority", *(_annotation(str(n), s) for n, s in enumerate(stances)))
    assert (gold["stance"], gold["status_stance"]) == expected
    assert gold["n_annotators"] == len(stances)


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        # weak has two of three, strong one of three
        pytest.param([["weak"], ["weak", "strong"], []], ({"weak"}, "ok"), id="per label"),
        pytest.param([["weak"], []], (None, "tie"), id="half is no majority"),
        pytest.param([["weak"], ["strong"], ["victim"]], (set(), "ok"), id="none has a majority"),
        pytest.param([[], []], (set(), "ok"), id="agreed that none applies"),
    ],
)
def test_majority_of_sets(roles: list[list[str]], expected: tuple[set[str] | None, str]) -> None:
    gold = _gold("majority", *(_roles(str(n), *names) for n, names in enumerate(roles)))
    assert (gold["roles"], gold["status_roles"]) == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        # one of two gives weak: open by majority, and not unanimous either
        ("majority", {"strong": True}),
        ("unanimous", {"strong": True}),
        ("annotator:1", {"strong": True, "weak": False}),
    ],
)
def test_each_label_of_a_set_is_settled_for_itself(rule: str, expected: dict[str, bool]) -> None:
    gold = _gold(rule, _roles("0", "weak", "strong"), _roles("1", "strong"))
    settled = {name: gold["settled_roles"].get(name) for name in ("strong", "weak")}
    assert {name: answer for name, answer in settled.items() if answer is not None} == expected


def test_what_nobody_coded_has_no_settled_labels() -> None:
    assert _gold("majority", _annotation("noor", "neutral"))["settled_roles"] is None


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("unanimous", (None, "tie")),
        ("annotator:bram", ("favourable", "ok")),
        ("annotator:ida", (None, "not coded")),
        ("priority:ida,bram,noor", ("favourable", "ok")),
    ],
)
def test_other_rules(rule: str, expected: tuple[str | None, str]) -> None:
    rows = [_annotation("noor", "neutral"), _annotation("bram", "favourable")]
    gold = _gold(rule, *rows, _annotation("ida", None), _annotation("jan", "neutral"))
    assert (gold["stance"], gold["status_stance"]) == expected


def test_unknown_rules_and_annotators_are_refused() -> None:
    with pytest.raises(DataError, match=r"the rules of adjudication are majority.*got 'loudest'"):
        _gold("loudest", _annotation("noor", "neutral"))
    with pytest.raises(DataError, match=r"annotators of this set \(noor\); got \['bram'\]"):
        _gold("annotator:bram", _annotation("noor", "neutral"))


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        pytest.param([True, True, False], (True, None, "not coded"), id="most flag it"),
        pytest.param([True, False, False], (False, "neutral", "ok"), id="one flag is not enough"),
        pytest.param([True, False], (False, None, "tie"), id="as many as not"),
    ],
)
def test_not_target_is_adjudicated_too(
    flags: list[bool], expected: tuple[bool, str | None, str]
) -> None:
    rows = [_annotation(str(n), "neutral", not_target=flag) for n, flag in enumerate(flags)]
    gold = _gold("majority", *rows)
    assert (gold["not_target"], gold["stance"], gold["status_stance"]) == expected


def test_the_long_table_holds_what_was_coded() -> None:
    rows = [
        _annotation("noor", "neutral"),
        _annotation("bram", None),
        _annotation("ida", "neutral", not_target=True),
    ]
    table = long_table(_set(*rows), "stance")
    assert table.to_dict("records") == [
        {"unit": "a:2-8:RU", "article": "a", "annotator": "noor", "label": "neutral"}
    ]


def test_the_long_table_of_an_unknown_variable_is_refused() -> None:
    with pytest.raises(CodebookError, match="got 'mood'"):
        long_table(_set(), "mood")


def test_no_annotations_are_no_gold() -> None:
    assert adjudicate(_set()).empty


def _fixed(
    tmp_path: Path, *rows: object, codebook: Codebook | None = None
) -> tuple[pd.DataFrame, list[Any]]:
    folder = _folder(tmp_path / "in", *rows)
    fixed = fix_annotations(folder, tmp_path / "out", codebook=codebook)
    after = read_annotations(tmp_path / "out")
    pd.testing.assert_frame_equal(fixed.annotation_set.table, after.table)
    told = [("mended", p.where, p.reason) for p in fixed.mended]
    told += [("left out", p.where, p.reason) for p in fixed.left_out]
    listed = (tmp_path / "out" / "problems.jsonl").read_text(encoding="utf-8").splitlines()
    assert [(r["what"], r["where"], r["reason"]) for r in map(json.loads, listed)] == told
    return after.table, [(what, where.partition(":")[2], reason) for what, where, reason in told]


def test_offsets_in_utf16_are_mended_by_the_rule_that_fits_all(tmp_path: Path) -> None:
    # the face counts two: everything lies one further; "Moskou" stands twice, so only a rule helps
    rows = [_row(start=3, end=9), _row(start=32, end=38), _row(start=18, end=22, surface="Kyiv")]
    table, told = _fixed(tmp_path, *rows[:2], rows[2] | {"target": "UA"})
    assert list(table["unit"]) == ["a:2-8:RU", "a:31-37:RU", "a:17-21:UA"]
    assert told == [("mended", str(n), "offsets repaired") for n in (1, 2, 3)]


def test_a_surface_that_stands_once_is_found_and_one_that_stands_twice_is_not(
    tmp_path: Path,
) -> None:
    kyiv = _row(start=0, end=4, surface="Kyiv", target="UA")
    table, told = _fixed(tmp_path, kyiv, _row(start=5, end=11), _row(annotator="bram"))
    assert list(table["unit"]) == ["a:17-21:UA", "a:2-8:RU"]
    assert told == [
        ("mended", "1", "offsets repaired"),
        ("left out", "2", "surface does not match"),
    ]


def test_identical_rows_are_dropped_and_contradictions_left_out(tmp_path: Path) -> None:
    table, told = _fixed(tmp_path, _row(), _row(), _row(stance="neutral"))
    assert list(table["stance"]) == ["unfavourable"]
    assert told == [("mended", "2", "identical row dropped"), ("left out", "3", "coded twice")]


def test_labels_of_an_older_codebook_are_recoded(tmp_path: Path) -> None:
    recodes = {"0.9": {"stance": {"hostile": "unfavourable"}, "roles": {"bully": "aggressor"}}}
    codebook = replace(default_codebook(), version="1.1", recodes=recodes)
    old = _row(stance="hostile", roles=["bully", "aggressor"])
    folder = _folder(tmp_path / "old", old)
    assert {p.reason for p in check(folder, codebook)} == {"label of an older codebook"}
    table, told = _fixed(tmp_path, old, codebook=codebook)
    assert table.loc[0, "stance"] == "unfavourable"
    assert table.loc[0, "roles"] == frozenset({"aggressor"})
    assert told == [("mended", "1", "labels recoded")]


def test_a_label_that_changed_its_meaning_is_recoded_by_the_version_it_was_coded_in(
    tmp_path: Path,
) -> None:
    # both labels exist in both versions: only the folder's version tells that this is the old one
    new = replace(default_codebook(), version="2.0", recodes={"1.0": {"roles": {"strong": "weak"}}})
    folder = _folder(tmp_path / "in", _row(roles=["strong"]), codebook=default_codebook())
    assert [p.reason for p in check(folder, new)] == ["label of an older codebook"]
    fixed = fix_annotations(folder, tmp_path / "out", new)
    assert fixed.annotation_set.table.loc[0, "roles"] == frozenset({"weak"})
    assert check(tmp_path / "out") == []


def test_mending_in_place_is_refused(tmp_path: Path) -> None:
    folder = _folder(tmp_path, _row())
    with pytest.raises(DataError, match="needs a folder of its own"):
        fix_annotations(folder, folder)


def test_a_folder_with_work_that_a_set_lacks_is_not_written_over(tmp_path: Path) -> None:
    folder = _folder(tmp_path, _row(), _row(annotator="bram"))
    both = read_annotations(folder)
    check_nothing_is_lost(both, folder)
    one = replace(both, table=both.table[both.table["annotator"] == "noor"])
    with pytest.raises(DataError, match="those of 1 article would, such as 'a' by 'bram'"):
        check_nothing_is_lost(one, folder)


def test_a_folder_without_annotations_is_written_to(tmp_path: Path) -> None:
    read = read_annotations(_folder(tmp_path / "coded", _row()))
    check_nothing_is_lost(read, _folder(tmp_path / "drawn"))
    check_nothing_is_lost(read, tmp_path / "new")
