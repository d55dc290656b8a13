"""The features stage."""

from claims.model import run
from claims.utils import band, load, save

__all__ = ["band", "load", "run", "save"]


def features(path, out):
    return run("features", path, out)
