"""Two engines, one bill: the device's integers against fractions, on random tariffs."""

import pytest
from hypothesis import HealthCheck, given, settings

from wattledger.tests.host.exact_device import assert_equal
from wattledger.tests.host.exact_strategies import cases

MANY = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def compare(case):
    assert_equal(case.versions, case.dynamic, case.rows, case.used_wh)


@settings(MANY, max_examples=2000)
@given(cases())
def test_any_bill_is_that_of_the_exact_engine(case):
    compare(case)


@pytest.mark.nightly
@settings(MANY, max_examples=20000)
@given(cases())
def test_any_of_many_bills_is_that_of_the_exact_engine(case):
    compare(case)
