from claims.utils import band


def test_band():
    assert band(17) == "child"
