"""From several annotators' labels to one: gold, or the reason why there is none."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import pandas as pd

from classifier.annotations._table import CURATED, AnnotationSet, Value
from classifier.codebook import Variable
from classifier.errors import DataError
from classifier.intervals import marks

Status = Literal["ok", "tie", "not coded"]
Vote = str | frozenset[str] | bool
Votes = Sequence[Any]
"""What the annotators say who have a say, the most trusted first if there is an order."""


@dataclass(frozen=True)
class _Rule:
    decide: Callable[[Votes, bool], Any]
    """Settles votes, given whether each is a set of labels; None if they do not settle it."""
    order: tuple[str, ...] = ()
    """The annotators who have a say; empty for all."""

    def heard(self, group: list[dict[str, Any]], column: str) -> list[dict[str, Any]]:
        """The rows that decide: curated ones first, unless the rule names who has a say."""
        if self.order:
            return group
        curated = [row for row in group if row["annotator"] == CURATED]
        said = [row for row in curated if row[column] is not None]
        return said or [row for row in group if row["annotator"] != CURATED]

    def votes(self, group: list[dict[str, Any]], column: str) -> Votes:
        """The votes on a mention that are not null."""
        heard = self.heard(group, column)
        said = {row["annotator"]: row[column] for row in heard if row[column] is not None}
        return [said[name] for name in self.order or said if name in said]


RULES = 'majority, unanimous, "annotator:NAME" and "priority:FIRST,SECOND"'


def adjudicate(annotation_set: AnnotationSet, rule: str | None = None) -> pd.DataFrame:
    """One row per mention with its gold labels.

    A mention that most of its annotators flag as `not_target` keeps the flag and no labels; where
    just as many flag it as not, every variable is a tie. The labels of those who flag it do not
    count. Curated labels win over all annotators' under `majority` and `unanimous`; the rules that
    name annotators take `curated` for a name like any other.

    Args:
        annotation_set: whose labels to adjudicate.
        rule: `majority` takes the label named most often, for a set variable every label that more
            than half of the annotators give, and leaves ties unresolved; `unanimous` takes what
            all agree on; `annotator:NAME` takes that annotator's; `priority:FIRST,SECOND` takes
            the first of these who coded it. By default the rule of the set.

    Returns:
        Columns `unit, article_id, start, end, target, surface`, each variable with its
        `status_<variable>` ("ok", "tie", "not coded"), `not_target` and `n_annotators`. A set
        variable also has `settled_<variable>`: for each of its labels that the rule settles, as
        a question of its own, whether it applies; one tied label ties the set, not the others.

    Raises:
        DataError: there is no such rule, or it names an annotator who is not in the set.
    """
    known = (*annotation_set.annotators, *([CURATED] if annotation_set.n_curated else []))
    chosen = _rule(rule or annotation_set.adjudication, known)
    variables = annotation_set.codebook.variables
    by_unit: dict[str, list[dict[str, Any]]] = {}
    for row in annotation_set.table.to_dict("records"):
        by_unit.setdefault(row["unit"], []).append(row)
    rows = [_gold_row(group, variables, chosen) for group in by_unit.values()]
    names = [name for v in variables for name in (v.name, f"status_{v.name}")]
    settled = [f"settled_{v.name}" for v in variables if v.kind == "set"]
    columns = [*_UNIT, *names, *settled, "not_target", "n_annotators"]
    kinds = {"start": "int64", "end": "int64", "not_target": "bool", "n_annotators": "int64"}
    return pd.DataFrame(
        {c: pd.Series([row[c] for row in rows], dtype=kinds.get(c, "object")) for c in columns}
    )


def gold_with_chances(annotation_set: AnnotationSet) -> pd.DataFrame:
    """Gold by the set's rule, with the chance that an article was drawn if it is known."""
    articles = annotation_set.article_by_id
    gold = adjudicate(annotation_set)
    chances = [articles[name].sampling_probability for name in gold["article_id"]]
    return gold.assign(sampling_probability=pd.Series(chances, index=gold.index, dtype=float))


def who_decided(annotation_set: AnnotationSet, gold: pd.DataFrame | None = None) -> str:
    """A sentence on the rule by which gold is made, whom it hears, and what became of ties.

    Args:
        annotation_set: Whose labels were adjudicated.
        gold: What `adjudicate` made of them, if that is known already.
    """
    rule = annotation_set.adjudication
    gold = adjudicate(annotation_set) if gold is None else gold
    n_curated, names_people = annotation_set.n_curated, ":" in rule
    told = f"gold by {rule}, of {len(gold)} mentions"
    if n_curated:
        named = [name.strip() for name in rule.partition(":")[2].split(",")]
        if not names_people:
            said = "go first"
        elif CURATED in named:
            said = f"are number {named.index(CURATED) + 1} in the order"
        else:
            said = f"are not heard; name {CURATED} in the rule, or use majority"
        told += f"; {n_curated} curated labels {said}"
    return "; ".join([told, *_ties(annotation_set, gold)])


def _ties(annotation_set: AnnotationSet, gold: pd.DataFrame) -> Iterator[str]:
    """How many mentions the annotators tie on, variable by variable, and what became of them."""
    table, rule = annotation_set.table, annotation_set.adjudication
    people = replace(annotation_set, table=table[table["annotator"] != CURATED])
    by_people = adjudicate(people, "majority").set_index("unit")
    decided, left = [], []
    for variable in annotation_set.codebook.variables:
        status = gold.set_index("unit")[f"status_{variable.name}"]
        tied = by_people.index[by_people[f"status_{variable.name}"] == "tie"]
        n_decided = int((status.reindex(tied) == "ok").sum())
        n_left, n_coded = int((status == "tie").sum()), int((status != "not coded").sum())
        decided += [f"{variable.name} {n_decided} of {n_coded}"] if n_decided else []
        left += [f"{variable.name} {n_left} of {n_coded}"] if n_left else []
    if decided:
        who = f"the rule {rule}" if ":" in rule else "curated labels"
        yield f"ties between annotators that {who} decided: {', '.join(decided)}"
    if left:
        why = "not unanimous" if rule == "unanimous" else "tied"
        yield (
            f"{why}, so without gold and in no figure against it: {', '.join(left)} "
            "(curated labels or a rule such as priority:FIRST,SECOND decide them)"
        )


def flagged(gold: pd.DataFrame) -> "pd.Series[bool]":
    """Which rows of gold are flagged as no mention of the target; a blank is no flag.

    Raises `DataError` for a flag that is neither True nor False, such as text.
    """
    flags = gold["not_target"].astype(object)
    return pd.Series(marks(flags.where(flags.notna(), False), "not_target"), gold.index)


def long_table(annotation_set: AnnotationSet, variable: str) -> pd.DataFrame:
    """What agreement is computed from: columns `unit, article, annotator, label`.

    Rows where the variable was not coded, rows flagged `not_target`, and curated rows are left out.
    """
    annotation_set.codebook.variable(variable)
    table = annotation_set.table
    coded = table[table[variable].notna() & ~table["not_target"] & (table["annotator"] != CURATED)]
    return pd.DataFrame(
        {
            "unit": coded["unit"],
            "article": coded["article_id"],
            "annotator": coded["annotator"],
            "label": coded[variable],
        }
    ).reset_index(drop=True)


_UNIT = ("unit", "article_id", "start", "end", "target", "surface")


def _gold_row(
    group: list[dict[str, Any]], variables: tuple[Variable, ...], rule: _Rule
) -> dict[str, Any]:
    n_annotators = sum(row["annotator"] != CURATED for row in group)
    flags = rule.votes(group, "not_target")
    is_flagged = rule.decide(flags, False) if flags else False
    heard = [] if is_flagged else [row for row in group if not row["not_target"]]
    gold = {name: group[0][name] for name in _UNIT}
    for variable in variables:
        value, status = _decision(rule, heard, variable)
        if is_flagged is None:
            value, status = None, "tie"
        gold |= {variable.name: value, f"status_{variable.name}": status}
        if variable.kind == "set":
            heard_on = [] if is_flagged is None else heard
            gold[f"settled_{variable.name}"] = _settled(rule, heard_on, variable)
    return gold | {"not_target": bool(is_flagged), "n_annotators": n_annotators}


def _decision(rule: _Rule, group: list[dict[str, Any]], variable: Variable) -> tuple[Value, Status]:
    votes = rule.votes(group, variable.name)
    if not votes:
        return None, "not coded"
    value = rule.decide(votes, variable.kind == "set")
    return value, "tie" if value is None else "ok"


def _settled(
    rule: _Rule, group: list[dict[str, Any]], variable: Variable
) -> dict[str, bool] | None:
    """Whether each label of a set applies, without those that the votes leave open."""
    votes = rule.votes(group, variable.name)
    if not votes:
        return None
    answers = {name: rule.decide([name in v for v in votes], False) for name in variable.names}
    return {name: answer for name, answer in answers.items() if answer is not None}


def _rule(name: str, annotators: tuple[str, ...]) -> _Rule:
    simple = {"majority": _Rule(_majority), "unanimous": _Rule(_unanimous)}
    if name in simple:
        return simple[name]
    kind, _, rest = name.partition(":")
    if kind not in ("annotator", "priority") or not rest:
        raise DataError(f"the rules of adjudication are {RULES}; got {name!r}")
    order = (rest,) if kind == "annotator" else tuple(part.strip() for part in rest.split(","))
    unknown = sorted(set(order) - set(annotators))
    if unknown:
        known = ", ".join(annotators) or "nobody"
        raise DataError(f"rule {name!r} needs annotators of this set ({known}); got {unknown}")
    return _Rule(lambda votes, is_set: votes[0], order)


def _majority(votes: Votes, is_set: bool) -> Vote | None:
    if is_set:
        return _set_majority(votes)
    ranked = Counter(votes).most_common(2)
    is_tied = len(ranked) > 1 and ranked[0][1] == ranked[1][1]
    return None if is_tied else ranked[0][0]


def _set_majority(votes: Votes) -> frozenset[str] | None:
    counts = Counter(label for value in votes for label in value)
    if any(2 * n == len(votes) for n in counts.values()):
        return None
    return frozenset(label for label, n in counts.items() if 2 * n > len(votes))


def _unanimous(votes: Votes, is_set: bool) -> Vote | None:
    return votes[0] if len(set(votes)) == 1 else None
