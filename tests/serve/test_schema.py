"""Hundreds of generated requests, allowed and forbidden by the OpenAPI document: none makes the server fail."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.serve.conftest import Server


def test_no_generated_request_makes_the_server_fail(server: Server, tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("schemathesis")
    ran = subprocess.run(
        [command, "run", f"{server.url}/openapi.json", "--checks",
         "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
         "--max-examples", "40", "--seed", "0", "--generation-database", "none", "--no-color"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
        env={**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": str(tmp_path)},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"Tested: +9\n", ran.stdout), ran.stdout
