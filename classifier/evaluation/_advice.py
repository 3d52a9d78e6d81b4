"""One paragraph: which predictor to use, and why figures that seem to differ do not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from classifier.evaluation._annotators import Copied
from classifier.evaluation._tables import Row
from classifier.paper import cell, number
from classifier.records import Estimate, counted


@dataclass(frozen=True)
class Facts:
    """What the paragraph is about: one variable."""

    variable: str
    rows: Mapping[str, Row]
    """By predictor."""
    order: tuple[str, ...]
    best: tuple[str, ...]
    pairs: tuple[Row, ...]
    """Differences in the measure that predictors are ranked by."""
    copied: tuple[Copied, ...]
    n_annotators: int
    epsilon: float

    @property
    def measure(self) -> str:
        """What predictors are ranked by."""
        return self.pairs[0].keys["measure"] if self.pairs else "alpha"

    @property
    def measure_title(self) -> str:
        """What predictors are ranked by, in words."""
        if self.measure == "macro_f1":
            return "macro-F1 against gold"
        return "alpha with the annotators" if self.n_annotators > 1 else "alpha with the annotator"

    def figure(self, predictor: str, name: str) -> Estimate | None:
        """A figure of a predictor."""
        return self.rows[predictor].estimates.get(name)

    def value(self, predictor: str, name: str) -> float | None:
        """Its value, if it has one."""
        figure = self.figure(predictor, name)
        return None if figure is None else figure.value


_TOLD = 2
"""Predictors that the paragraph names if there are many."""
MOST_WORDS = 130
"""A paragraph that is longer is not read."""


def advice(facts: Facts, taken: int = 0) -> str:
    """The whole paragraph, beside which other variables take some words.

    Where all would have `MOST_WORDS` words or more, the sentences that matter least are left out.
    Their figures are in the tables.
    """
    parts = [
        list(part(facts))
        for part in (
            _which,
            _order,
            _cheaper,
            _ceiling,
            _winning,
            _other_measure,
            _calibrated,
            _copies,
            _coverage,
        )
    ]
    for least in _LEAST_FIRST:
        if taken + sum(len(said.split()) for part in parts for said in part) < MOST_WORDS:
            break
        parts[least] = []
    return " ".join(said for part in parts for said in part)


_LEAST_FIRST = (6, 5, 8, 3)
"""Calibration, the other measure, what all rests on, the ceiling."""


def brief_advice(facts: Facts) -> str:
    """The advice in short, for a further variable."""
    return " ".join([*_which(facts), *_order(facts), *_copies(facts)])


def _which(facts: Facts) -> Iterator[str]:
    first, rest = facts.best[0], facts.best[1:]
    value = facts.figure(first, facts.measure)
    if first in {one.predictor for one in facts.copied}:
        yield f"For {facts.variable} no predictor can be recommended: each repeats an annotator."
        return
    if value is None or value.value is None:
        why = "there are no figures" if value is None else value.status
        yield f"For {facts.variable} no predictor can be recommended: {why}."
        return
    if not any(row.numbers for row in facts.pairs):
        why = next((r.estimates["difference"].interval_status for r in facts.pairs), "no pairs")
        yield (
            f"For {facts.variable}, {first} has the highest {facts.measure_title}, {cell(value)}, "
            f"but nothing says whether that is chance ({why}): code more articles."
        )
    elif rest:
        listed = _named(facts.best)
        yield (
            f"For {facts.variable}, these labels cannot tell {listed} apart: use either"
            if len(facts.best) == 2
            else f"For {facts.variable}, these labels cannot tell {listed} apart: use any of them"
        ) + f", and choose by cost. {first} has the highest {facts.measure_title}, {cell(value)}."
    else:
        yield f"For {facts.variable} use {first}: its {facts.measure_title} is {cell(value)}."


def _order(facts: Facts) -> Iterator[str]:
    first = facts.order[0]
    skipped = {*facts.best, *(one.predictor for one in facts.copied)}
    gaps = [(n, _gap(facts, first, n)) for n in facts.order[1:] if n not in skipped]
    told = [f"{name} by {cell(gap)}" for name, gap in gaps if gap is not None]
    if told:
        others = [f"{len(told) - _TOLD} more"] if len(told) > _TOLD else []
        listed = _enumerated([*told[:_TOLD], *others])
        yield f"It is above {listed} (on the same mentions; intervals by Holm)."


def _cheaper(facts: Facts) -> Iterator[str]:
    if len(facts.best) < 2:
        return
    for name, unit in (("cost_per_thousand", "cost"), ("seconds_per_thousand", "seconds")):
        spent = {one: facts.rows[one].numbers.get(name) for one in facts.best}
        known = {one: value for one, value in spent.items() if value is not None}
        if len(known) == len(facts.best) and len(set(known.values())) > 1:
            least = min(known, key=lambda one: known[one])
            most = max(known.values())
            yield (
                f"Of these {least} takes least: {unit} {known[least]:.3g} a thousand mentions, "
                f"against up to {most:.3g}."
            )
            return


def _ceiling(facts: Facts) -> Iterator[str]:
    first = facts.order[0]
    if facts.n_annotators < 2:
        yield (
            "One annotator coded: how far people agree is unknown, and so is how much better a "
            "predictor could be."
        )
        return
    humans, gap = facts.figure(first, "alpha_annotators"), facts.figure(first, "alpha_difference")
    if humans is None or humans.value is None or gap is None or gap.value is None:
        return
    said = f"The annotators reach {cell(humans)} with each other"
    if gap.high is not None and gap.high < 0:
        yield f"{said}; {first} stays below that by {cell(_turned(gap))}."
    elif gap.low is not None and gap.low > 0:
        yield f"{said}; {first} is above that by {cell(gap)}."
    else:
        yield f"{said}; {first} differs from that by {cell(gap)}, which may be chance."


def _winning(facts: Facts) -> Iterator[str]:
    rates = {name: facts.figure(name, "winning_rate") for name in facts.order}
    if any(rate is not None and rate.status.startswith("not shown") for rate in rates.values()):
        yield (
            f"No winning rate of the alternative annotator test is shown: at epsilon = "
            f"{number(facts.epsilon)} the majority class, which reads nothing, passes too."
        )
        return
    passing = [n for n, rate in rates.items() if rate is not None and (rate.value or 0.0) >= 0.5]
    below = [name for name in passing if _is_below(facts, name)]
    if not passing:
        return
    shown = sorted({number(rate.value or 0.0) for n in passing if (rate := rates[n]) is not None})
    known = " to ".join([shown[0], *shown[1:][-1:]])
    test = f"the alternative annotator test (epsilon = {number(facts.epsilon)}: {known})"
    yield _reconciled(facts, below, test) if below else f"{_named(tuple(passing))} passed {test}."
    if facts.n_annotators == 2:
        yield ("With two annotators nothing shows who is right where they differ; a third would.")


def _reconciled(facts: Facts, below: list[str], test: str) -> str:
    points = round(100 * facts.epsilon)
    is_one = len(below) == 1
    who = "it" if is_one else "they"
    passes, stays = ("passes", "stays") if is_one else ("pass", "stay")
    return (
        f"That {_named(tuple(below))} {passes} {test} but {stays} below the annotators in alpha is "
        f"no contradiction: the test grants {points} points of mentions for lower cost, alpha "
        f"nothing. So {who} may stand in for one annotator, with noisier labels."
    )


def _other_measure(facts: Facts) -> Iterator[str]:
    n_gold = facts.rows[facts.order[0]].counts["n_gold"]
    by_f1 = max(facts.order, key=lambda name: facts.value(name, "macro_f1") or -1.0)
    if facts.measure == "alpha" and by_f1 not in facts.best and n_gold:
        yield (
            f"{by_f1} has the highest macro-F1 against gold, which weighs rare labels and small "
            "errors like all others; alpha does not."
        )


def _calibrated(facts: Facts) -> Iterator[str]:
    known = [
        (v, name) for name in facts.order if (v := facts.value(name, "ece_equal_mass")) is not None
    ]
    if known:
        said = ", ".join(f"{name} {number(value)}" for value, name in sorted(known))
        yield f"Chances given are off by (ECE, lower is better): {said}."


def _copies(facts: Facts) -> Iterator[str]:
    for one in facts.copied:
        yield copied_words(one)


def copied_words(one: Copied) -> str:
    """That a predictor repeats an annotator, and what follows."""
    return (
        f"{one.predictor} gives the label of {one.annotator} at {one.share:.0%} of the mentions, "
        f"while the annotators share {one.among:.0%}: it repeats that annotator and is not ranked, "
        "since its figures do not say how it would label on its own."
    )


def _coverage(facts: Facts) -> Iterator[str]:
    row = facts.rows[facts.order[0]]
    missing = [
        f"{name} {facts.rows[name].counts['n_not_answered']}"
        for name in facts.order
        if facts.rows[name].counts["n_not_answered"]
    ]
    n, n_gold = row.counts["n_items"], row.counts["n_gold"]
    rests = f"{counted(n, 'mention')} in {counted(row.counts['n_articles'], 'article')}"
    easier = f"; gold holds the {n_gold} easier ones, which annotators settle"
    left = f"; coded mentions without an answer: {', '.join(missing)}" if missing else ""
    yield f"All rests on {rests} that all answered{easier if n_gold < n else ''}{left}."


def _gap(facts: Facts, first: str, second: str) -> Estimate | None:
    for row in facts.pairs:
        figure = row.estimates["difference"]
        if (row.keys["first"], row.keys["second"]) == (first, second):
            return figure if figure.value is not None else None
        if (row.keys["second"], row.keys["first"]) == (first, second):
            return _turned(figure) if figure.value is not None else None
    return None


def _turned(figure: Estimate) -> Estimate:
    """The difference the other way round."""
    value, low, high = figure.value, figure.low, figure.high
    return Estimate(
        None if value is None else -value,
        figure.status,
        low=None if high is None else -high,
        high=None if low is None else -low,
        interval_status=figure.interval_status,
    )


def _is_below(facts: Facts, name: str) -> bool:
    gap = facts.figure(name, "alpha_difference")
    return gap is not None and gap.high is not None and gap.high < 0


def _named(names: tuple[str, ...]) -> str:
    more = [f"{len(names) - _TOLD} more"] if len(names) > _TOLD + 1 else []
    return _enumerated([*names[:_TOLD], *more] if more else list(names))


def _enumerated(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
