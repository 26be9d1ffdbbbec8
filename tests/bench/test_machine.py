"""Facts of the machine."""

from __future__ import annotations

import platform

from docreactor.bench.machine import machine


def test_a_machine_is_told_by_its_cores_its_python_and_its_versions() -> None:
    facts = machine()

    assert facts["cores"] >= 1
    assert facts["python"].endswith(platform.python_version())
    assert facts["versions"]["aiokafka"]
