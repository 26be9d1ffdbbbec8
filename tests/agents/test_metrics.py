"""What is counted and timed."""

from prometheus_client import generate_latest

from docreactor.agents.metrics import Metrics


def test_two_processes_figures_stay_apart() -> None:
    one, other = Metrics(), Metrics()
    one.operations.inc(3)
    assert b"docreactor_operations_total 3.0" in generate_latest(one.registry)
    assert b"docreactor_operations_total 0.0" in generate_latest(other.registry)


def test_what_the_operators_were_promised_is_there() -> None:
    text = generate_latest(Metrics().registry).decode()
    for name in (
        "docreactor_jobs",
        "docreactor_operations",
        "docreactor_batch_seconds",
        "docreactor_transaction_seconds",
        "docreactor_lag_records",
        "docreactor_restore_progress_ratio",
        "docreactor_errors",
    ):
        assert f"# HELP {name}" in text
