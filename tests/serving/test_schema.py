"""Whatever a schema allows, and much that it does not, is never the server's fault: schemathesis over all routes.

pip install schemathesis && pytest -m slow tests/serving/test_schema.py
"""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Server

pytest.importorskip("schemathesis", reason="schemathesis is not installed")


@pytest.mark.slow
def test_no_generated_request_is_answered_with_5xx(writable: Server, tmp_path: Path) -> None:
    command = [Path(sys.executable).with_name("schemathesis"), "run", f"{writable.url}/openapi.json"]
    command += ["--checks", "not_a_server_error", "-n", "60", "--seed", "1", "--generation-database", "none"]
    command += ["--request-timeout", "120"]  # a busy machine is no fault
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-5_000:]
    assert "No errors" in done.stdout or "passed" in done.stdout
