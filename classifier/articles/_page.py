"""Web pages to plain text, with captions and embeds kept as lines of their own.

A process of its own reads the pages. It first says whether it can read pages at all. Then it reads
a path per line and answers with one JSON object per line. A page that takes too long costs that
process and not the run.
"""

import codecs
import json
import queue
import re
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from classifier.articles._fields import read_date
from classifier.errors import DataError, in_words

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from lxml.html import HtmlElement


MAX_BYTES = 2_000_000
"""Pages above this are refused: extraction takes seconds per megabyte."""
_DECLARED = re.compile(
    rb"""<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE
)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What browsers read under the names of the standards without the C1 controls.
_AS_WINDOWS = {"iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254"}
# Extraction drops captions; as a paragraph with a sign that no page has, they stay.
_CAPTION = "‡caption‡ "
_EMBED_CLASSES = ("twitter-tweet", "instagram-media", "tiktok-embed", "telegram-post", "fb-post")
_ARTICLE_TYPES = frozenset(
    ["Article", "NewsArticle", "ReportageNewsArticle", "AnalysisNewsArticle", "BlogPosting"]
)
_DATE_NAMES = ("article:published_time", "og:article:published_time", "datePublished", "pubdate")


def read_page(data: bytes) -> dict[str, Any]:
    """The text of a page and what its JSON-LD says about it, as fields of an article.

    Headings become Markdown headings, captions "![…]", and embedded posts stay one line each, so
    that `find_zones` knows them. Raises `DataError` for a page that is too large, whose encoding is
    neither declared nor UTF-8, or that holds no article.
    """
    import trafilatura

    if len(data) > MAX_BYTES:
        raise DataError(f"a page may have {MAX_BYTES:,} bytes, this one has {len(data):,}")
    tree = _tree(decode_page(data))
    values = _linked_data(tree)
    own_date = _own_date(tree)
    if own_date:
        values["date"] = own_date
    _mark(tree)
    xml = trafilatura.extract(
        tree, output_format="xml", include_comments=False, include_tables=False
    )
    text = _text(xml, values.get("title")) if xml else ""
    if not text.strip():
        raise DataError("a page with an article was required, none was found on it")
    return values | {"text": text}


def decode_page(data: bytes) -> str:
    """The page as text, by the encoding it declares, else as UTF-8; never by a guess.

    >>> decode_page('<meta charset="windows-1254">Erdoğan'.encode("cp1254"))[-7:]
    'Erdoğan'
    """
    declared = _DECLARED.search(data[:4_096])
    name = declared[1].decode("ascii", "replace") if declared else "utf-8"
    name = next((encoding for mark, encoding in _BOMS if data.startswith(mark)), name)
    try:
        known = codecs.lookup(name).name
        text = data.decode(_AS_WINDOWS.get(known, known))
    except (LookupError, UnicodeDecodeError) as error:
        how = "declared" if declared else "not declared"
        raise DataError(
            f"a page must declare the encoding it has ({how}: {name}): {in_words(error)}"
        ) from None
    if "\ufffd" in text:
        raise DataError(
            f"the page was damaged before it was saved: it holds U+FFFD ({name}); save it again"
        )
    return text


def _tree(page: str) -> "HtmlElement":
    from lxml import etree, html

    # lxml refuses text that declares an encoding, so it gets bytes of one it is told about.
    parser = html.HTMLParser(no_network=True, remove_comments=True, encoding="utf-8")
    try:
        return html.document_fromstring(page.encode("utf-8", "replace"), parser=parser)
    except (ValueError, etree.LxmlError) as error:
        raise DataError(f"an HTML page was required: {in_words(error)}") from None


def _linked_data(tree: "HtmlElement") -> dict[str, Any]:
    """Headline, date, author, source and address of the article in the page's JSON-LD."""
    for script in tree.xpath('//script[@type="application/ld+json"]'):
        try:
            data = json.loads(script.text or "")
        except (ValueError, RecursionError):
            continue
        for item in _items(data):
            kinds = item.get("@type")
            if _ARTICLE_TYPES.intersection([kinds] if isinstance(kinds, str) else kinds or []):
                return _fields(item)
    return {}


def _own_date(tree: "HtmlElement") -> str | None:
    """The day of publication in the page's head; its JSON-LD may be a template's."""
    for name in _DATE_NAMES:
        for value in tree.xpath("//meta[@property=$name or @name=$name]/@content", name=name):
            if _is_date(str(value)):
                return str(value)
    return None


def _items(data: object) -> list[dict[str, Any]]:
    found = data if isinstance(data, list) else [data]
    items = [item for item in found if isinstance(item, dict)]
    graphs = [item["@graph"] for item in items if isinstance(item.get("@graph"), list)]
    return items + [item for graph in graphs for item in graph if isinstance(item, dict)]


def _fields(item: dict[str, Any]) -> dict[str, Any]:
    address = item.get("url") or item.get("mainEntityOfPage")
    values = {
        "title": item.get("headline"),
        "date": item.get("datePublished"),
        "author": _names(item.get("author")),
        "source": _names(item.get("publisher")),
        "url": address.get("@id") if isinstance(address, dict) else address,
    }
    if not _is_date(values["date"]):
        del values["date"]
    return {name: value for name, value in values.items() if isinstance(value, str) and value}


def _is_date(value: object) -> bool:
    try:
        return isinstance(value, str) and read_date(value)[0] is not None
    except DataError:
        return False


def _names(value: object) -> str | None:
    people = value if isinstance(value, list) else [value]
    names = [p.get("name") if isinstance(p, dict) else p for p in people]
    return ", ".join(name for name in names if isinstance(name, str) and name) or None


def _mark(tree: "HtmlElement") -> None:
    """Turn captions and embedded posts into paragraphs that extraction keeps and we know again."""
    for element in tree.xpath("//figcaption"):
        _replace(element, _CAPTION)
    for element in tree.xpath("//blockquote"):
        if any(name in (element.get("class") or "") for name in _EMBED_CLASSES):
            _replace(element, "")


def _replace(element: "HtmlElement", sign: str) -> None:
    words = " ".join(" ".join(element.itertext()).split())
    figure = next(element.iterancestors("figure"), element)
    parent = figure.getparent()
    if parent is None or not words:
        return
    paragraph = element.makeelement("p")
    paragraph.text, paragraph.tail = sign + words, figure.tail
    parent.replace(figure, paragraph)


def _text(xml: str, title: str | None) -> str:
    from defusedxml import ElementTree

    main = ElementTree.fromstring(xml).find("main")
    lines = [] if main is None else [line for block in main for line in _block(block)]
    if title and not any(title in line for line in lines[:3]):
        lines.insert(0, f"# {title}")
    return "\n\n".join(lines)


def _block(block: "Element") -> list[str]:
    if block.tag in {"list", "table"}:
        return [line for item in block for line in _block(item)]
    words = " ".join(" ".join(block.itertext()).split())
    if not words:
        return []
    if block.tag == "head":
        return [("# " if block.get("rend") == "h1" else "## ") + words]
    if words.startswith(_CAPTION):
        return [f"![{words.removeprefix(_CAPTION)}]"]
    return [words]


_WORKER = "from classifier.articles._page import answer_paths; answer_paths()"


def answer_paths() -> None:
    """Say whether pages can be read, then answer every path with its fields or with the fault."""
    _say(_readiness())
    for line in sys.stdin:
        path = Path(json.loads(line))
        try:
            answer: dict[str, Any] = {"values": read_page(path.read_bytes())}
        except (DataError, OSError) as error:
            answer = {"error": in_words(error)}
        _say(answer)


def _readiness() -> dict[str, Any]:
    """Nothing, or why the library that reads pages cannot be imported."""
    try:
        import trafilatura  # noqa: F401 - whether it can be imported is the question
    except Exception as error:
        return {"error": f" ({type(error).__name__}: {in_words(error)})"}
    return {}


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


TIME_LIMIT = 20.0
"""Seconds for one page; the first also waits for the process to start."""
_START_LIMIT = 60.0


@dataclass
class PageReader:
    """A process that reads pages one after another; started at the first, and again if it dies."""

    time_limit: float = TIME_LIMIT
    _process: subprocess.Popen[str] | None = field(default=None, init=False)
    _answers: "queue.Queue[str | None]" = field(default_factory=queue.Queue, init=False)
    _errors: IO[bytes] | None = field(default=None, init=False)
    _cannot: str = field(default="", init=False)

    def read(self, path: Path) -> dict[str, Any]:
        """Fields of the article on a page; raises `DataError` if there is none to be had."""
        limit = self.time_limit
        if self._process is None or self._process.poll() is not None:
            self._start()
            limit += _START_LIMIT
        self._ask(path)
        answer = self._answer(limit, "a page must be readable")
        if answer is None:
            reason = self._last_words()
            self.close()
            raise DataError(f"the page ended the process that read it{reason}")
        result = json.loads(answer)
        if "error" in result:
            raise DataError(result["error"])
        values: dict[str, Any] = result["values"]
        return values

    def close(self) -> None:
        """End the process; the next page starts another."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    stream.close()
        if self._errors is not None:
            self._errors.close()
        self._process = self._errors = None

    def _answer(self, limit: float, required: str) -> str | None:
        """The next line of the process; None if it has ended."""
        try:
            return self._answers.get(timeout=limit)
        except queue.Empty:
            self.close()
            raise DataError(f"{required} in {limit:.0f} s, this one is not") from None

    def _ask(self, path: Path) -> None:
        stdin = self._process.stdin if self._process else None
        try:
            if stdin is not None:
                stdin.write(json.dumps(str(path.resolve())) + "\n")
                stdin.flush()
        except BrokenPipeError:
            self._answers.put(None)

    def _start(self) -> None:
        """Start the process; raises `DataError` with its reason if it cannot read pages."""
        if self._cannot:
            raise DataError(self._cannot)
        self.close()
        self._answers = queue.Queue()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        self._process = subprocess.Popen(
            [sys.executable, "-c", _WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
        )
        pipe = self._process.stdout
        threading.Thread(target=_pass_on, args=(pipe, self._answers), daemon=True).start()
        ready = self._answer(_START_LIMIT, "a process that reads pages must start")
        reason = json.loads(ready).get("error") if ready else self._last_words()
        if reason or ready is None:
            self.close()
            self._cannot = (
                "reading .html needs trafilatura, which cannot be imported here"
                f"{reason or ''}: pip install 'stance-framing-classifier[html]'"
            )
            raise DataError(self._cannot)

    def _last_words(self) -> str:
        """The last line that the process wrote about itself, behind a colon."""
        if self._errors is None:
            return ""
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return f" ({said[-1][:300]})" if said else ""


def _pass_on(pipe: IO[str] | None, answers: "queue.Queue[str | None]") -> None:
    """Hand lines over as they come; None at the end."""
    try:
        for line in pipe or ():
            answers.put(line)
    except ValueError:  # the pipe was closed on our side
        pass
    answers.put(None)
