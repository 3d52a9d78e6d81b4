import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from classifier.articles import Reading, find_zones, read_articles
from classifier.articles._files import safe_member
from classifier.errors import DataError

_BODY = "De loodsen bleven maandag aan wal omdat de wind boven zee tot storm aanzwol."
_OTHER = "Pas tegen de avond ging de eerste veerboot weer naar de overkant van de rivier."


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")


def _sheet(path: Path, rows: list[list[Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(path)


def _found(reading: Reading) -> list[tuple[str, str | None, str | None, str | None]]:
    return [(a.article_id, a.source, a.date, a.title) for a in reading]


def _details(reading: Reading, reason: str) -> list[str]:
    return [p.detail for p in reading.problems if p.reason == reason]


class TestNames:
    @pytest.mark.parametrize(
        "name", ["source", "publisher", "outlet", "newspaper", "medium", "domain", "Publisher"]
    )
    def test_names_of_the_source(self, tmp_path: Path, name: str) -> None:
        _write(tmp_path / "a.csv", f"id,{name},text\nx,De Kadeklok,{_BODY}\n")
        reading = read_articles(tmp_path)
        assert _found(reading) == [("x", "De Kadeklok", None, None)]
        taken = [] if name == "source" else [f"source from {name}: read"]
        assert _details(reading, "column under another name") == taken

    @pytest.mark.parametrize(
        "name", ["date", "published", "published_at", "publication_date", "pubDate"]
    )
    @pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet", ".xlsx"])
    def test_names_of_the_date_in_every_table(self, tmp_path: Path, name: str, suffix: str) -> None:
        row = {"id": "x", "outlet": "A", "headline": "Haven dicht", name: "2022-03-17"}
        row["text"] = _BODY
        path = tmp_path / f"a{suffix}"
        if suffix == ".jsonl":
            _write(path, json.dumps(row))
        elif suffix == ".xlsx":
            _sheet(path, [list(row), list(row.values())])
        elif suffix == ".csv":
            pd.DataFrame([row]).to_csv(path, index=False)
        else:
            pd.DataFrame([row]).to_parquet(path)
        assert _found(read_articles(path)) == [("x", "A", "2022-03-17", "Haven dicht")]

    def test_a_feed_writes_its_date_in_words(self, tmp_path: Path) -> None:
        row = {"id": "x", "pubDate": "Thu, 17 Mar 2022 09:30:00 GMT", "text": _BODY}
        _write(tmp_path / "a.jsonl", json.dumps(row))
        assert _found(read_articles(tmp_path))[0][2] == "2022-03-17"

    def test_our_own_name_goes_before_any_other(self, tmp_path: Path) -> None:
        _write(
            tmp_path / "a.csv",
            f"id,domain,publisher,source,text\nx,d,p,,{_BODY}\ny,d,p,s,{_OTHER}\n",
        )
        reading = read_articles(tmp_path)
        assert [a.source for a in reading] == ["p", "s"]
        taken = ["source from publisher and source: read"]
        assert _details(reading, "column under another name") == taken

    def test_a_date_that_no_rule_reads_costs_the_date_and_not_the_article(
        self, tmp_path: Path
    ) -> None:
        _write(tmp_path / "a.csv", f"id,outlet,published,text\nx,A,03/04/2022,{_BODY}\n")
        reading = read_articles(tmp_path)
        assert _found(reading) == [("x", "A", None, None)]
        assert "'03/04/2022' is not ISO 8601" in _details(reading, "date not read")[0]

    @pytest.mark.parametrize(
        ("name", "value", "language"),
        [
            ("lang", "ru-RU", "ru"),
            ("Lang", "Dutch", "nl"),
            ("language_code", "ukr", "uk"),
            ("lang", "German", "en"),
        ],
    )
    @pytest.mark.parametrize("is_beside", [False, True])
    def test_a_language_may_have_other_names(
        self, tmp_path: Path, name: str, value: str, language: str, *, is_beside: bool
    ) -> None:
        text = "The minister said that the harbour would open again in the spring."
        if is_beside:
            _write(tmp_path / "x.txt", text)
            _write(tmp_path / "metadata.csv", f"file,outlet,{name}\nx.txt,A,{value}\n")
        else:
            _write(tmp_path / "a.csv", f"id,outlet,{name},text\nx,A,{value},{text}\n")
        reading = read_articles(tmp_path)
        assert [(a.article_id, a.language) for a in reading] == [("x", language)]
        told = _details(reading, "language not read")
        assert [one.partition(" is no code")[0] for one in told] == (
            ["the language 'German'"] if value == "German" else []
        )

    def test_a_language_of_our_own_name_says_what_to_write(self, tmp_path: Path) -> None:
        _write(tmp_path / "a.csv", f"id,language,text\nx,Deutsch,{_BODY}\n")
        with pytest.raises(DataError, match=r"'Deutsch'; write its code, or leave it empty"):
            read_articles(tmp_path)

    def test_no_source_anywhere_is_told(self, tmp_path: Path) -> None:
        _write(tmp_path / "a.txt", _BODY)
        assert _details(read_articles(tmp_path), "no source known") == [
            "no article says who published it, so nothing can be counted by source"
        ]


class TestMetadata:
    def test_a_row_by_id_by_file_and_by_stem(self, tmp_path: Path) -> None:
        for name in ("a", "b", "c"):
            _write(tmp_path / f"{name}.txt", f"{_BODY} {name}")
        rows = "article_id,file,newspaper\na,,A\n,b.txt,B\nc.txt,,C\n"
        _write(tmp_path / "metadata.csv", rows)
        reading = read_articles(tmp_path)
        assert [(a.article_id, a.source) for a in reading] == [("a", "A"), ("b", "B"), ("c", "C")]
        assert _details(reading, "column under another name") == ["source from newspaper: read"]

    def test_rows_and_articles_without_each_other_are_listed(self, tmp_path: Path) -> None:
        _write(tmp_path / "a.txt", _BODY)
        _write(tmp_path / "b.txt", _OTHER)
        _write(tmp_path / "metadata.csv", "article_id,source\na,A\nzz,Z\n")
        reading = read_articles(tmp_path)
        row = next(p for p in reading.problems if p.reason == "metadata without an article")
        assert row.where == f"{tmp_path / 'metadata.csv'}:3"
        assert "'zz'" in row.detail
        lone = [p.where for p in reading.problems if p.reason == "article without metadata"]
        assert lone == [str(tmp_path / "b.txt")]

    def test_a_table_in_a_subfolder_speaks_of_the_files_beside_it(self, tmp_path: Path) -> None:
        for folder, source in (("one", "A"), ("two", "B")):
            _write(tmp_path / folder / "a.txt", f"{_BODY} {folder}")
            _write(tmp_path / folder / "metadata.csv", f"file,publisher\na.txt,{source}\n")
        reading = read_articles(tmp_path)
        assert [(a.article_id, a.source) for a in reading] == [("one/a", "A"), ("two/a", "B")]
        assert [p.reason for p in reading.problems] == ["column under another name"] * 2

    def test_the_nearest_table_wins_and_the_outer_one_adds(self, tmp_path: Path) -> None:
        _write(tmp_path / "one" / "a.txt", _BODY)
        _write(tmp_path / "metadata.csv", "file,source,date\none/a.txt,Outer,2022-03-17\n")
        _write(tmp_path / "one" / "metadata.csv", "file,source\na.txt,Inner\n")
        assert _found(read_articles(tmp_path)) == [("one/a", "Inner", "2022-03-17", None)]

    def test_a_name_that_two_files_share_matches_neither(self, tmp_path: Path) -> None:
        _write(tmp_path / "one" / "a.txt", _BODY)
        _write(tmp_path / "two" / "a.txt", _OTHER)
        _write(tmp_path / "metadata.csv", "file,source\na.txt,A\n")
        reading = read_articles(tmp_path)
        assert [a.source for a in reading] == [None, None]
        assert len(_details(reading, "metadata without an article")) == 1

    def test_a_key_that_comes_twice_is_listed(self, tmp_path: Path) -> None:
        _write(tmp_path / "a.txt", _BODY)
        _write(tmp_path / "metadata.csv", "article_id,source\na,A\na,B\n")
        reading = read_articles(tmp_path)
        assert [a.source for a in reading] == ["A"]
        assert _details(reading, "repeated metadata") == ["'a' had a row before; the first counts"]

    def test_a_value_of_the_article_goes_first_under_any_name(self, tmp_path: Path) -> None:
        _write(tmp_path / "a.jsonl", json.dumps({"id": "x", "outlet": "Own", "text": _BODY}))
        _write(tmp_path / "metadata.csv", "article_id,source\nx,Table\n")
        assert [a.source for a in read_articles(tmp_path)] == ["Own"]

    def test_an_excel_table_beside_texts(self, tmp_path: Path) -> None:
        _write(tmp_path / "7.txt", _BODY)
        _sheet(tmp_path / "metadata.xlsx", [["article_id", "outlet"], [7, "A"]])
        assert [a.source for a in read_articles(tmp_path)] == ["A"]


class TestHeadlines:
    def test_a_separate_title_is_the_headline_zone(self, tmp_path: Path) -> None:
        _write(tmp_path / "a.csv", f'id,source,headline,text\nx,A,"Haven\n dicht",{_BODY}\n')
        (article,) = read_articles(tmp_path)
        assert article.text == f"Haven dicht\n\n{_BODY}"
        zones = find_zones(article)
        assert [zone.kind for zone in zones] == ["headline", "body"]
        assert zones[1].span.of(article.text) == _BODY

    @pytest.mark.parametrize("start", ["Haven dicht\n\n", "# Haven dicht\n", "HAVEN DICHT |\n"])
    def test_a_title_that_the_text_begins_with_is_not_repeated(
        self, tmp_path: Path, start: str
    ) -> None:
        row = {"id": "x", "title": "Haven dicht", "text": f"{start}{_BODY}"}
        _write(tmp_path / "a.jsonl", json.dumps(row))
        assert read_articles(tmp_path).articles[0].text == f"{start}{_BODY}"

    def test_words_of_the_title_in_a_sentence_are_no_headline(self, tmp_path: Path) -> None:
        text = f"Haven dicht, zo begon maandag de dag van de havenmeester. {_BODY}"
        _write(tmp_path / "a.jsonl", json.dumps({"id": "x", "title": "Haven dicht", "text": text}))
        assert read_articles(tmp_path).articles[0].text == f"Haven dicht\n\n{text}"

    def test_a_date_prefix_behind_the_headline_is_still_one(self, tmp_path: Path) -> None:
        row = {"id": "x", "title": "Haven dicht", "text": f" date 2022-03 {_BODY}"}
        _write(tmp_path / "a.jsonl", json.dumps(row))
        (article,) = read_articles(tmp_path)
        assert article.date == "2022-03"
        assert [zone.kind for zone in find_zones(article)] == ["headline", "metadata", "body"]

    def test_a_text_with_its_hash_stays_as_it_is(self, tmp_path: Path) -> None:
        from classifier.articles import article_record
        from classifier.records import Article

        article = Article("x", _BODY, source="A", title="Haven dicht", language="nl")
        _write(tmp_path / "a.jsonl", json.dumps(article_record(article)))
        assert read_articles(tmp_path).articles == (article,)

    def test_the_articles_of_an_annotation_set_stay_as_they_are(self, tmp_path: Path) -> None:
        row = {"article_id": "x", "title": "Haven dicht", "text": _BODY}
        _write(tmp_path / "articles.jsonl", json.dumps(row))
        _write(tmp_path / "annotations.jsonl", "")
        assert read_articles(tmp_path).articles[0].text == _BODY
        assert read_articles(tmp_path / "articles.jsonl").articles[0].text == _BODY


def _as_gzip(path: Path, data: bytes) -> Path:
    packed = path.with_name(f"{path.name}.gz")
    packed.write_bytes(gzip.compress(data))
    return packed


def _as_zip(path: Path, data: bytes) -> Path:
    packed = path.with_suffix(".zip")
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(path.name, data)
    return packed


class TestPackedFiles:
    @pytest.mark.parametrize("pack", [_as_gzip, _as_zip])
    @pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.txt"])
    def test_a_packed_file_reads_as_the_plain_one(
        self, tmp_path: Path, name: str, pack: Callable[[Path, bytes], Path]
    ) -> None:
        content = {
            "a.csv": f"source,text\r\nA,{_BODY}\r\n",
            "a.jsonl": json.dumps({"source": "A", "text": _BODY}) + "\r\n",
            "a.txt": _BODY,
        }[name].encode("utf-8-sig")
        (tmp_path / name).write_bytes(content)
        plain = read_articles(tmp_path / name)
        assert plain.articles == read_articles(pack(tmp_path / name, content)).articles
        assert plain.articles[0].text == _BODY

    def test_a_zip_is_read_like_a_folder(self, tmp_path: Path) -> None:
        path = tmp_path / "corpus.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("one/a.txt", _BODY)
            archive.writestr("one/metadata.csv", "file,source\na.txt,A\nb.txt,B\n")
            archive.writestr("__MACOSX/one/._a.txt", "x")
            archive.writestr("notes.pdf", "x")
        reading = read_articles(path)
        assert _found(reading) == [("one/a", "A", None, None)]
        wheres = {p.reason: p.where for p in reading.problems}
        assert wheres == {
            "not an article": f"{path}/notes.pdf",
            "metadata without an article": f"{path}/one/metadata.csv:3",
        }

    @pytest.mark.parametrize("member", ["../a.txt", "/a.txt", "c:/a.txt", "x\\..\\..\\a.txt"])
    def test_a_member_outside_the_zip_is_refused(self, tmp_path: Path, member: str) -> None:
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr(zipfile.ZipInfo(member), _BODY)
        with pytest.raises(DataError, match="members must lie inside the zip"):
            read_articles(tmp_path / "a.zip")
        with pytest.raises(DataError, match="must lie inside"):
            safe_member("a.zip", member)

    @pytest.mark.parametrize("name", ["a.csv.gz", "a.zip"])
    def test_a_broken_one_is_listed_and_the_rest_goes_on(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_bytes(b"PK not really")
        _write(tmp_path / "b.txt", _BODY)
        reading = read_articles(tmp_path)
        assert [a.article_id for a in reading] == ["b"]
        assert "a file that unpacks was required" in _details(reading, "unreadable file")[0]

    def test_one_that_unpacks_to_more_than_the_limit_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("classifier.articles._files.MAX_UNPACKED", 1000)
        path = _as_gzip(tmp_path / "a.txt", b"x" * 2000)
        with pytest.raises(DataError, match="at most 1000 bytes are unpacked"):
            read_articles(path)


class TestExcel:
    def test_whole_numbers_dates_and_blank_rows(self, tmp_path: Path) -> None:
        day = pd.Timestamp("2022-03-17").to_pydatetime()
        rows = [["id", "outlet", "published", "text"], [7, "A", day, _BODY], [None] * 4]
        _sheet(tmp_path / "a.xlsx", [*rows, [12.0, "A", "2022-03", _OTHER]])
        found = _found(read_articles(tmp_path))
        assert found == [("7", "A", "2022-03-17", None), ("12", "A", "2022-03", None)]

    def test_two_columns_of_one_name_are_refused(self, tmp_path: Path) -> None:
        _sheet(tmp_path / "a.xlsx", [["text", "text"], [_BODY, _OTHER]])
        with pytest.raises(DataError, match="the columns must differ"):
            read_articles(tmp_path)

    def test_what_is_no_workbook_is_refused(self, tmp_path: Path) -> None:
        _write(tmp_path / "a.xlsx", f"id,text\nx,{_BODY}\n")
        with pytest.raises(DataError, match=r"a\.xlsx: an \.xlsx workbook was required"):
            read_articles(tmp_path)

    def test_a_workbook_that_unpacks_too_large_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("classifier.files.MAX_SHEET_BYTES", 100)
        _sheet(tmp_path / "a.xlsx", [["text"], [_BODY]])
        with pytest.raises(DataError, match="at most 100 bytes are read"):
            read_articles(tmp_path)


class TestRemedies:
    @pytest.mark.parametrize(("mark", "name"), [(";", "semicolons"), ("\t", "tabs")])
    def test_a_table_that_no_comma_parts_says_what_to_do(
        self, tmp_path: Path, mark: str, name: str
    ) -> None:
        _write(tmp_path / "a.csv", f"id{mark}text\nx{mark}{_BODY}\n")
        _write(tmp_path / "b.txt", _BODY)
        (problem,) = [p for p in read_articles(tmp_path).problems if "commas" in p.reason]
        assert problem.detail == f"a.csv: commas between the cells are required, it has {name}"
        assert problem.remedy == "save it as CSV with commas, or as .xlsx"

    @pytest.mark.parametrize(
        ("encoding", "said"), [("utf-16", "it is UTF-16"), ("cp1252", "is not")]
    )
    @pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.txt"])
    def test_another_encoding_says_what_to_do(
        self, tmp_path: Path, name: str, encoding: str, said: str
    ) -> None:
        (tmp_path / name).write_bytes('{"text": "Oekraïne"}\n'.encode(encoding))
        _write(tmp_path / "b.txt", _BODY)
        problems = [p for p in read_articles(tmp_path).problems if name in p.where]
        assert {p.remedy for p in problems if said in p.detail} == {"save it as UTF-8"}

    def test_a_column_of_another_name_than_text_lists_the_columns_once(
        self, tmp_path: Path
    ) -> None:
        _write(tmp_path / "a.csv", f"id,body\nx,{_BODY}\ny,{_OTHER}\n")
        _write(tmp_path / "b.txt", _BODY)
        assert _details(read_articles(tmp_path), "no column text") == [
            "a column named text is required; found: id, body; rename the one that holds the "
            "articles' texts to text"
        ]
