"""Sizes, imports and words of the code."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from config import ROOT
from scripts import assets, house_numbers

#: Spelled in two parts, so that this file does not hold them.
BANNED = [
    "/" + "work/",
    "/" + "root/",
    "py" + "pi.org",
    "python" + "hosted",
    "registry." + "npmjs",
    "npmjs" + ".com",
    "deb." + "debian.org",
    "index" + "-url",
]
IGNORED = {
    ".git",
    ".hypothesis",
    ".venv",
    "node_modules",
    "instance",
    "vendor",
    "__pycache__",
    "test-results",
}
KINDS = {
    "", ".cfg", ".css", ".example", ".html", ".in", ".ini", ".js", ".json", ".md", ".mako", ".mjs",
    ".po", ".py", ".sql", ".toml", ".txt", ".yml",
}  # fmt: skip


def texts():
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        hidden = any(part in IGNORED or part.endswith("_cache") for part in parts)
        if path.is_file() and path.suffix in KINDS and not hidden:
            yield path


def test_functions_are_short():
    print(house_numbers.summary())
    found = house_numbers.all_functions()
    most = house_numbers.MOST_LINES_OF_A_FUNCTION
    assert [f"{one.place}: {one.lines}" for one in found if one.lines > most] == []


def test_functions_are_typed():
    assert [one.place for one in house_numbers.all_functions() if not one.typed] == []


def test_files_are_short():
    assert house_numbers.long_files() == []


def test_imports_keep_the_floors():
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program, "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_importing_the_application_starts_nothing(make_instance):
    code = "import wsgi, threading; print(threading.active_count())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=make_instance().env(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "1"


def test_texts_name_no_machine_and_no_package_host():
    pattern = re.compile("|".join(map(re.escape, BANNED)))
    found = [
        f"{path.relative_to(ROOT)}: {hit.group()}"
        for path in texts()
        for hit in pattern.finditer(path.read_text(errors="replace"))
    ]
    assert found == []


def test_make_help_lists_the_public_targets():
    assert shutil.which("make")
    listed = subprocess.run(
        ["make", "-C", ROOT, "help"], capture_output=True, text=True, check=True
    ).stdout
    wanted = "setup run scheduler test test-unit test-integration test-e2e faults bench check help"
    assert [name for name in wanted.split() if f"make {name} " not in listed] == []


def test_fonts_and_icons_are_there():
    """Without them pages still work, so that nothing else would notice."""
    files = assets.wanted_files()
    assert [str(name) for name in files if not (assets.VENDOR / name).is_file()] == []
