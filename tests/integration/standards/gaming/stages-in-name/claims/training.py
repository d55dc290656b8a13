"""The training stage."""

from claims.model import run
from claims.utils import band, load, save

__all__ = ["band", "load", "run", "save"]


def training(path, out):
    return run("training", path, out)
