"""Arguments and options that several commands take."""

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
CodebookFile = Annotated[Path | None, typer.Option(help="Your own codebook (TOML).")]
ArticlesPath = Annotated[Path, typer.Argument(help="Articles: a file or a folder.")]
SetFolder = Annotated[Path, typer.Argument(metavar="DIR", help="Annotation set.")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="Run folder.")]
NewRun = Annotated[Path, typer.Option(metavar="RUN", help="Run folder to write.")]
