"""What ends the start of a process does so in one line."""

import subprocess
import sys

import pytest

from config import ROOT
from tests.support.processes import environment


@pytest.mark.parametrize("as_json", [False, True])
def test_start_ends_with_one_line_when_an_extra_module_is_missing(tmp_path, as_json):
    env = environment(tmp_path, jobs_extra_modules=("no.such.module",))
    command = [sys.executable, "-m", "flask", "jobs", "list", *(["--json"] if as_json else [])]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    said = done.stdout if as_json else done.stderr
    assert "JOBS_EXTRA_MODULES: no.such.module: No module named" in said
    assert "Traceback" not in done.stderr
    assert bool(done.stdout) is as_json
