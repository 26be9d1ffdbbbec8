"""Where an assigned partition stands."""

import pytest

from docreactor.agents.phase import Phase


def test_a_life_goes_down_the_list_step_by_step() -> None:
    phase = Phase.ASSIGNED
    for following in list(Phase)[1:]:
        phase = phase.to(following)
    assert phase is Phase.CLOSED


@pytest.mark.parametrize("phase", [one for one in Phase if one.value < Phase.CLOSING.value])
def test_a_revocation_may_close_a_life_at_any_step(phase: Phase) -> None:
    assert phase.to(Phase.CLOSING) is Phase.CLOSING


@pytest.mark.parametrize(
    ("phase", "following"),
    [
        (Phase.RUNNING, Phase.RESTORING),
        (Phase.CLOSED, Phase.ASSIGNED),
        (Phase.ASSIGNED, Phase.RUNNING),
        (Phase.FENCING, Phase.OPENING),
    ],
)
def test_no_step_is_skipped_or_taken_back(phase: Phase, following: Phase) -> None:
    with pytest.raises(ValueError, match=f"from {phase.name} to {following.name}"):
        phase.to(following)
