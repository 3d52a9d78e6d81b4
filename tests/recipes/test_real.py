"""The labels on real news, as the recipe reads them."""

from recipes.real import ADJUDICATOR, settled


def test_a_third_reading_overrules_the_two_passes_at_its_mention_only() -> None:
    def row(start: int, annotator: str) -> dict[str, object]:
        return {"article_id": "a", "start": start, "end": start + 4, "target": "TR"} | {
            "annotator": annotator
        }

    rows = [row(0, "reader-1"), row(0, "reader-2"), row(0, ADJUDICATOR), row(9, "reader-1")]
    assert settled(rows) == [rows[2], rows[3]]
