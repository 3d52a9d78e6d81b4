"""The report page in a browser, from disk and without network."""

import csv
import functools
import io
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pandas as pd
import pytest

from classifier.annotations import AnnotationSet, adjudicate
from classifier.predictions import Explanation, Prediction, Word
from classifier.profiles import Profile, ProfileOptions, profile_sources
from classifier.records import Article, Span
from classifier.report import Evidence, write_report

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_BROWSER = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
_AXE = Path(os.environ.get("AXE_CORE", "node_modules/axe-core/axe.min.js"))
_MANY = 3_000

pytestmark = pytest.mark.skipif(_BROWSER is None, reason="no Chromium is installed")

HOSTILE = (
    "</script><script>window.hacked = 1</script>",
    "{{ 7 * 7 }} {% raw %} ${window.hacked = 1} <img src=x onerror='window.hacked = 1'>",
    "=cmd|' /C calc'!A0",
    "\u202egnp.exe \u2066 \" ' & <b>",
    "w" * 1_000_000,
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=_BROWSER, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def page_file(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    evidence = Evidence(
        toy_scores,
        toy_set.articles,
        toy_set,
        frozenset(_coded(toy_set)),
        explanations=_explanations(toy_set, toy_scores),
    )
    return write_report(None, _profile(toy_set, toy_scores), path, evidence=evidence)


def _explanations(toy_set: AnnotationSet, scores: pd.DataFrame) -> dict[str, Explanation]:
    """Of the first two mentions: "was" pushes up most, the verb up, the place down."""
    found = {}
    for row in scores.head(2).to_dict("records"):
        article = toy_set.article_by_id[row["article_id"]]
        words = list(re.finditer(r"\w+", article.text[row["end"] :]))
        after = [words[0], words[1], words[4 if article.language == "en" else 3]]
        spans = [Span(*match.span()).shifted(row["end"]) for match in after]
        pairs = zip(spans, (0.9, 0.5, -0.25), strict=True)
        weighed = tuple(Word(span, span.of(article.text), weight) for span, weight in pairs)
        prediction = Prediction({str(k): v for k, v in row.items()}, article)
        found[row["unit"]] = Explanation(
            prediction, "stance", None, 0.5, weighed, "occlusion", "the passage without the word", 3
        )
    return found


def _coded(toy_set: AnnotationSet) -> list[str]:
    return [article.article_id for article in toy_set.articles[:24]]


def _profile(toy_set: AnnotationSet, scores: pd.DataFrame) -> Profile:
    gold = adjudicate(toy_set)
    gold = gold[gold["article_id"].isin(_coded(toy_set))].reset_index(drop=True)
    options = ProfileOptions(by=("source", "target"))
    return profile_sources(scores, toy_set.codebook, gold=gold, options=options)


Open = Callable[..., Any]


@pytest.fixture
def open_page(browser: Any) -> Iterator[Open]:  # noqa: ANN401
    """Opens a file; at the end no script may have complained and nothing may have been asked."""
    said: list[str] = []
    contexts: list[Any] = []

    def opened(path: Path, *, width: int = 1280, address: str = "") -> Any:  # noqa: ANN401
        context = browser.new_context(viewport={"width": width, "height": 800}, offline=True)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda asked: _note_request(asked.url, said))
        page.goto(path.as_uri() + address)
        page.wait_for_selector("html[data-drawn]", state="attached")
        if not address:
            page.click("#open-evidence")
        page.wait_for_selector("#rows li", state="attached")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert said == []


def _note_request(url: str, said: list[str]) -> None:
    if not url.startswith(("file:", "blob:", "data:")):
        said.append(url)


def _rows(page: Any) -> list[int]:  # noqa: ANN401
    """Numbers of all rows that the filters let through, page by page."""
    found = []
    while True:
        found += page.eval_on_selector_all("#rows li", "all => all.map(e => +e.dataset.row)")
        if page.is_disabled("#next"):
            return found
        page.click("#next")


def _choose(page: Any, field: str, value: str) -> None:  # noqa: ANN401
    page.select_option(f"select[name={field}]", value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("source", "De Vliet"),
        ("target", "TR"),
        ("language", "nl"),
        ("voice", "quoted"),
        ("stance", "unfavourable"),
    ],
)
def test_a_filter_shows_the_right_rows(
    open_page: Open, page_file: Path, toy_scores: pd.DataFrame, field: str, value: str
) -> None:
    page = open_page(page_file)
    _choose(page, field, value)
    wanted = toy_scores.index[toy_scores[field] == value].tolist()
    assert sorted(_rows(page)) == wanted
    assert page.inner_text("#count").startswith(f"{len(wanted)} of {len(toy_scores)} mentions")


def test_the_filter_of_a_set_finds_mentions_that_have_the_label(
    open_page: Open, page_file: Path, toy_scores: pd.DataFrame
) -> None:
    page = open_page(page_file)
    _choose(page, "roles", "aggressor")
    has = toy_scores["roles"].map(lambda names: "aggressor" in names)
    assert sorted(_rows(page)) == toy_scores.index[has].tolist()
    _choose(page, "roles", "(none)")
    assert sorted(_rows(page)) == toy_scores.index[toy_scores["roles"].map(len) == 0].tolist()


def test_filters_and_search_work_together(
    open_page: Open, page_file: Path, toy_scores: pd.DataFrame, toy_set: AnnotationSet
) -> None:
    page = open_page(page_file)
    _choose(page, "target", "UA")
    page.fill("input[name=text]", "HARBOUR")
    texts = toy_scores["article_id"].map({a.article_id: a.text for a in toy_set.articles})
    wanted = toy_scores.index[(toy_scores["target"] == "UA") & texts.str.contains("harbour")]
    assert sorted(_rows(page)) == wanted.tolist()
    page.click("button[type=reset]")
    page.wait_for_function(f"document.querySelector('#count').textContent.startsWith('{120} of')")


def test_what_nobody_has_is_said_to_be_nowhere(open_page: Open, page_file: Path) -> None:
    page = open_page(page_file)
    page.fill("input[name=text]", "a word that nobody wrote")
    assert page.inner_text("#count") == "None of the 120 mentions is like that."


def _payload(page: Any) -> dict[str, Any]:  # noqa: ANN401
    text: str = page.text_content("#evidence-data")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _sorted_by(page: Any, name: str, keys: list[float]) -> bool:  # noqa: ANN401
    _choose(page, "sort", name)
    rows = _rows(page)
    found = [keys[row] for row in rows]
    return len(rows) == len(keys) and found == sorted(found)


def test_every_sort_orders_the_rows(open_page: Open, page_file: Path) -> None:
    page = open_page(page_file)
    data = _payload(page)
    sure = [max(p) for p in data["predicted"]["stance"]["p"]]
    apart = data["distance"]["stance"]
    pull = [-abs(value) for value in data["pull"]]
    assert _sorted_by(page, "pull on the estimate, strongest first", pull)
    assert _sorted_by(page, "least sure of stance first", sure)
    assert _sorted_by(page, "surest of stance first", [-p for p in sure])
    assert _sorted_by(page, "disagreement on stance, largest first", [-d for d in apart])
    assert _sorted_by(page, "as they stand in the articles", [float(i) for i in range(120)])


def test_a_row_shows_mention_speaker_and_all_labels(open_page: Open, page_file: Path) -> None:
    page = open_page(page_file, address="#evidence?voice=attributed&target=TR")
    row = page.locator("#rows li").first
    assert row.locator("mark").inner_text() in ("Turkey", "Turkije")
    assert "the harbour master" in row.locator(".notes").inner_text()
    assert row.locator("tr.model").count() == 1
    assert row.locator("tr.human th").all_inner_texts() == ["ann"]


def test_words_that_carry_a_score_are_shaded_and_named(open_page: Open, page_file: Path) -> None:
    page = open_page(page_file)
    _choose(page, "sort", "as they stand in the articles")
    row = page.locator("#rows li[data-row='0']")
    assert row.locator(".up").inner_text() == "praised"
    assert row.locator(".down").inner_text() == "harbour"
    # The strongest word is shaded by 8 + 42 %, one of half its weight by 8 + 21 %.
    assert row.locator(".up").evaluate("e => e.style.getPropertyValue('--depth')") == "50%"
    assert row.locator(".down").evaluate("e => e.style.getPropertyValue('--depth')") == "29%"
    said = row.locator(".notes").inner_text()
    assert "words that carry stance_score: ▲ praised +0.50, ▼ harbour −0.25" in said
    assert "was" not in said
    assert page.locator("#rows li[data-row='2'] .up").count() == 0


def test_a_figure_leads_to_its_evidence(
    open_page: Open, page_file: Path, toy_scores: pd.DataFrame
) -> None:
    page = open_page(page_file)
    page.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true; })")
    link = page.locator("table a", has_text="read").first
    address = link.get_attribute("href")
    link.click()
    wanted = toy_scores
    for column, value in parse_qsl(address.split("?")[1]):
        wanted = wanted[wanted[column] == value]
    # The page follows an address after the click has returned.
    page.wait_for_function(
        f"document.querySelector('#count').textContent.startsWith('{len(wanted)} of')"
    )
    assert sorted(_rows(page)) == wanted.index.tolist()


def test_the_keyboard_reaches_everything(open_page: Open, page_file: Path) -> None:
    page = open_page(page_file)
    page.focus("select[name=target]")
    page.keyboard.press("R")
    assert page.input_value("select[name=target]") == "RU"
    page.wait_for_function("document.querySelector('#count').textContent.startsWith('40 of')")
    page.focus("#download")
    reached = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id"))
    assert "next" in reached
    page.focus("#next")
    page.keyboard.press("Enter")
    assert page.inner_text("#page") == "page 2 of 2"


@pytest.mark.parametrize("width", [320, 375, 1280])
def test_the_page_fits_the_screen(open_page: Open, page_file: Path, width: int) -> None:
    page = open_page(page_file, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_charts_are_drawn_with_their_figures(open_page: Open, page_file: Path) -> None:
    page = open_page(page_file)
    assert page.locator("[data-chart] svg").first.bounding_box()["width"] > 200


def test_every_chart_is_drawn_without_scrolling(open_page: Open, page_file: Path) -> None:
    page = open_page(page_file)
    shown = "[data-chart]:not(details:not([open]) *)"
    assert page.locator(shown).count() > 3
    assert page.locator(f"{shown} svg").count() == page.locator(shown).count()


def test_evidence_is_laid_out_when_someone_asks(browser: Any, page_file: Path) -> None:  # noqa: ANN401
    page = browser.new_page()
    page.goto(page_file.as_uri())
    page.wait_for_selector("html[data-drawn]", state="attached")
    assert page.locator("#rows li").count() == 0
    assert not page.is_visible("#filters")
    page.click("#open-evidence")
    assert page.locator("#rows li").count() == 20
    page.close()


def test_a_legend_stands_once_and_goes_along_with_a_saved_chart(
    open_page: Open, page_file: Path
) -> None:
    page = open_page(page_file)
    section = page.locator("#profiles-by-source-and-target")
    assert section.locator(".legend").count() == 1
    assert section.locator("[data-chart] svg .role-legend").count() == 0
    with page.expect_download() as started:
        section.locator("figure button").first.click()
    assert "role-legend" in Path(started.value.path()).read_text(encoding="utf-8")


def test_a_score_stands_with_its_chances(open_page: Open, page_file: Path) -> None:
    page = open_page(page_file)
    said = page.locator("#rows tr.model td").first.inner_text()
    assert re.search(r"\d+ %.*\d+ %, .* \d+ %; score [+−]?\d\.\d\d", said)


def test_a_word_leads_to_its_meaning(open_page: Open, page_file: Path) -> None:
    page = open_page(page_file)
    page.locator("th a", has_text="verdict").first.evaluate("link => link.click()")
    page.wait_for_selector("#word-verdict", state="visible")


@pytest.fixture(scope="module")
def hostile_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page whose every text was written by someone who means harm."""
    articles, rows = [], []
    for i, words in enumerate(HOSTILE):
        text = f"{words} Turkey {words}"
        start = len(words) + 1
        name = f"a{i}{words[:60]}"
        articles.append(Article(name, text, source=words, language="en", title=words))
        row: dict[str, object] = {"unit": f"{name}:{start}-{start + 6}:TR", "article_id": name}
        row |= {"source": words, "language": "en", "date": words, "zone": "body", "target": "TR"}
        row |= {"start": start, "end": start + 6, "surface": "Turkey", "speaker": words}
        row |= {"passage_start": 0, "passage_end": len(text), "status": words, "voice": words}
        row |= {"stance": "neutral", "p_stance_unfavourable": 0.1, "p_stance_neutral": 0.8}
        rows.append(row | {"p_stance_favourable": 0.1})
    path = tmp_path_factory.mktemp("hostile") / "report.html"
    evidence = Evidence(pd.DataFrame(rows), articles)
    return write_report(None, [], path, evidence=evidence, about={"Data": HOSTILE[0]})


def test_hostile_text_stays_text(open_page: Open, hostile_file: Path) -> None:
    page = open_page(hostile_file)
    page.wait_for_timeout(200)
    assert page.evaluate("window.hacked") is None
    assert page.locator("#rows img, #rows script, header script, header img").count() == 0
    shown = page.inner_text("#rows")
    assert HOSTILE[0] in shown
    assert "{{ 7 * 7 }}" in shown
    assert "\u202e" not in page.inner_text("body")
    assert "[U+202E]gnp.exe" in shown
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_formulas_stay_text_in_the_download(open_page: Open, hostile_file: Path) -> None:
    page = open_page(hostile_file)
    with page.expect_download() as started:
        page.click("#download")
    text = Path(started.value.path()).read_text(encoding="utf-8-sig")
    csv.field_size_limit(10_000_000)
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["title"] for row in rows][2] == "'=cmd|' /C calc'!A0"
    assert rows[2]["mention"] == "Turkey"
    assert len(rows) == len(HOSTILE)


def test_of_many_rows_only_a_few_are_laid_out(
    open_page: Open, toy_set: AnnotationSet, toy_scores: pd.DataFrame, tmp_path: Path
) -> None:
    copies = -(-_MANY // len(toy_scores))
    frames, articles = [], []
    for k in range(copies):
        names = toy_scores["article_id"] + f"-{k}"
        frames.append(toy_scores.assign(article_id=names, unit=toy_scores["unit"] + f"-{k}"))
        articles += [replace(a, article_id=f"{a.article_id}-{k}") for a in toy_set.articles]
    many = pd.concat(frames, ignore_index=True).head(_MANY)
    evidence = Evidence(many, articles)
    profile = profile_sources(many, toy_set.codebook)
    path = write_report(None, profile, tmp_path / "many.html", evidence=evidence)
    page = open_page(path)
    assert page.inner_text("#count").startswith("3000 of 3000")
    page.select_option("select[name=sort]", "least sure of stance first")
    assert page.locator("#rows li").count() == 20


@functools.cache
def _axe() -> str:
    return _AXE.read_text(encoding="utf-8")


@pytest.mark.skipif(not _AXE.exists(), reason="axe-core is not installed (npm install axe-core)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_bars_anyone(open_page: Open, page_file: Path, scheme: str) -> None:
    page = open_page(page_file)
    page.emulate_media(color_scheme=scheme)
    page.wait_for_selector("[data-chart] svg")
    page.evaluate(_axe())
    found = page.evaluate("axe.run().then(result => result.violations)")
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in serious] == []
