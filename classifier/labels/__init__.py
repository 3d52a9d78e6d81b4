"""Labels from anywhere: a spreadsheet, a language model's answers, another tool's output."""

from classifier.labels._articles import Articles, LabelledArticles, labelled_articles
from classifier.labels._files import is_label_file
from classifier.labels._mapping import parse_mapping
from classifier.labels._read import ABSENT, WHOLE, Labelled, read_predictions

__all__ = [
    "ABSENT",
    "WHOLE",
    "Articles",
    "Labelled",
    "LabelledArticles",
    "is_label_file",
    "labelled_articles",
    "parse_mapping",
    "read_predictions",
]
