"""Whether this process may still answer for a partition."""

from docreactor.agents.lease import Lease


class _Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_lease_that_was_never_proved_is_not_held() -> None:
    assert not Lease(3.0, _Time()).held()


def test_a_proof_holds_from_the_moment_before_the_transaction_began() -> None:
    time = _Time()
    lease = Lease(3.0, time)
    moment = lease.moment()
    time.now += 2.5  # the transaction took that long, or the process stood still inside it
    lease.prove(moment)
    assert lease.held()
    time.now += 0.6
    assert not lease.held()


def test_time_in_which_the_process_stood_still_ends_the_lease() -> None:
    time = _Time()
    lease = Lease(3.0, time)
    lease.prove(lease.moment())
    time.now += 60.0
    assert not lease.held()


def test_a_new_proof_is_due_after_a_third_of_the_lease() -> None:
    time = _Time()
    lease = Lease(3.0, time)
    assert lease.due()
    lease.prove(lease.moment())
    assert not lease.due()
    time.now += 1.0
    assert lease.due()


def test_a_dropped_lease_is_not_held() -> None:
    lease = Lease(3.0, _Time())
    lease.prove(lease.moment())
    lease.drop()
    assert not lease.held()
