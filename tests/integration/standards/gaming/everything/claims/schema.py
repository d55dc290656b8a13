"""The schema stage."""

from claims.model import run
from claims.utils import band, load, save

__all__ = ["band", "load", "run", "save"]


def schema(path, out):
    return run("schema", path, out)
