"""A page of articles with the voices in colour: read on a phone, on paper or on a screen."""

from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path

from classifier.codebook import Codebook
from classifier.files import refuse_to_replace, write_text
from classifier.mentions._find import MentionContext, MentionsReport, Settle, explain_mentions
from classifier.mentions.voice import Report, find_reports
from classifier.notebook_html import BLUE, ORANGE, Mark, marked_html, safe
from classifier.records import Article, Span, Zone, counted

_STYLES = {
    "quotation": f"background:rgba({BLUE},.16);border-bottom:2px solid rgb({BLUE})",
    "report": f"background:rgba({ORANGE},.14);border-bottom:2px dashed rgb({ORANGE})",
}
_MENTION = "font-weight:700"
_SPEAKER = "font-style:italic;text-decoration:underline"
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>Whose words</title><style>
:root{color-scheme:light dark}
body{font:1rem/1.7 Georgia,serif;max-width:42rem;margin:0 auto;padding:1rem}
article{border-top:1px solid;margin-top:2rem}
h1,h2{font-family:system-ui,sans-serif;line-height:1.25;overflow-wrap:anywhere}
.headline p{font-family:system-ui,sans-serif;font-size:1.5em;line-height:1.25;margin:.5rem 0}
.headline,h2{break-after:avoid}
.metadata,.boilerplate,.caption,.embed{opacity:.65;font-size:.85em}
small{font-family:system-ui,sans-serif}
span{-webkit-print-color-adjust:exact;print-color-adjust:exact}
@media print{body{max-width:none;padding:0;font-size:10pt}article{break-inside:avoid}}
</style></head><body>
"""


def write_page(
    path: Path,
    articles: Iterable[Article],
    codebook: Codebook,
    *,
    settle: Settle | None = None,
    force: bool = False,
) -> None:
    """Write the articles as one page of HTML, atomically.

    Quotations and reports are marked by colour and by a line below them, mentions are bold, and
    speakers stand in italics. Behind each stretch follow its speaker and the rule that found it.

    Args:
        path: The file to write.
        articles: The articles, in the order of the page.
        codebook: Whose targets to mark.
        settle: As `explain_mentions` takes it. What it decides is said at the mention, and its
            speakers are marked as well.
        force: Whether a file that is there already is replaced.

    Returns:
        Nothing.

    Raises:
        ReplaceError: something is there, and `force` is not set.
        OSError: If the file cannot be written.
    """
    refuse_to_replace(path, force=force)
    write_text(path, _parts(articles, codebook, settle))


def _parts(articles: Iterable[Article], codebook: Codebook, settle: Settle | None) -> Iterator[str]:
    yield _PAGE
    quoted, reported = _STYLES["quotation"], _STYLES["report"]
    yield (
        "<h1>Whose words</h1><p>"
        f'<span style="{quoted}">Quotation</span>: words between quotation marks. '
        f'<span style="{reported}">Report</span>: what somebody says, without the marks. '
        f'Unmarked: the author. <span style="{_MENTION}">Bold</span>: a mention. '
        f'<span style="{_SPEAKER}">Italic</span>: a speaker.</p>'
    )
    for article in articles:
        yield from _article(article, codebook, settle)
    yield "</body></html>\n"


def _article(article: Article, codebook: Codebook, settle: Settle | None) -> Iterator[str]:
    found = explain_mentions(article, codebook, settle=settle)
    around = MentionContext(article, codebook)
    reports = [one for one in find_reports(article.text, around.zones) if not one.is_scare]
    yield "<article>"
    if all(zone.kind != "headline" for zone in around.zones):
        yield f"<h2>{safe(article.title or article.article_id)}</h2>"
    count = counted(len(found.mentions), "mention")
    said = [article.article_id, article.source, article.date, count]
    yield f"<p><small>{' · '.join(safe(word) for word in said if word)}</small></p>\n"
    for zone in around.zones:
        marks = list(_marks(zone, found, reports))
        html = marked_html(zone.span.of(article.text).rstrip("\n"), marks)
        role = ' role="heading" aria-level="2"' * (zone.kind == "headline")
        kind, language = escape(zone.kind), escape(zone.language)
        yield f'<div class="{kind}" lang="{language}"{role}>{html}</div>\n'
    yield "</article>\n"


def _marks(zone: Zone, found: MentionsReport, reports: Iterable[Report]) -> Iterator[Mark]:
    for report in reports:
        content = _within(zone.span, report.content)
        if content:
            speaker = "" if report.speaker else "nobody is named, "
            title = f"{report.kind}: {speaker}{report.rule}, {report.confidence:.2f}"
            yield Mark(content, _STYLES[report.kind], title, note=report.rule)
        speaker_span = report.speaker and _within(zone.span, report.speaker)
        if speaker_span:
            yield Mark(speaker_span, _SPEAKER, "speaker")
    for mention in found.mentions:
        span = _within(zone.span, mention.span)
        if span:
            said = [mention.target, mention.voice]
            if "model" in (mention.voice_by, mention.speaker_by):
                said += [f"by {mention.voice_by}, {mention.voice_confidence:.2f}"]
                said += [f"speaker by {mention.speaker_by}: {mention.speaker}"]
            note = "labeller" if mention.voice_by == "model" else ""
            yield Mark(span, _MENTION, ", ".join(said), note=note)
        name = mention.speaker_span and _within(zone.span, mention.speaker_span)
        if name and mention.speaker_by == "model":
            yield Mark(name, _SPEAKER, "speaker, by the labeller")


def _within(zone: Span, span: Span) -> Span | None:
    """The stretch counted from the start of its zone; None where it lies elsewhere."""
    return Span(span.start - zone.start, span.end - zone.start) if zone.contains(span) else None
