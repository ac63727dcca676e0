"""Takes the pictures of the guide and the README; run by `make pictures`.

They show a private copy of the product with its sample unit on a fixed day. What the sample unit
lacks, a broker that was away for two of its days, is added; all of it is invented.
"""

import io
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from k9ops.core.settings import CHANGEABLE
from tests.support.browser import launch, open_page
from tests.support.people import Person
from tests.support.processes import Instance, Server
from tests.support.redis import RedisServer
from tests.support.walking import sign_in

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "pictures"
#: Tuesday 17 November 2026, 09:10 in Riyadh; and when the backups of the nights before were made.
DAY = datetime(2026, 11, 17, 6, 10, tzinfo=UTC)
NIGHTS = [datetime(2026, 11, day, 23, tzinfo=UTC) for day in (14, 15, 16)]
ADMIN = Person("admin", "", "administrator", "a kennel beside the quiet gate")
COLOURS = 128
#: Seconds for one command, on a busy machine too.
PATIENCE = 300
LANGUAGES = ("en", "ar")
CLEAN_UP = "notifications.cleanup_old_notifications"
OF_NO_PROJECT = (
    *("reports.generate_pdf_report", "--arg", "report=duty_schedule"),
    *("--arg", 'arguments={"project": "OAX"}'),
)
BACK_UP = "/jobs/backups.run_automated_backup"


@dataclass(frozen=True)
class Shot:
    """A picture: the page, what is pressed on it, and what must stand there then."""

    name: str
    path: str
    height: int = 800
    press: str = ""
    wait: str = "h1"


GUIDE = (
    Shot("home", "/", 900),
    Shot("project", "/projects/1", 760),
    Shot("day", "/schedules/355", 900),
    Shot("locked", "/schedules/335", 720),
    Shot("jobs", "/jobs", 720),
    Shot("run", "/runs?state=failed&job=schedules.auto_lock_schedules", 940, "tbody a", ".lanes"),
    Shot("schedule", f"{BACK_UP}/schedule", 760),
    Shot("arguments", f"{BACK_UP}/arguments", 460),
    Shot("dual-run", "/dual-run", 820),
    Shot("backups", "/backups", 600),
    Shot("restore", "/backups", 760, "a[href$='/restore']", "dialog[open]"),
    Shot("notifications", "/notifications", 560),
    Shot("audit", "/audit", 620),
    Shot("users", "/users", 640),
    Shot("documents", "/documents/new/duty_schedule", 460),
    Shot("settings", "/settings", 900),
)
README = Shot("jobs-dark", "/jobs", 720)
PHONE = Shot("phone", "/jobs", 844)


def names() -> list[str]:
    """The files that are made."""
    guide = [f"{shot.name}.{language}.png" for language in LANGUAGES for shot in GUIDE]
    return [*guide, f"{README.name}.ar.png", f"{PHONE.name}.ar.png"]


def main() -> None:
    """Make all pictures anew."""
    FOLDER.mkdir(exist_ok=True)
    with running_unit() as server, sync_playwright() as playwright:
        browser = launch(playwright)
        for language in LANGUAGES:
            take(browser, server, language, GUIDE)
        take(browser, server, "ar", [README], color_scheme="dark")
        phone = {"width": 390, "height": 844}
        take(browser, server, "ar", [PHONE], viewport=phone, device_scale_factor=2)
        browser.close()
    print(f"{sum(file.stat().st_size for file in FOLDER.iterdir()) / 1e6:.1f} MB in {FOLDER}")


@contextmanager
def running_unit() -> Iterator[Server]:
    """The product with its sample unit, a broker and a worker; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="k9ops-pictures-") as folder:
        redis = RedisServer().start()
        left_to_its_page = dict.fromkeys(CHANGEABLE)
        instance = Instance(Path(folder), {"app_env": "testing", **left_to_its_page})
        instance.settings["admin_password"] = ADMIN.password
        try:
            fill(instance)
            instance.settings["celery_broker_url"] = redis.url(1)
            instance.worker(seconds=PATIENCE)
            yield instance.start(seconds=PATIENCE)
        finally:
            instance.close()
            redis.close()


def seconds_to(moment: datetime) -> float:
    return round((moment - datetime.now(UTC)).total_seconds())


def fill(instance: Instance) -> None:
    """Load the sample unit, and what an administrator would meet in it."""
    instance.settings["test_clock_offset_seconds"] = seconds_to(DAY)
    flask(instance, "prepare", "--sample")
    for night in NIGHTS:
        instance.settings["test_clock_offset_seconds"] = seconds_to(night)
        flask(instance, "run-backup")
    instance.settings["test_clock_offset_seconds"] = seconds_to(DAY)
    flask(instance, "verify-backup", "latest")
    flask(instance, "jobs", "pause", CLEAN_UP)
    flask(instance, "jobs", "run", *OF_NO_PROJECT, fails=True)
    with sqlite3.connect(instance.folder / "k9ops.db") as database:
        database.executescript(HISTORY)
    database.close()


def flask(instance: Instance, *words: str, fails: bool = False) -> None:
    done = instance.flask(*words, timeout=PATIENCE)
    if bool(done.returncode) != fails:
        raise subprocess.CalledProcessError(done.returncode, words, done.stdout, done.stderr)


#: The unit has its names, no host has one; as if there had been a worker, but no broker on the
#: days of the outage.
HISTORY = """
INSERT INTO settings (name, value) VALUES
  ('unit_name', '"وحدة الكلاب العاملة"'), ('unit_name_en', '"Working Dog Unit"');
UPDATE job_runs SET path = 'celery', reason = NULL,
  occurrence = replace(occurrence, 'sample:', 'key:');
UPDATE job_runs SET path = 'in_process', reason = 'broker_unreachable'
  WHERE substr(queued_at, 1, 10) IN ('2026-11-04', '2026-11-09');
UPDATE job_attempts SET (path, reason) = (SELECT path, reason FROM job_runs WHERE id = run_id);
UPDATE job_attempts SET executor = iif(path = 'celery', 'worker', 'web') || ':node-1:212';
UPDATE job_events SET actor = (SELECT executor FROM job_attempts
  WHERE run_id = job_events.run_id AND number = job_events.attempt) WHERE attempt IS NOT NULL;
"""


def take(
    browser: Browser, server: Server, language: str, shots: Sequence[Shot], **options: object
) -> None:
    """Sign in once in that language, and take the pictures one after the other."""
    options = {"viewport": {"width": 1360, "height": 900}, "reduced_motion": "reduce", **options}
    with open_page(browser, server.url, **options) as page:
        sign_in(page, ADMIN, language)
        for shot in shots:
            picture(page, shot).save(FOLDER / f"{shot.name}.{language}.png", optimize=True)


def picture(page: Page, shot: Shot) -> Image.Image:
    """What the page looks like, in few colours, so that it is small."""
    width = page.viewport_size["width"] if page.viewport_size else 0
    page.set_viewport_size({"width": width, "height": shot.height})
    page.goto(shot.path)
    if shot.press:
        page.locator(shot.press).first.click()
    expect(page.locator(shot.wait).first).to_be_visible()
    page.evaluate("document.fonts.ready")
    seen = Image.open(io.BytesIO(page.screenshot(animations="disabled", caret="hide")))
    return seen.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)


if __name__ == "__main__":
    main()
