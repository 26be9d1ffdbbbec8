"""What users import to test their models, and whether its documentation runs."""

import re
import subprocess
import sys
from pathlib import Path

import docreactor.gateway.testing
import docreactor.testing

DOCUMENTATION = Path(__file__).parent.parent / "docs" / "testing.md"
INI = """[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
filterwarnings = error
"""


def test_it_offers_the_model_alone_a_whole_reactor_and_a_write_cache() -> None:
    offered = ["KeyValueContract", "create_test_write_cache", "play", "reactor"]
    assert docreactor.testing.__all__ == offered
    assert docreactor.testing.create_test_write_cache is (
        docreactor.gateway.testing.create_test_write_cache
    )
    assert docreactor.testing.play is docreactor.gateway.testing.play
    assert docreactor.testing.reactor is docreactor.gateway.testing.reactor


def test_the_examples_of_its_documentation_run(tmp_path: Path) -> None:
    examples = re.findall(r"```python\n(.*?)```", DOCUMENTATION.read_text(), re.DOTALL)
    (tmp_path / "test_examples.py").write_text("\n\n".join(examples))
    (tmp_path / "pytest.ini").write_text(INI)
    pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    run = subprocess.run(pytest, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout
    assert f"{len(re.findall('def test_', DOCUMENTATION.read_text()))} passed" in run.stdout
