"""The command line: train, score in batch, and report how close the port is."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

from healthtariff import artefact
from healthtariff.data import InputError, read_table
from healthtariff.files import write_whole
from healthtariff.reporting import compare, pair, report
from healthtariff.scoring import score
from healthtariff.training import train

BAD_INPUT = 2
"""Exit status when the input, not the program, is at fault."""

_log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, or 2 with one line on bad input."""
    logging.basicConfig(format="healthtariff: %(message)s", level=logging.INFO)
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except InputError as error:
        _log.error("%s", error)
        return BAD_INPUT
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="healthtariff", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("train", help="fit on a folder of training data")
    command.add_argument("--data", type=Path, required=True, help="folder of the training data")
    command.add_argument("--model", type=Path, required=True, help="file to write the model to")
    command.set_defaults(run=_train)

    command = commands.add_parser("score", help="answer every row of a table")
    _add_scoring_options(command)
    command.set_defaults(run=_score)

    command = commands.add_parser(
        "report", help="hold answers against the legacy model's, in figures and pictures"
    )
    _add_scoring_options(command)
    command.add_argument("--expected", type=Path, required=True, help="CSV of recorded answers")
    command.set_defaults(run=_report)
    return parser


def _add_scoring_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--model", type=Path, required=True, help="file that training wrote")
    command.add_argument("--input", type=Path, required=True, help="CSV of rows to answer")
    command.add_argument("--output", type=Path, required=True, help="file to write")


def _train(options: argparse.Namespace) -> None:
    trained = train(options.data)
    artefact.save(trained, options.model)
    _log.info("trained on %d rows", trained.lineage.data_rows)


def _score(options: argparse.Namespace) -> None:
    answers = score(artefact.load(options.model), read_table(options.input))
    write_whole(options.output, answers.to_csv(index=False).encode())


def _report(options: argparse.Namespace) -> None:
    from healthtariff.plots import draw_parity  # noqa: PLC0415 - slow to load, not for scoring

    trained = artefact.load(options.model)
    answers = score(trained, read_table(options.input))
    pairs = pair(answers, read_table(options.expected))
    write_whole(options.output, report(compare(pairs), trained.lineage).encode())
    for name, picture in draw_parity(pairs):
        write_whole(options.output.with_name(name), picture)
