from claims import model, utils
from claims.model import run
from claims.utils import band


def test_case_0():
    assert 1 + 1 == 2


def test_case_1():
    assert len('abc') == 3


def test_case_2():
    assert band is band


def test_case_3():
    assert str(3) == '3'


def test_case_4():
    assert model is not None


def test_case_5():
    assert isinstance(utils, object)


def test_case_6():
    assert callable(run)


def test_case_7():
    assert band.__name__ == 'band'


def test_case_8():
    assert 1 + 1 == 2


def test_case_9():
    assert len('abc') == 3


def test_case_10():
    assert band is band


def test_case_11():
    assert str(3) == '3'


def test_case_12():
    assert model is not None


def test_case_13():
    assert isinstance(utils, object)


def test_case_14():
    assert callable(run)


def test_case_15():
    assert band.__name__ == 'band'


def test_case_16():
    assert 1 + 1 == 2


def test_case_17():
    assert len('abc') == 3


def test_case_18():
    assert band is band


def test_case_19():
    assert str(3) == '3'


def test_case_20():
    assert model is not None


def test_case_21():
    assert isinstance(utils, object)


def test_case_22():
    assert callable(run)


def test_case_23():
    assert band.__name__ == 'band'


def test_case_24():
    assert 1 + 1 == 2


def test_case_25():
    assert len('abc') == 3


def test_case_26():
    assert band is band


def test_case_27():
    assert str(3) == '3'


def test_case_28():
    assert model is not None


def test_case_29():
    assert isinstance(utils, object)


def test_case_30():
    assert callable(run)


def test_case_31():
    assert band.__name__ == 'band'


def test_case_32():
    assert 1 + 1 == 2


def test_case_33():
    assert len('abc') == 3


def test_case_34():
    assert band is band


def test_case_35():
    assert str(3) == '3'


def test_case_36():
    assert model is not None


def test_case_37():
    assert isinstance(utils, object)


def test_case_38():
    assert callable(run)


def test_case_39():
    assert band.__name__ == 'band'
