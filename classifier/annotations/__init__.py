"""Annotation sets: who labelled which mention how, checked on the way in, adjudicated to gold."""

from classifier.annotations._fix import Fixed, fix_annotations
from classifier.annotations._folder import (
    CODEBOOK,
    annotation_set_of,
    check,
    check_nothing_is_lost,
    read_annotations,
    write_annotations,
)
from classifier.annotations._gold import (
    adjudicate,
    flagged,
    gold_with_chances,
    long_table,
    who_decided,
)
from classifier.annotations._table import (
    CURATED,
    Annotation,
    AnnotationSet,
    Recoded,
    Value,
    annotation_table,
    join_coders,
    join_sets,
    mention_unit,
    recode,
    restricted,
    table_annotations,
    table_columns,
    unit_name,
)

__all__ = [
    "CODEBOOK",
    "CURATED",
    "Annotation",
    "AnnotationSet",
    "Fixed",
    "Recoded",
    "Value",
    "adjudicate",
    "annotation_set_of",
    "annotation_table",
    "check",
    "check_nothing_is_lost",
    "fix_annotations",
    "flagged",
    "gold_with_chances",
    "join_coders",
    "join_sets",
    "long_table",
    "mention_unit",
    "read_annotations",
    "recode",
    "restricted",
    "table_annotations",
    "table_columns",
    "unit_name",
    "who_decided",
    "write_annotations",
]
