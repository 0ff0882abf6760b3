from evenly import Ledger, Transfer


def test_two_friends_settle_with_one_transfer():
    ledger = Ledger()
    ledger.pay("Ana", 5000, {"Ana": 1, "Ben": 1})
    assert ledger.settle() == [Transfer("Ben", "Ana", 2500)]


def test_bills_in_both_directions_cancel_out():
    ledger = Ledger()
    ledger.pay("Ana", 4000, {"Ana": 1, "Ben": 1})
    ledger.pay("Ben", 4000, {"Ana": 1, "Ben": 1})
    assert ledger.settle() == []


def test_dinner_for_three_settles_to_the_last_cent():
    ledger = Ledger()
    ledger.pay("Ana", 10000, {"Ana": 1, "Ben": 1, "Cleo": 1})
    assert sum(transfer.cents for transfer in ledger.settle()) == 6666
