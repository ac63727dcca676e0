"""`make run` from nothing: what a newcomer types, sees and stops."""

import os
import re
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from config import ROOT
from tests.support.browser import open_page
from tests.support.processes import environment, free_port, wait_until


class Run:
    """`make run` in a process group of its own, its output in a file."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / f"make-{self.port}.log"
        self.began = time.monotonic()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                ["make", "-C", ROOT, "run", f"PORT={self.port}", "WORKERS=1"],
                env=environment(folder, **settings),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self.log.read_text()

    def wait_ready(self, seconds: float = 60) -> float:
        """Seconds from the start to the line `ready …`."""
        line = f"ready {self.url}"
        wait_until(lambda: line in self.output.splitlines() or self.process.poll(), seconds)
        assert line in self.output.splitlines(), self.output
        return time.monotonic() - self.began

    def server_pid(self) -> int:
        pid = self.process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])

    def stop(self, number: int) -> int:
        """Signal the server and give what `make` ends with."""
        os.kill(self.server_pid(), number)
        return self.process.wait(40)

    def kill(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@pytest.fixture
def start(tmp_path):
    runs = []

    def begin(name="one", **settings):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        settings.setdefault("admin_password", None)
        runs.append(Run(folder, **settings))
        return runs[-1]

    yield begin
    for run in runs:
        run.kill()


def sign_in_line(run):
    return re.search(r"^sign-in (\S+) (\S+)$", run.output, re.MULTILINE)


def test_make_run_gives_a_product_to_sign_in_to_when_started_first(start, browser):
    run = start()
    run.wait_ready()
    name, password = sign_in_line(run).groups()
    with open_page(browser, run.url) as page:
        page.goto("/?lang=en")
        page.locator("[name=username]").fill(name)
        page.locator("[name=password]").fill(password)
        page.locator("[name=password]").press("Enter")
        page.wait_for_url(lambda url: "/sign-in" not in url)
    assert run.stop(signal.SIGTERM) == 0, run.output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_make_run_ends_with_zero_when_its_server_is_signalled(start, number):
    run = start(admin_password="a password for tests")
    run.wait_ready()
    assert run.stop(number) == 0, run.output


def test_make_run_drains_the_server_when_make_itself_is_signalled(start):
    run = start(admin_password="a password for tests")
    run.wait_ready()
    server = run.server_pid()
    run.process.terminate()
    run.process.wait(40)
    assert not Path(f"/proc/{server}").exists()


def test_make_run_starts_again_quickly_and_keeps_its_secret_to_itself(start):
    first = start()
    first.wait_ready()
    assert sign_in_line(first)
    assert first.stop(signal.SIGTERM) == 0
    second = start()
    assert second.wait_ready() < 20  # three to five seconds where nothing else runs
    assert not sign_in_line(second)
    assert second.stop(signal.SIGTERM) == 0


def test_make_run_serves_two_copies_when_folders_and_ports_differ(start):
    one, two = start("one"), start("two")
    for run in (one, two):
        run.wait_ready()
    assert sign_in_line(one)[2] != sign_in_line(two)[2]
    for run in (one, two):
        with urllib.request.urlopen(f"{run.url}/sign-in") as answer:
            assert answer.status == 200
        assert run.stop(signal.SIGTERM) == 0
