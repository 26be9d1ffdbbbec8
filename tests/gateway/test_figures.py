"""What is counted of calls."""

from __future__ import annotations

from prometheus_client import generate_latest

from docreactor.gateway.figures import Figures


def test_calls_are_timed_and_refusals_counted_by_name() -> None:
    figures = Figures()
    figures.called("GET", "/v1/models", 200, 0.003)
    figures.called("GET", None, 404, 0.001)
    figures.refused("UnknownRoute")

    told = generate_latest(figures.registry).decode()

    assert 'seconds_bucket{le="0.005",method="GET",route="/v1/models",status="200"} 1.0' in told
    assert 'seconds_count{method="GET",route="(none)",status="404"} 1.0' in told
    assert 'docreactor_http_refusals_total{name="UnknownRoute"} 1.0' in told


def test_two_applications_of_one_process_count_for_themselves() -> None:
    first, second = Figures(), Figures()
    first.refused("TooBusy")

    assert b"TooBusy" not in generate_latest(second.registry)


def test_streams_of_events_are_counted_while_they_are_open_and_by_what_they_are_sent() -> None:
    figures = Figures()

    with figures.subscriber():
        assert figures.registry.get_sample_value("docreactor_event_subscribers") == 1.0
    figures.told(["document.created", "document.created"])
    figures.overflowed()

    sample = figures.registry.get_sample_value
    assert sample("docreactor_event_subscribers") == 0.0
    assert sample("docreactor_events_total", {"event": "document.created"}) == 2.0
    assert sample("docreactor_event_overflows_total") == 1.0
