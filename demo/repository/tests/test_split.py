import pytest

from evenly import split


def test_equal_weights():
    assert split(9000, {"Ana": 1, "Ben": 1, "Cleo": 1}) == {"Ana": 3000, "Ben": 3000, "Cleo": 3000}


def test_a_couple_pays_for_two():
    assert split(9000, {"Ana and Ben": 2, "Cleo": 1}) == {"Ana and Ben": 6000, "Cleo": 3000}


def test_weight_zero_eats_for_free():
    assert split(700, {"Ana": 1, "the dog": 0}) == {"Ana": 700, "the dog": 0}


def test_somebody_has_to_pay():
    with pytest.raises(ValueError, match="somebody"):
        split(100, {})
