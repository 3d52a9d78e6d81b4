"""Labels from anywhere: a spreadsheet, a language model's answers, another tool's output."""

from classifier.labels._mapping import Unknown, parse_mapping
from classifier.labels._places import Articles, LabelledArticles, labelled_articles
from classifier.labels._read import ABSENT, WHOLE, Labelled, LabelOptions, read_predictions
from classifier.labels._rows import UNREAD, Rows, Source, is_label_file, read_rows, short_name

__all__ = [
    "ABSENT",
    "UNREAD",
    "WHOLE",
    "Articles",
    "LabelOptions",
    "Labelled",
    "LabelledArticles",
    "Rows",
    "Source",
    "Unknown",
    "is_label_file",
    "labelled_articles",
    "parse_mapping",
    "read_predictions",
    "read_rows",
    "short_name",
]
