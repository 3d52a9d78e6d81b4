"""What the words on the page mean; docs/glossary.md has these and more."""

GLOSSARY = {
    "advantage probability": "chance that the model does at least as well as a random annotator, "
    "judged by the other annotators' labels",
    "alpha": "Krippendorff's alpha: 1 is perfect agreement, 0 what chance would bring",
    "corrected": "the model's figure for all articles, mended by the labels of the coded ones",
    "ece equal mass": "calibration error: the mean gap between a probability and the share that "
    "came true, in bins of equally many forecasts",
    "epsilon": "how much further from the other annotators the model may be, for its low cost",
    "labels only": "the annotators' labels of the coded articles, without the model",
    "macro f1": "the mean of the F1 of all labels, each counted the same",
    "majority class": "a predictor that always gives the most frequent label",
    "model only": "the model's figure, with its errors in it",
    "verdict": "what a reader may do with the figure of the row",
    "voice": "whose words a mention stands in: the author's, quoted or attributed ones",
    "winning rate": "share of annotators whom the model replaces in the alternative annotator "
    "test; passed from .5",
    "winning rate clustered": "the same, with articles as clusters: the one to trust",
}
"""Words that head a column or stand in a sentence, and what they mean."""
