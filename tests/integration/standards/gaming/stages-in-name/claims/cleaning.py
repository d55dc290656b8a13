"""The cleaning stage."""

from claims.model import run
from claims.utils import band, load, save

__all__ = ["band", "load", "run", "save"]


def cleaning(path, out):
    return run("cleaning", path, out)
