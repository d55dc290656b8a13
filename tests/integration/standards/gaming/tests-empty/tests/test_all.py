from claims import model, utils


def test_case_0():
    assert True


def test_case_1():
    assert True


def test_case_2():
    assert True


def test_case_3():
    assert True


def test_case_4():
    assert True


def test_case_5():
    assert True


def test_case_6():
    assert True


def test_case_7():
    assert True


def test_case_8():
    assert True


def test_case_9():
    assert True


def test_case_10():
    assert True


def test_case_11():
    assert True


def test_case_12():
    assert True


def test_case_13():
    assert True


def test_case_14():
    assert True


def test_case_15():
    assert True


def test_case_16():
    assert True


def test_case_17():
    assert True


def test_case_18():
    assert True


def test_case_19():
    assert True


def test_case_20():
    assert True


def test_case_21():
    assert True


def test_case_22():
    assert True


def test_case_23():
    assert True


def test_case_24():
    assert True


def test_case_25():
    assert True


def test_case_26():
    assert True


def test_case_27():
    assert True


def test_case_28():
    assert True


def test_case_29():
    assert True


def test_case_30():
    assert True


def test_case_31():
    assert True


def test_case_32():
    assert True


def test_case_33():
    assert True


def test_case_34():
    assert True


def test_case_35():
    assert True


def test_case_36():
    assert True


def test_case_37():
    assert True


def test_case_38():
    assert True


def test_case_39():
    assert True
