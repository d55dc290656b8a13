"""The data stage."""

from claims.model import run
from claims.utils import band, load, save

__all__ = ["band", "load", "run", "save"]


def data(path, out):
    return run("data", path, out)
