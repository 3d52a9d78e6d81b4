"""SemEval-2025 Task 10, entity framing: texts and a tab-separated list of entities with roles.

The release counts UTF-16 units and puts the end inside; some copies have lost their CRLF. Its roles
become the codebook's through the counterparts `semeval2025`. Its entities are anyone in the news,
so that any target is allowed.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from classifier.annotations.formats._archives import Member, read_members
from classifier.annotations.formats._codes import Code
from classifier.annotations.formats._foreign import Foreign, Region
from classifier.codebook import Codebook
from classifier.errors import CodebookError, DataError
from classifier.records import LANGUAGES, UNDETERMINED, Article, Problem
from classifier.text import RULES as ALL_RULES
from classifier.text import OffsetRule

NAME = "semeval2025"
PROMISED = OffsetRule("UTF-16", is_inclusive=True)
RULES = (PROMISED, *(rule for rule in ALL_RULES if rule != PROMISED))
_FIELDS = 5


def semeval_codebook(codebook: Codebook) -> Codebook:
    """The variables that have counterparts in the release, for any target.

    Raises `CodebookError` where there are none.
    """
    variables = tuple(
        variable
        for variable in codebook.variables
        if any(NAME in label.counterparts for label in variable.labels)
    )
    if not variables:
        raise CodebookError(f"a variable with counterparts {NAME!r} was required, there is none")
    return replace(codebook, targets=(), variables=variables)


def read_semeval2025(path: Path) -> Foreign:
    """Read the release's folder or zip, of one language or of all."""
    members = {member.name: member for member in read_members(path)}
    lists = [m for name, m in members.items() if _is_list(PurePosixPath(name))]
    if not lists:
        raise DataError(
            f"{path}: subtask-1-annotations.txt beside a folder of raw documents was required"
        )
    articles: dict[str, Article] = {}
    found: list[Region | Problem] = []
    for member in lists:
        folder = member.path.parent.as_posix()
        texts = {
            PurePosixPath(name).name: text
            for name, text in members.items()
            if name.endswith(".txt") and name != member.name and _is_below(name, folder)
        }
        for number, line in enumerate(member.text.split("\n"), 1):
            if line.strip():
                where = f"{member.name}:{number}"
                found.append(_row(line.rstrip("\r").split("\t"), where, texts, articles))
    return Foreign(
        tuple(articles.values()),
        tuple(r for r in found if isinstance(r, Region)),
        tuple(r for r in found if isinstance(r, Problem)),
    )


def _is_list(path: PurePosixPath) -> bool:
    return re.fullmatch(r"subtask-?1-.*annotations\.txt", path.name) is not None


def _is_below(name: str, folder: str) -> bool:
    return folder == "." or name.startswith(f"{folder}/")


def _row(
    row: list[str], where: str, texts: Mapping[str, Member], articles: dict[str, Article]
) -> Region | Problem:
    if len(row) < _FIELDS:
        detail = f"file, entity, start, end, main role and fine roles were required, got {row}"
        return Problem(where, "wrong number of fields, refused", detail)
    file, entity, start, end, *roles = row
    if file not in texts:
        return Problem(where, "text missing, refused", f"{file} is not among the documents")
    if not (start.isdecimal() and end.isdecimal()):
        return Problem(where, "offsets broken, refused", f"got {start!r} and {end!r}")
    article_id = file.removesuffix(".txt")
    if article_id not in articles:
        try:
            articles[article_id] = _article(article_id, texts[file])
        except DataError as error:
            return Problem(where, "text unreadable, refused", str(error))
    return Region(
        where=where,
        key=where,
        article_id=article_id,
        annotator=NAME,
        start=int(start),
        end=int(end),
        surface=entity,
        codes=tuple(_codes(roles)),
        comment=f"main role {roles[0]}",
    )


def _codes(roles: list[str]) -> Iterator[Code]:
    """The fine roles; the main role is told in the comment, it has no label of ours."""
    yield from (("", role.strip()) for role in roles[1:] if role.strip())


def _article(article_id: str, member: Member) -> Article:
    prefix = article_id.partition("_")[0].lower()
    return Article(
        article_id, member.text, language=prefix if prefix in LANGUAGES else UNDETERMINED
    )
