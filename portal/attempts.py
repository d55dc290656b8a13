"""Gradings that are begun again until they end: by a result, or by saying why there is none."""

from __future__ import annotations

import logging
from collections.abc import Callable

from sqlalchemy.exc import OperationalError

from grader.errors import UserError
from portal.errors import said

ATTEMPTS = 3
"""How often a grading may be begun before it is given up."""
_log = logging.getLogger("drydock.grading")


def persist(
    what: str,
    begin: Callable[[], int | None],
    grade: Callable[[], None],
    give_up: Callable[[str], object],
) -> bool:
    """Grade something, whatever it takes within the bound.

    :param what: named in the log, should we fail
    :param begin: notes that it is begun, and returns how often it was so far; None where it has
        ended already
    :param grade: grades it, and records what came of it
    :param give_up: notes that no result will come, and why
    :return: whether it was begun here
    :raises OperationalError: the database is away; begun again, this counts
    """
    begun = False
    while (number := begin()) is not None:
        begun = True
        if _ended(what, number, grade, give_up):
            break
    return begun


def _ended(
    what: str, number: int, grade: Callable[[], None], give_up: Callable[[str], object]
) -> bool:
    """Try once, and return whether there is nothing more to try."""
    if number > ATTEMPTS:
        give_up(f"Grading was begun {ATTEMPTS} times, and never ended.")
        return True
    try:
        grade()
    except OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, who waits must be told
        own_fault = isinstance(error, UserError)
        if not own_fault:
            _log.exception("%s could not be graded.", what)
        if not own_fault and number < ATTEMPTS:
            return False
        give_up(said(error))
    return True
