import json
import os
import textwrap
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.articles import (
    article_from_record,
    article_record,
    find_zones,
    read_articles,
    stream_articles,
    with_stories,
)
from classifier.articles._page import MAX_BYTES, PageReader, decode_page, read_page
from classifier.articles._zones import date_in
from classifier.errors import DataError
from classifier.records import Article, Problem

_BODY = "De loodsen bleven maandag aan wal omdat de wind boven zee tot storm aanzwol."
_PAGE = f"""<html><head><meta charset="CHARSET"><title>Kadeklok</title>
<script type="application/ld+json">{{"@graph": [{{"@type": "NewsArticle",
"headline": "Haven dicht door storm", "datePublished": "2022-03-17T08:30:00+01:00",
"author": [{{"name": "Lotte Proef"}}], "publisher": {{"name": "De Kadeklok"}}}}]}}</script></head>
<body><article><h1>Haven dicht door storm</h1>
<figure><img src="a.jpg"><figcaption>De kade van Erdoğan. Beeld AP</figcaption></figure>
<p>{_BODY} Volgens de havenmeester kan het nog dagen duren voor er weer een schip vertrekt.</p>
<h2>Geen schip gezien</h2><p>{_BODY} Verderop langs de kust was het volgens vissers niet beter.</p>
<blockquote class="twitter-tweet"><p>No ship today</p>&mdash; Pilots (@pilots) March 17, 2022
</blockquote><p>{_BODY} Pas tegen de avond ging de eerste veerboot naar de overkant.</p></article>
<div id="comments"><p>Wat een onzin, schrijft een lezer onder dit artikel over de haven.</p></div>
</body></html>"""


def _reasons(problems: tuple[Problem, ...]) -> list[str]:
    return [problem.reason for problem in problems]


def _kinds(text: str, **fields: str) -> list[str]:
    return [zone.kind for zone in find_zones(Article("a", text, **fields))]  # type: ignore[arg-type]


class TestReading:
    def test_a_folder_of_text_files_with_metadata(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text(_BODY, encoding="utf-8", newline="")
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "b.md").write_text(
            "# Kop\r\n\r\n" + _BODY, encoding="utf-8", newline=""
        )
        (tmp_path / "metadata.csv").write_text(
            "article_id,source,date\na,De Kadeklok,2022-03\nsub/b,Havenpost,\n", encoding="utf-8"
        )
        reading = read_articles(tmp_path)
        assert [a.article_id for a in reading] == ["a", "sub/b"]
        assert [a.source for a in reading] == ["De Kadeklok", "Havenpost"]
        assert (reading.articles[0].date, reading.articles[0].date_precision) == (
            "2022-03",
            "month",
        )
        assert reading.articles[1].text == "# Kop\r\n\r\n" + _BODY
        assert reading.articles[1].title == "Kop"
        assert len(reading) == 2
        assert not reading.problems

    @pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
    def test_tables(self, tmp_path: Path, suffix: str) -> None:
        table = pd.DataFrame(
            {
                "article_id": ["a", "b"],
                "text": [_BODY, _BODY + "\n\nNog een."],
                "date": ["2022", None],
            }
        )
        path = tmp_path / f"articles{suffix}"
        if suffix == ".csv":
            table.to_csv(path, index=False)
        elif suffix == ".parquet":
            table.to_parquet(path)
        else:
            table.to_json(path, orient="records", lines=True)
        reading = read_articles(path)
        assert [a.text for a in reading] == list(table["text"])
        assert [a.date for a in reading] == ["2022", None]
        assert [a.language for a in reading] == ["nl", "nl"]

    def test_a_file_that_is_not_utf8_is_named_and_the_rest_goes_on(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_bytes("Oekraïne".encode("cp1252"))
        (tmp_path / "b.txt").write_text(_BODY, encoding="utf-8")
        reading = read_articles(tmp_path)
        assert [a.article_id for a in reading] == ["b"]
        assert _reasons(reading.problems) == ["not UTF-8", "no source known"]
        assert reading.problems[0].where == str(tmp_path / "a.txt")
        assert "byte 5" in reading.problems[0].detail

    def test_a_broken_line_is_named_by_file_and_line(self, tmp_path: Path) -> None:
        path = tmp_path / "a.jsonl"
        good = json.dumps({"article_id": "x", "text": _BODY})
        path.write_bytes(f'{good}\n{{"text": \n[1]\n\n'.encode() + b'{"text": "\xff"}\n')
        reading = read_articles(path)
        assert len(reading) == 1
        broken = [p.where for p in reading.problems if p.reason == "broken JSON line"]
        assert broken == [f"{path}:{n}" for n in (2, 3, 5)]

    def test_the_same_id_twice_keeps_the_first(self, tmp_path: Path) -> None:
        (tmp_path / "a.md").write_text(_BODY, encoding="utf-8")
        (tmp_path / "a.txt").write_text("Iets anders dan dat.", encoding="utf-8")
        reading = read_articles(tmp_path)
        assert [a.text for a in reading] == [_BODY]
        assert _reasons(reading.problems) == ["repeated article_id", "no source known"]

    def test_an_id_of_zero_is_an_id_and_an_empty_one_is_none(self, tmp_path: Path) -> None:
        rows = [("article_id", 0), ("id", 1), ("id", "")]
        lines = (json.dumps({key: given, "text": _BODY}) for key, given in rows)
        (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
        assert [a.article_id for a in read_articles(tmp_path)] == ["0", "1", "a:3"]

    def test_an_article_of_zero_bytes_is_listed(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_bytes(b"")
        (tmp_path / "b.txt").write_text(_BODY, encoding="utf-8")
        assert _reasons(read_articles(tmp_path).problems) == ["no text", "no source known"]

    def test_what_is_no_article_is_listed(self, tmp_path: Path) -> None:
        for name in ("README.md", "scan.pdf", ".hidden.txt", "a.txt"):
            (tmp_path / name).write_text(_BODY, encoding="utf-8")
        reading = read_articles(tmp_path)
        assert len(reading) == 1
        assert _reasons(reading.problems) == ["not an article"] * 2 + ["no source known"]

    def test_a_field_that_is_none_of_ours_is_listed(self, tmp_path: Path) -> None:
        path = tmp_path / "a.jsonl"
        path.write_text(json.dumps({"id": 7, "text": _BODY, "publisher": "x"}), encoding="utf-8")
        reading = read_articles(path)
        assert reading.articles[0].article_id == "7"
        assert "publisher" in reading.problems[0].detail

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"text": 5}, "needs a text"),
            ({"text": "x", "date": "17/03/2022"}, "ISO 8601"),
            ({"text": "x", "date": "2022-13"}, "ISO 8601"),
            ({"text": "x", "language": "Dutch!"}, "language"),
            ({"text": "x", "sampling_probability": 2}, "sampling_probability"),
            ({"text": "x", "sha256": "0"}, "hash"),
            ({"text": "x", "date": "2022", "date_precision": "day"}, "date_precision"),
            ({"text": "x", "title": ["a"]}, "title must be a text"),
        ],
    )
    def test_a_malformed_article_says_what_is_wrong(
        self, values: dict[str, object], message: str
    ) -> None:
        with pytest.raises(DataError, match=message):
            article_from_record({"article_id": "a"} | values)

    def test_nothing_there(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="nothing is there"):
            read_articles(tmp_path / "absent")
        with pytest.raises(DataError, match="it holds none"):
            read_articles(tmp_path)
        (tmp_path / "a.txt").write_bytes(b"\xff")
        with pytest.raises(DataError, match=r"none could be read.*not at byte 0; save it as UTF-8"):
            read_articles(tmp_path)
        with pytest.raises(DataError, match="articles must be"):
            read_articles(_file(tmp_path / "a.docx"))

    def test_streaming_reads_no_further_than_it_is_asked(self, tmp_path: Path) -> None:
        path = tmp_path / "a.jsonl"
        line = json.dumps({"text": _BODY})
        path.write_text(f"{line}\n{line}\nbroken\n", encoding="utf-8")
        problems: list[Problem] = []
        stream = stream_articles(path, problems)
        assert next(stream).article_id == "a:1"
        assert next(stream).article_id == "a:2"
        assert not problems

    def test_a_record_comes_back_as_it_was(self) -> None:
        article = Article("a", _BODY + "\n ", "De Kadeklok", "nl", "2022-03", "month", agency="ANP")
        assert article_from_record(article_record(article)) == article

    @pytest.mark.parametrize("missing", [None, "", float("nan"), pd.NaT, pd.NA])
    def test_what_a_table_leaves_empty_is_unknown(self, missing: object) -> None:
        row = {"article_id": "a", "text": "x", "source": missing, "date": missing}
        assert article_from_record(row) == Article("a", "x")

    @pytest.mark.parametrize(
        ("code", "language"), [("nl-BE", "nl"), ("EN", "en"), ("de", "und"), (None, None)]
    )
    def test_language_codes(self, code: str | None, language: str | None) -> None:
        values = {"article_id": "a", "text": "x", "language": code}
        assert article_from_record(values).language == language


def _file(path: Path) -> Path:
    path.write_bytes(b"x")
    return path


class TestPages:
    def test_zones_and_metadata_of_a_page(self) -> None:
        values = read_page(_PAGE.replace("CHARSET", "utf-8").encode())
        text = values.pop("text")
        assert values == {
            "title": "Haven dicht door storm",
            "date": "2022-03-17T08:30:00+01:00",
            "author": "Lotte Proef",
            "source": "De Kadeklok",
        }
        assert "onzin" not in text
        kinds = _kinds(text, title=values["title"])
        assert kinds == ["headline", "caption", "body", "subhead", "body", "embed", "body"]

    @pytest.mark.parametrize(
        ("declared", "encoding", "word"),
        [
            ("windows-1251", "cp1251", "Турция"),
            ("iso-8859-1", "cp1252", "‘Oekraïne’"),
            ("ISO-8859-9", "cp1254", "İstanbul"),
            ("utf-8", "utf-8", "Київ"),
        ],
    )
    def test_declared_encodings(self, declared: str, encoding: str, word: str) -> None:
        page = f'<html><head><meta charset="{declared}"></head><body>{word}</body></html>'
        assert word in decode_page(page.encode(encoding))

    def test_an_encoding_that_is_not_declared_is_refused(self) -> None:
        with pytest.raises(DataError, match="not declared"):
            decode_page("<p>Oekraïne</p>".encode("cp1252"))

    def test_a_damaged_page_is_refused(self) -> None:
        with pytest.raises(DataError, match="damaged"):
            decode_page("<p>Oekra\ufffdne</p>".encode())

    def test_a_page_that_is_too_large_is_refused(self) -> None:
        with pytest.raises(DataError, match="2,000,000 bytes"):
            read_page(b"<p>" + b"x" * MAX_BYTES)

    def test_a_page_without_an_article_is_refused(self) -> None:
        with pytest.raises(DataError, match="none was found"):
            read_page(b"<html><body><nav>Home</nav></body></html>")

    def test_pages_of_a_folder_are_read_in_a_process_of_their_own(self, tmp_path: Path) -> None:
        (tmp_path / "a.html").write_bytes(_PAGE.replace("CHARSET", "windows-1254").encode("cp1254"))
        (tmp_path / "b.html").write_bytes(b"\xff<p>x")
        reading = read_articles(tmp_path)
        assert [(a.article_id, a.source, a.date) for a in reading] == [
            ("a", "De Kadeklok", "2022-03-17")
        ]
        assert "Erdoğan" in reading.articles[0].text
        assert _reasons(reading.problems) == ["unreadable page"]

    def test_a_library_that_cannot_be_imported_says_why(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        broken = tmp_path / "broken"
        broken.mkdir()
        reason = "lxml.html.clean module is now a separate project"
        (broken / "trafilatura.py").write_text(f"raise ImportError({reason!r})", encoding="utf-8")
        path = os.pathsep.join([str(broken), os.environ.get("PYTHONPATH", "")])
        monkeypatch.setenv("PYTHONPATH", path)
        (tmp_path / "a.html").write_text(_PAGE.replace("CHARSET", "utf-8"), encoding="utf-8")
        reader = PageReader()
        for _ in range(2):
            with pytest.raises(DataError, match=rf"ImportError: {reason}.*classifier\[html\]"):
                reader.read(tmp_path / "a.html")

    def test_a_page_that_ends_its_process_passes_the_last_words_on(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        broken = tmp_path / "broken"
        broken.mkdir()
        fault = "def extract(*_, **__):\n    raise MemoryError('no room for the page')\n"
        (broken / "trafilatura.py").write_text(fault, encoding="utf-8")
        path = os.pathsep.join([str(broken), os.environ.get("PYTHONPATH", "")])
        monkeypatch.setenv("PYTHONPATH", path)
        (tmp_path / "a.html").write_text(_PAGE.replace("CHARSET", "utf-8"), encoding="utf-8")
        with pytest.raises(DataError, match=r"ended the process .*no room for the page"):
            PageReader().read(tmp_path / "a.html")

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a file that blocks its reader")
    def test_a_page_that_takes_too_long_ends_its_process(self, tmp_path: Path) -> None:
        (tmp_path / "a.html").write_text(_PAGE.replace("CHARSET", "utf-8"), encoding="utf-8")
        os.mkfifo(tmp_path / "slow.html")
        reader = PageReader(time_limit=0.3)
        try:
            assert reader.read(tmp_path / "a.html")["source"] == "De Kadeklok"
            with pytest.raises(DataError, match="must be readable in 0 s"):
                reader.read(tmp_path / "slow.html")
            assert reader.read(tmp_path / "a.html")["source"] == "De Kadeklok"
        finally:
            reader.close()


class TestZones:
    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(
            st.one_of(
                st.text(max_size=30),
                st.sampled_from(
                    [
                        *("\n", "\n\n", "\r\n", " date 2022-03 ", "Beeld AP ", "Bron: DPA 0 "),
                        *(
                            "Kop jv",
                            "KIEV (ANP) - ",
                            "\\*\\*\\*",
                            "# ",
                            "Door Lotte Proef",
                            "17u44",
                        ),
                        "pic.twitter.com/x",
                    ]
                ),
            ),
            max_size=20,
        ).map("".join)
    )
    def test_zones_cover_the_text_exactly(self, text: str) -> None:
        zones = find_zones(Article("a", text, language="nl"))
        assert "".join(zone.span.of(text) for zone in zones) == text
        assert [z.span.start for z in zones] == [0, *(z.span.end for z in zones)][: len(zones)]

    @pytest.mark.parametrize(
        ("text", "kinds"),
        [
            (f"Haven dicht door storm\n\n{_BODY}", ["headline", "body"]),
            (f" date 2022-03 {_BODY}", ["metadata", "body"]),
            (
                f" date 2022-03 De kade bij nacht. Beeld AP\n\n{_BODY}",
                ["metadata", "caption", "body"],
            ),
            (f"De kade bij nacht. Foto ANP / EPA {_BODY}", ["caption", "body"]),
            (
                f" date 2022-03 Haven dicht jv\n\n17 maart 2022\n\n17u44\n\nBron: DPA 0 {_BODY}",
                ["metadata", "headline", *["metadata"] * 4, "body"],
            ),
            (f"KIEV (ANP) - {_BODY}", ["metadata", "body"]),
            (f"{_BODY}\n\nGeen schip te zien\n\n{_BODY}", ["body", "subhead", "body"]),
            (f"# Haven dicht\n\nBy [Lotte Proef](#)\n\n{_BODY}", ["headline", "metadata", "body"]),
            (f"{_BODY}\n\nRegion: [Russia](#), [Europe](#)", ["body", "metadata"]),
            (f"{_BODY}\n\nLees ook: Zo komt de storm eraan", ["body", "boilerplate"]),
            (f"{_BODY}\n\nSubscribe to our newsletter.", ["body", "boilerplate"]),
            (f"{_BODY}\n\n**Disclaimer:** {_BODY} {_BODY}", ["body", "boilerplate"]),
            (f"{_BODY}\n\nПодписывайтесь на наш телеграм-канал", ["body", "boilerplate"]),
            (
                f"{_BODY}\n\nFollow us\n\n\\*\\*\\*\n\n{_BODY}",
                ["body", *["boilerplate"] * 2, "body"],
            ),
            (
                f"{_BODY}\n\nNo ship today https://t.co/abc — Pilots (@pilots) 17 maart 2022",
                ["body", "embed"],
            ),
            (f"{_BODY}\n\nReacties bleven maandag uit in beide hoofdsteden.", ["body", "body"]),
            ("Hebben de loodsen gestaakt?", ["body"]),
        ],
    )
    def test_kinds(self, text: str, kinds: list[str]) -> None:
        assert _kinds(text, language="nl") == kinds

    def test_an_embed_in_another_language_says_so(self) -> None:
        text = f"{_BODY}\n\nThe harbour stays shut until the storm is over https://t.co/abc"
        zones = find_zones(Article("a", text))
        assert [zone.language for zone in zones] == ["nl", "en"]

    def test_an_empty_text_has_no_zones(self) -> None:
        assert find_zones(Article("a", "")) == []

    def test_the_articles_of_the_environment(self) -> None:
        folder = os.environ.get("CLASSIFIER_CORPUS")
        if folder is None:
            pytest.skip("CLASSIFIER_CORPUS names no folder of articles")
        for article in read_articles(folder):
            zones = find_zones(article)
            assert "".join(zone.span.of(article.text) for zone in zones) == article.text


class TestOwnMetadata:
    def _read(self, tmp_path: Path, text: str) -> Article:
        (tmp_path / "a.txt").write_text(textwrap.dedent(text), encoding="utf-8", newline="")
        return read_articles(tmp_path).articles[0]

    def test_a_month_prefix_is_a_month(self, tmp_path: Path) -> None:
        article = self._read(tmp_path, f" date 2022-09 {_BODY}")
        assert (article.date, article.date_precision) == ("2022-09", "month")
        assert article.source is None

    def test_a_date_line_is_more_precise_than_the_prefix(self, tmp_path: Path) -> None:
        article = self._read(tmp_path, f" date 2020-04 Kop\n\n17 april 2020\n\nBron: DPA 0 {_BODY}")
        assert (article.date, article.date_precision) == ("2020-04-17", "day")
        assert article.agency == "DPA"

    @pytest.mark.parametrize("start", ["De Kadeklok, 31 juni 2022\n\n", "date 2022-02-31 "])
    def test_a_date_that_no_calendar_has_is_none(self, tmp_path: Path, start: str) -> None:
        article = self._read(tmp_path, f"{start}{_BODY}")
        assert (article.date, article.date_precision) == (None, None)

    def test_outlet_and_republisher(self, tmp_path: Path) -> None:
        article = self._read(
            tmp_path,
            "# Harbour shut\n\nBy [Ines Okafor](#)\n\nWorld Mirror, December 03, 2021\n"
            f"[Quayside](#) 2 December 2021\n\n{_BODY}\n\n"
            "The original source of this article is [Quayside](#)",
        )
        assert (article.source, article.republisher) == ("Quayside", "World Mirror")
        assert (article.date, article.author, article.title) == (
            "2021-12-02",
            "Ines Okafor",
            "Harbour shut",
        )

    def test_nothing_is_inferred(self, tmp_path: Path) -> None:
        article = self._read(tmp_path, f"{_BODY} Dat schreef De Kadeklok op 3 maart 2022 over ANP.")
        known = [article.source, article.date, article.author, article.agency, article.title]
        assert known == [None] * 5

    @pytest.mark.parametrize(
        ("line", "found"),
        [
            ("donderdag 17 maart 2022", ("2022-03-17", "day")),
            ("March 3rd, 2022", ("2022-03-03", "day")),
            ("5 марта 2022", ("2022-03-05", "day")),
            ("24 лютого 2022", ("2022-02-24", "day")),
            ("8 Mayıs 2023", ("2023-05-08", "day")),
            ("12 KASIM 2022", ("2022-11-12", "day")),
            ("5 EKİM 2021", ("2021-10-05", "day")),
            ("2022-03-17", ("2022-03-17", "day")),
            ("17.03.2022", ("2022-03-17", "day")),
            ("maart 2022", ("2022-03", "month")),
            # 3 April or 4 March: there is no telling
            ("03/04/2022", None),
            ("41 maart 2022", None),
        ],
    )
    def test_dates(self, line: str, found: tuple[str, str] | None) -> None:
        assert date_in(line) == found


_STORY = " ".join(
    f"De {n}e boot bracht kisten met sinaasappels en {n * 7} zakken meel naar kade {n % 5}."
    for n in range(1, 40)
)


class TestStories:
    @pytest.mark.parametrize(
        "copy",
        [
            pytest.param(_STORY, id="the same"),
            pytest.param(_STORY[: len(_STORY) // 3], id="lead"),
            pytest.param(_STORY.upper(), id="capitals"),
            pytest.param(_STORY + "\n\nSubscribe to our newsletter.", id="boilerplate"),
            pytest.param(". ".join(reversed(_STORY.split(". "))), id="reordered"),
        ],
    )
    def test_a_copy_shares_the_story(self, copy: str) -> None:
        articles = [Article("a", _STORY), Article("x", _BODY), Article("b", copy)]
        assert [a.story_id for a in with_stories(articles)] == ["a", None, "a"]

    def test_boilerplate_makes_no_story(self) -> None:
        legal = "\n\nDisclaimer: " + _STORY
        articles = [Article("a", _BODY + legal), Article("b", "Een heel ander bericht." + legal)]
        assert [a.story_id for a in with_stories(articles)] == [None, None]

    def test_an_existing_story_is_kept_and_joined(self) -> None:
        articles = [
            Article("a", _STORY),
            Article("b", _STORY + " Meer.", story_id="s"),
            Article("c", _BODY, story_id="s"),
            Article("d", "Iets heel anders.", story_id="t"),
        ]
        assert [a.story_id for a in with_stories(articles)] == ["s", "s", "s", "t"]

    def test_every_copy_keeps_its_outlet(self) -> None:
        articles = [Article("a", _STORY, source="x"), Article("b", _STORY, source="y")]
        assert [a.source for a in with_stories(articles)] == ["x", "y"]

    def test_short_texts_are_copies_only_word_for_word(self) -> None:
        articles = [
            Article("a", "Haven dicht!"),
            Article("b", "haven dicht"),
            Article("c", "Haven open"),
        ]
        assert [a.story_id for a in with_stories(articles)] == ["a", "a", None]

    def test_a_chain_of_many_copies_is_one_story(self) -> None:
        articles = [Article(f"a{n:02}", f"{_STORY} Slot {n}.") for n in range(60)]
        assert {a.story_id for a in with_stories(articles)} == {"a00"}

    def test_no_articles(self) -> None:
        assert with_stories([]) == []

    def test_the_order_of_the_articles_stays(self) -> None:
        articles = [Article(name, _STORY) for name in "dbca"]
        found = with_stories(articles)
        assert [replace(a, story_id=None) for a in found] == articles
