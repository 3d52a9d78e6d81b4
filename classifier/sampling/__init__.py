"""Drawing articles to annotate, each with a known chance."""

from classifier.sampling._articles import (
    Cells,
    Drawn,
    DrawOptions,
    drawn_articles,
    mention_table,
    sample,
    write_sample,
)
from classifier.sampling._draw import FRAME, Sample, draw_further, draw_sample, read_frame

__all__ = [
    "FRAME",
    "Cells",
    "DrawOptions",
    "Drawn",
    "Sample",
    "draw_further",
    "draw_sample",
    "drawn_articles",
    "mention_table",
    "read_frame",
    "sample",
    "write_sample",
]
