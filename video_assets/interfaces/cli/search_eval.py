"""`video-assets search eval`: how good the searches are, and how quick."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from rich.table import Table

from video_assets.interfaces.cli.meaning import needed_vectors
from video_assets.interfaces.cli.reading import NO_CATALOGUE, JsonOption, leave, reading
from video_assets.interfaces.cli.wording import cell, console, new_table, say, say_json, titled
from video_assets.search import queries
from video_assets.storage.postgres import Postgres

if TYPE_CHECKING:  # it brings numpy along
    from video_assets.search.evaluation import Evaluation


def evaluate(
    judged: Annotated[
        Path | None,
        typer.Option(
            "--judged",
            exists=True,
            dir_okay=False,
            help="YAML with questions and the clips that answer them.",
        ),
    ] = None,
    sample: Annotated[
        int, typer.Option("--sample", min=1, help="Ask about so many of the clips.")
    ] = 20,
    k: Annotated[int, typer.Option("--at", "-k", min=1, help="Look at so many answers.")] = 10,
    as_json: JsonOption = False,
) -> None:
    """Measure recall, nDCG and time of the searches, against exact search or against people.

    Without --judged, clips of the catalogue are the questions, and what a search finds of the
    best that reading every vector finds is its recall. With it, the questions of a file are asked:

    queries:
      - {text: harbour at dusk, clips: [A001_C003.mov, 9f2c41d0]}
      - {text: the speech, clips: [{clip: A002_C001.mov, grade: 3}, {clip: b.mp4, grade: 1}]}
    """
    with reading() as opened:
        if opened.browser is None:
            leave(NO_CATALOGUE)
        where = (opened.database, opened.owner)
        made = _exact(*where, sample, k) if judged is None else _judged(*where, judged, k)
    if as_json:
        say_json({"k": k, "evaluations": made})
        return
    console().print(titled(f"Search Evaluation at {k}", _table(made)))
    for each in made:
        worst = min(each.answers, key=lambda answer: answer.recall)
        if worst.recall < 1:
            say(f"{each.search} finds least of: {worst.text} ({worst.recall:.0%})")


def _exact(catalogue: Postgres, owner: UUID, sample: int, k: int) -> Sequence[Evaluation]:
    from video_assets.search.evaluation import evaluate_exact  # numpy, which only this needs

    made = evaluate_exact(catalogue, owner, sample=sample, k=k)
    if not made:
        leave(
            "no clip has vectors yet, so there is no search by meaning to hold against all of them"
        )
    return made


def _judged(catalogue: Postgres, owner: UUID, file: Path, k: int) -> Sequence[Evaluation]:
    from video_assets.search.evaluation import evaluate_judged
    from video_assets.search.judged import JudgedSetError, load_judged

    model = queries.model_in_use(catalogue, owner)
    try:
        questions = load_judged(file)
        embed = partial(needed_vectors, model) if model is not None else None
        return evaluate_judged(catalogue, owner, questions, k=k, embed=embed)
    except JudgedSetError as error:
        leave(str(error))


def _table(made: Sequence[Evaluation]) -> Table:
    table = new_table()
    table.add_column("Search")
    for heading in ("Questions", "Recall", "Lowest", "nDCG", "Median", "95 %"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in made:
        table.add_row(
            cell(each.search),
            f"{each.questions:,}",
            f"{each.recall:.3f}",
            f"{each.lowest_recall:.3f}",
            f"{each.ndcg:.3f}",
            f"{each.median_ms:.1f} ms",
            f"{each.p95_ms:.1f} ms",
        )
    return table
