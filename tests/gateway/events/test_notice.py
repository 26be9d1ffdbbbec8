"""What subscribers are told."""

from typing import get_args

from docreactor.gateway.events.notice import CREATED, DELETED, RELATED, UPDATED, EventName


def test_every_event_has_a_name_of_its_own() -> None:
    assert get_args(EventName) == (CREATED, UPDATED, DELETED, RELATED)
