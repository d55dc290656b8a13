"""The scoring stage."""

from claims.model import run
from claims.utils import band, load, save

__all__ = ["band", "load", "run", "save"]


def scoring(path, out):
    return run("scoring", path, out)
