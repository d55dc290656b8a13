"""The reporting stage."""

from claims.model import run
from claims.utils import band, load, save

__all__ = ["band", "load", "run", "save"]


def reporting(path, out):
    return run("reporting", path, out)
