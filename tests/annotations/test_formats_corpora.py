"""The three public corpora: small files of their shape, and the real ones where they are."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from classifier.annotations import read_annotations, write_annotations
from classifier.annotations.formats import Imported, import_annotations
from classifier.errors import DataError

_DATA = os.environ.get("CLASSIFIER_DATA")
_needs_data = pytest.mark.skipif(
    _DATA is None, reason="CLASSIFIER_DATA does not name the folder with the public corpora"
)


def _reasons(imported: Imported) -> list[str]:
    return [problem.reason for problem in imported.problems]


def _lines(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return path


def _sentence(text: str, gid: str, *targets: dict[str, Any]) -> dict[str, Any]:
    return {"primary_gid": gid, "sentence_normalized": text, "targets": list(targets)}


def _target(
    text: str, mention: str, polarity: float, entity: str, **more: object
) -> dict[str, Any]:
    start = text.index(mention)
    return {
        "Input.gid": f"polusa_v1_77_-1_3_{entity}_0_0",
        "from": start,
        "to": start + len(mention),
        "mention": mention,
        "polarity": polarity,
        **more,
    }


_NEWS = "Mayor Okello praised Brandt; he thanked her."


def test_newsmtsc_targets_are_entities_and_further_mentions_are_kept(tmp_path: Path) -> None:
    further = [{"from": 29, "to": 31, "mention": "he"}]
    gid = "polusa_v1_77_-1_3_Okello_6_12"
    file = _lines(
        tmp_path / "train.jsonl",
        _sentence(
            _NEWS,
            gid,
            _target(_NEWS, "Okello", 4.0, "Mayor Ada Okello"),
            _target(_NEWS, "Brandt", 6.0, "Lev Brandt", further_mentions=further),
        ),
    )
    imported = import_annotations("newsmtsc", file)
    (article,) = imported.annotation_set.articles
    # The first 12 digits of `printf polusa_v1_77_-1_3_Okello_6_12 | sha256sum`.
    assert article.article_id == "polusa_77-f427e28ae1aa"
    assert (article.story_id, article.split) == ("polusa_77", "train")
    table = imported.annotation_set.table
    assert table["target"].tolist() == ["Mayor Ada Okello", "Lev Brandt"]
    assert table["stance"].tolist() == ["neutral", "favourable"]
    assert table["comment"].tolist() == [None, "also 29-31 'he'"]
    assert imported.counts["further mentions"] == 1
    assert imported.problems == ()


def test_newsmtsc_sentences_of_one_event_are_one_story(tmp_path: Path) -> None:
    gids = ["allsides_9_4_1_X_0_1", "allsides_8_4_7_X_0_1"]
    file = _lines(tmp_path / "train.jsonl", *(_sentence(_NEWS, gid) for gid in gids))
    articles = import_annotations("newsmtsc", file).annotation_set.articles
    assert {article.story_id for article in articles} == {"allsides_4"}


def test_newsmtsc_keeps_two_entities_of_one_name_at_one_place(tmp_path: Path) -> None:
    twice = [_target(_NEWS, "Okello", 4.0, "Okello")] * 2
    file = _lines(tmp_path / "train.jsonl", _sentence(_NEWS, "polusa_v1_7_-1_0_a_0_1", *twice))
    table = import_annotations("newsmtsc", file).annotation_set.table
    assert table["target"].tolist() == ["Okello", "Okello (2)"]


def test_newsmtsc_refuses_what_does_not_fit_and_counts_it(tmp_path: Path) -> None:
    good = _target(_NEWS, "Okello", 4.0, "Okello")
    file = _lines(
        tmp_path / "train.jsonl",
        _sentence(
            _NEWS,
            "no gid at all",
            good | {"from": 7},
            good | {"from": 12, "to": 6},
            good | {"polarity": 5.0},
            good | {"polarity": None},
            7,  # type: ignore[arg-type]
        ),
        {"targets": []},
    )
    imported = import_annotations("newsmtsc", file)
    assert _reasons(imported) == [
        "gid not understood, no story",
        "surface does not match, refused",
        "offsets broken, refused",
        "unknown polarity, refused",
        "mention malformed, refused",
        "mention malformed, refused",
        "key missing",
    ]
    assert imported.annotation_set.table.empty


def test_newsmtsc_says_when_two_splits_share_a_sentence(tmp_path: Path) -> None:
    for n, split in enumerate(("train", "devtest_mt")):
        _lines(tmp_path / f"{split}.jsonl", _sentence(_NEWS, f"polusa_v1_{n}_-1_0_a_0_1"))
    imported = import_annotations("newsmtsc", tmp_path)
    assert _reasons(imported) == ["sentence in two splits, kept in both"]
    assert len(imported.annotation_set.articles) == 2


def test_a_folder_without_the_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"newsmtsc is train\.jsonl.*none was found"):
        import_annotations("newsmtsc", tmp_path)


_COLUMNS = "sentence\tentity\tentity_tag\tentity_pos_start_rel\tentity_pos_end_rel\tlabel\n"


def _table(path: Path, *rows: tuple[object, ...]) -> Path:
    lines = ["\t".join(map(str, row)) + "\n" for row in rows]
    path.write_text(_COLUMNS + "".join(lines), encoding="utf-8")
    return path


def _quoted(text: str, n: int) -> str:
    for _ in range(n):
        text = '"' + text.replace('"', '""') + '"'
    return text


def test_rusentne_mentions_of_one_sentence_share_an_article(tmp_path: Path) -> None:
    text = "Мэр Лодена поблагодарил врачей."
    file = _table(
        tmp_path / "train.tsv",
        (text, "Мэр", "PROFESSION", 0, 3, 1),
        ("Другое.", "Другое", "PERSON", 0, 6, 0),
        (text, "врачей", "PROFESSION", 24, 30, -1),
    )
    imported = import_annotations("rusentne", file)
    assert [a.text for a in imported.annotation_set.articles] == [text, "Другое."]
    table = imported.annotation_set.table
    assert table["stance"].tolist() == ["favourable", "neutral", "unfavourable"]
    assert table["comment"].tolist()[0] == "entity tag PROFESSION"


@pytest.mark.parametrize("n", [0, 1, 2])
def test_rusentne_quoting_is_undone_where_that_makes_the_offsets_fit(
    n: int, tmp_path: Path
) -> None:
    text = 'Клуб "Грель" и "Лоден" помирились'
    row = (_quoted(text, n), _quoted("Лоден", 0), "ORGANIZATION", 16, 21, 0)
    imported = import_annotations("rusentne", _table(tmp_path / "train.tsv", row))
    assert imported.annotation_set.articles[0].text == text
    assert _reasons(imported) == ["quoting undone, repaired"] * bool(n)


def test_rusentne_entities_that_were_quoted_are_unquoted_with_their_sentence(
    tmp_path: Path,
) -> None:
    text = 'Клуб "Грель" помирился'
    row = (_quoted(text, 2), _quoted('"Грель"', 2), "ORGANIZATION", 5, 12, 0)
    imported = import_annotations("rusentne", _table(tmp_path / "train.tsv", row))
    assert imported.annotation_set.table["surface"].tolist() == ['"Грель"']


def test_rusentne_rows_that_cannot_be_repaired_are_refused_and_counted(tmp_path: Path) -> None:
    file = _table(
        tmp_path / "train.tsv",
        ("Мэр молчит.", "Мэр", "PERSON", 1, 4, 0),
        ("Мэр молчит.", "Мэр", "PERSON", 0, 3, 7),
        ("Мэр молчит.", "Мэр", "PERSON", 3, 0, 0),
        ("Мэр молчит.", "Мэр", "PERSON", 0, 3),
    )
    imported = import_annotations("rusentne", file)
    assert imported.counts == {
        "articles": 0,
        "annotations": 0,
        "surface does not match, refused": 1,
        "unknown label, refused": 1,
        "offsets broken, refused": 1,
        "wrong number of fields, refused": 1,
    }


def test_rusentne_without_its_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "train.tsv"
    path.write_text("sentence\tlabel\n")
    with pytest.raises(DataError, match="the columns sentence, entity"):
        import_annotations("rusentne", path)


_OPINION = "Жители Лодена хвалят мэра, мэр бранит жителей."


def _span(words: str) -> list[list[str]]:
    start = _OPINION.index(words)
    return [[words], [f"{start}:{start + len(words)}"]]


def _opinion(source: object, target: str, words: str, polarity: str) -> dict[str, Any]:
    return {
        "Source": source,
        "Target": _span(target),
        "Polar_expression": _span(words),
        "Polarity": polarity,
    }


_NULL, _AUTHOR = [["NULL"], ["0:0"]], [["AUTHOR"], ["NULL"]]


def _opinions(path: Path, *opinions: object) -> Imported:
    line = {"sent_id": 5, "text": _OPINION, "opinions": list(opinions)}
    return import_annotations("ruopinionne", _lines(path / "train.jsonl", line))


@pytest.mark.parametrize(
    ("source", "voice", "speaker"),
    [
        (_span("Жители Лодена"), "attributed", "Жители Лодена"),
        (_NULL, "attributed", None),
        (_AUTHOR, "author", None),
    ],
)
def test_ruopinionne_holders_become_voices(
    source: object, voice: str, speaker: str | None, tmp_path: Path
) -> None:
    imported = _opinions(tmp_path, _opinion(source, "мэра", "хвалят", "POS"))
    (row,) = imported.annotation_set.table.to_dict("records")
    assert (row["stance"], row["voice"], row["speaker"]) == ("favourable", voice, speaker)
    assert _OPINION[row["evidence_start"] : row["evidence_end"]] == "хвалят"
    assert imported.problems == ()


def test_ruopinionne_contradictions_are_null_and_told(tmp_path: Path) -> None:
    imported = _opinions(
        tmp_path,
        _opinion(_span("Жители Лодена"), "мэра", "хвалят", "POS"),
        _opinion(_AUTHOR, "мэра", "бранит", "NEG"),
    )
    (row,) = imported.annotation_set.table.to_dict("records")
    assert (row["stance"], row["voice"], row["speaker"]) == (None, None, None)
    assert row["comment"] == "POS by Жители Лодена: 14-20 'хвалят'; NEG by AUTHOR: 31-37 'бранит'"
    assert _reasons(imported) == [
        "further opinion of one target, in the comment",
        "contradictory opinions of one target, stance null",
        "several kinds of holder, voice null",
    ]


def test_ruopinionne_spans_in_parts_are_joined_or_refused(tmp_path: Path) -> None:
    parts = [["хвалят", "бранит"], ["14:20", "31:37"]]
    good = _opinion(_NULL, "мэра", "хвалят", "POS")
    imported = _opinions(tmp_path, good | {"Polar_expression": parts}, good | {"Target": parts})
    (row,) = imported.annotation_set.table.to_dict("records")
    assert (row["evidence_start"], row["evidence_end"]) == (14, 37)
    assert _reasons(imported) == [
        "evidence in several parts, joined",
        "target in several parts, refused",
    ]


def test_ruopinionne_opinions_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    good = _opinion(_NULL, "мэра", "хвалят", "POS")
    imported = _opinions(
        tmp_path,
        good | {"Target": [["мэра"], ["0:4"]]},
        good | {"Target": [["мэра"], ["21"]]},
        {"Polarity": "POS"},
        good | {"Polarity": "MAYBE"},
    )
    assert _reasons(imported) == ["opinion broken, refused"] * 3 + ["unknown polarity, refused"]


def test_ruopinionne_stories_are_blocks_of_neighbours_cut_where_words_change(
    tmp_path: Path,
) -> None:
    topics = ["урожай пшеницы растёт", "поезда снова опаздывают"]
    # 35 sentences on one matter, then 45 on another: blocks are cut between 30 and 49
    lines = [{"sent_id": n, "text": topics[n >= 35], "opinions": []} for n in range(80)]
    imported = import_annotations("ruopinionne", _lines(tmp_path / "train.jsonl", *lines))
    stories = [article.story_id for article in imported.annotation_set.articles]
    assert Counter(stories) == {"ruopinionne-0": 35, "ruopinionne-1": 45}


@_needs_data
@pytest.mark.parametrize(
    ("name", "counts"),
    [
        # 8,615 + 1,476 + 1,146 mentions, none refused
        (
            "newsmtsc",
            {
                "articles": 9454,
                "annotations": 11237,
                "further mentions": 3941,
                "sentence in two splits, kept in both": 8,
            },
        ),
        (
            "rusentne",
            {"articles": 2690, "annotations": 5807, "quoting undone, repaired": 263},
        ),
        # 2,904 opinions = 2,075 annotations + 825 further ones + 4 refused
        (
            "ruopinionne",
            {
                "articles": 2556,
                "annotations": 2075,
                "opinions": 2904,
                "sentences without opinion": 1062,
                "further opinion of one target, in the comment": 825,
                "contradictory opinions of one target, stance null": 80,
                "several kinds of holder, voice null": 60,
                "evidence in several parts, joined": 19,
                "target in several parts, refused": 4,
            },
        ),
    ],
)
def test_the_real_corpus_loses_nothing(name: str, counts: dict[str, int], tmp_path: Path) -> None:
    imported = import_annotations(name, Path(str(_DATA)) / name)
    assert dict(imported.counts) == counts
    # reading checks every offset against its text
    write_annotations(imported.annotation_set, tmp_path)
    assert len(read_annotations(tmp_path).table) == counts["annotations"]


@_needs_data
def test_newsmtsc_splits_are_the_publishers() -> None:
    imported = import_annotations("newsmtsc", Path(str(_DATA)) / "newsmtsc")
    sentences = Counter(article.split for article in imported.annotation_set.articles)
    assert sentences == {"train": 7666, "devtest_mt": 721, "devtest_rw": 1067}
    split = {a.article_id: a.split for a in imported.annotation_set.articles}
    mentions = Counter(split[i] for i in imported.annotation_set.table["article_id"])
    assert mentions == {"train": 8615, "devtest_mt": 1476, "devtest_rw": 1146}
