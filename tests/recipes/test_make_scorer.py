"""The scorer that ships: how it is made, on invented corpora in the publishers' formats."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

import pytest

import classifier
from classifier.annotations import read_annotations
from classifier.codebook import shipped_annotations
from classifier.errors import DataError
from classifier.models import RECORD, TrainOptions
from classifier.score import load
from classifier.score._scorer import SHIPPED
from classifier.training import (
    CALIBRATION,
    DEVELOPMENT,
    TEST,
    TRAIN,
    Shares,
    read_corpora,
    same_text,
)
from recipes.__main__ import main
from recipes.corpora import ShippingData, read_shipping_data
from recipes.make_scorer import OPTIONS, make_scorer

DATA = os.environ.get("CLASSIFIER_DATA")
LINEAR = TrainOptions(model="linear", variables=("stance", "roles", "voice"), test=0.0, seed=1)
_VERBS = (("praised", 6.0), ("blamed", 2.0), ("visited", 4.0))
_ACTS = (("похвалила", "1", "POS"), ("обвинила", "-1", "NEG"), ("посетила", "0", None))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Invented sentences in the formats of the three published corpora."""
    folder = tmp_path_factory.mktemp("data")
    for part, start in (("train", 0), ("devtest_mt", 60), ("devtest_rw", 90)):
        lines = (_english(i) for i in range(start, start + (60 if part == "train" else 30)))
        _write(folder / "newsmtsc" / f"{part}.jsonl", lines)
    rows = ["sentence\tentity\tentity_tag\tentity_pos_start_rel\tentity_pos_end_rel\tlabel"]
    rows += [_russian(i) for i in range(240)]
    _write(folder / "rusentne" / "train.tsv", rows)
    _write(folder / "ruopinionne" / "train.jsonl", (_opinion(i) for i in range(0, 240, 2)))
    return folder


def _write(path: Path, lines: Iterable[str]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _english(i: int) -> str:
    verb, polarity = _VERBS[i % 3]
    text = f"The council of town {i} {verb} Delta at the harbour."
    start = text.index("Delta")
    target = {"from": start, "to": start + 5, "mention": "Delta", "polarity": polarity}
    gid = f"allsides_1_{i}_2_Delta_3_4"
    return json.dumps(
        {
            "primary_gid": gid,
            "sentence_normalized": text,
            "targets": [{**target, "Input.gid": gid, "further_mentions": []}],
        }
    )


def _sentence(i: int) -> tuple[str, int]:
    text = f"Комиссия города номер {i} {_ACTS[i % 3][0]} компанию Дельта в гавани."
    return text, text.index("Дельта")


def _russian(i: int) -> str:
    text, start = _sentence(i)
    return "\t".join([text, "Дельта", "ORG", str(start), str(start + 6), _ACTS[i % 3][1]])


def _opinion(i: int) -> str:
    text, start = _sentence(i)
    polarity, verb = _ACTS[i % 3][2], _ACTS[i % 3][0]
    opinion = {
        "Source": [["NULL"], ["0:0"]],
        "Target": [["Дельта"], [f"{start}:{start + 6}"]],
        "Polar_expression": [[verb], [f"{text.index(verb)}:{text.index(verb) + len(verb)}"]],
        "Polarity": polarity,
    }
    return json.dumps({"sent_id": i, "text": text, "opinions": [opinion] if polarity else []})


@pytest.fixture(scope="module")
def data(folder: Path) -> ShippingData:
    return read_shipping_data(folder, real=False)


def test_every_published_corpus_codes_its_own_scheme(data: ShippingData) -> None:
    assert [c.name for c in data.schemes] == ["newsmtsc", "rusentne", "ruopinionne"]
    assert [c.name for c in data.corpora] == ["sample", "newsmtsc", "rusentne", "ruopinionne"]
    assert [c.only_training for c in data.corpora] == [False, False, False, True]
    for corpus in data.schemes:
        table = corpus.annotation_set.table
        assert table[corpus.name].notna().all()
        assert table["stance"].isna().all()


def test_the_tests_are_the_publishers_and_the_held_out_parts(data: ShippingData) -> None:
    assert [test.name for test in data.tests] == [
        "sample, source",
        "sample, test",
        "newsmtsc, devtest_mt",
        "newsmtsc, devtest_rw",
        "rusentne, test",
    ]


def test_both_russian_corpora_are_dealt_out_alike(data: ShippingData) -> None:
    sentences, opinions = (c.annotation_set for c in data.schemes[1:])
    part_of = {same_text(a): a.split for a in sentences.articles}
    assert {part_of[same_text(a)] for a in opinions.articles} == {TRAIN}
    shares = {part: sum(p == part for p in part_of.values()) / len(part_of) for part in (TRAIN,)}
    assert set(part_of.values()) == {TRAIN, DEVELOPMENT, CALIBRATION, TEST}
    assert 0.4 < shares[TRAIN] < 0.9


def test_nothing_that_is_judged_is_trained_on(data: ShippingData) -> None:
    corpora = read_corpora(data.corpora)
    parts = corpora.split("article", Shares(0.1, 0.1, 0), 1).parts
    texts = {a.article_id: same_text(a) for a in corpora.annotation_set.articles}
    trained = {texts[i] for part in (TRAIN, DEVELOPMENT, CALIBRATION) for i in parts[part]}
    judged = {same_text(a) for test in data.tests for a in test.annotation_set.articles}
    assert not trained & judged


def test_a_missing_corpus_is_named(tmp_path: Path) -> None:
    (tmp_path / "newsmtsc").mkdir()
    with pytest.raises(DataError, match="rusentne, ruopinionne is not there"):
        read_shipping_data(tmp_path)


@pytest.mark.parametrize("option", [["--epochs", "5"], ["--base-model", "other"]])
def test_going_on_from_what_ships_takes_no_other_start(
    option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["data", "--out", "out", "--from-shipped", *option])
    assert "leave the others out" in capsys.readouterr().err


def test_the_run_says_how_good_it_is(data: ShippingData, tmp_path: Path) -> None:
    run = make_scorer(data.first(40), tmp_path / "scorer", LINEAR)
    figures = run.record["figures"]
    judged = {(f["test"], f["variable"]) for f in figures if f["predictor"] == "scorer"}
    assert {("sample, test", name) for name in ("stance", "roles", "voice")} <= judged
    assert ("rusentne, test", "stance") in judged
    whole = next(f for f in figures if f["test"] == "newsmtsc, devtest_rw" and "ece" in f)
    assert set(whole["f1_by_label"]) == {"unfavourable", "neutral", "favourable"}
    assert run.record["languages"]["ru"]["figures"]["stance"]["n_mentions"] > 0
    assert "majority class" in {f["predictor"] for f in figures}
    spoken = {f["language"] for f in figures if f["test"] == "sample, test"}
    assert spoken == {None, "en", "nl", "ru", "tr", "uk"}

    card = (run.path / "README.md").read_text(encoding="utf-8")
    for words in ("devtest_mt", "Hamborg and Donnay", "F1(P,N)", "Limits", "sha256"):
        assert words in card
    scorer = load(run.path)
    assert scorer.languages == ("en", "nl", "ru", "tr", "uk")
    assert scorer.score("Turkey was praised.").to_frame()["status"].tolist() == ["ok"]


def test_the_adapter_that_ships_is_small_and_apart() -> None:
    assert OPTIONS.adapter == "separate"
    # twelve layers of width 384: 12 * (4 * 768 + 2 * 1920) values a rank, 2 bytes each
    assert 12 * (4 * 768 + 2 * 1920) * OPTIONS.adapter_rank * 2 < 22_000_000


@pytest.mark.skipif(DATA is None, reason="CLASSIFIER_DATA names no folder of published corpora")
def test_a_fifth_of_the_published_sentences_is_held_out() -> None:
    data = read_shipping_data(Path(str(DATA)))
    counts = {test.name: len(test.annotation_set.table) for test in data.tests}
    assert counts["newsmtsc, devtest_mt"] == 1476
    assert counts["newsmtsc, devtest_rw"] == 1146
    # 1,067 of RuSentNE's 5,807 mentions; a sentence may be refused by the importer
    assert 1000 <= counts["rusentne, test"] <= 1100


@pytest.mark.skipif(not (SHIPPED / RECORD).is_file(), reason="no scorer ships with this checkout")
def test_the_scorer_works_out_of_the_box() -> None:
    scorer = classifier.load()
    rows = scorer.score("Moscow broke every promise it made to Kyiv, says the minister.").to_frame()
    assert list(rows["target"]) == ["RU", "UA"]
    assert set(rows["status"]) == {"ok"}
    files = scorer.trained.record["files"]
    assert sum((SHIPPED / name).stat().st_size for name in files if "safetensors" in name) <= 22e6
    assert not [name for name in files if name.endswith((".bin", ".pt", ".pkl"))]


@pytest.mark.skipif(not (SHIPPED / RECORD).is_file(), reason="no scorer ships with this checkout")
def test_no_sentence_of_the_sample_is_in_the_shipped_folder() -> None:
    texts = [a.text for a in read_annotations(shipped_annotations() / "sample").articles]
    written = "".join(
        path.read_text(encoding="utf-8")
        for path in SHIPPED.iterdir()
        if path.suffix in {".json", ".toml", ".md"}
    )
    assert not [text for text in texts if text[:60] in written]
