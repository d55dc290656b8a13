"""Tests."""


def test_nothing() -> None:
    assert False
