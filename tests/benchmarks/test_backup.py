"""A backup of 500 MB beside the plain way, `pg_dump -Fc | sha256sum`, in the same minutes."""

import json
import subprocess
import sys
import time

from sqlalchemy import text

from config import ROOT
from k9ops.core.db import db
from tests.benchmarks.conftest import SCALE

ROWS = int(1_350_000 * SCALE)
ROUNDS = 3

FILL = """
INSERT INTO bench SELECT i, gen_random_uuid(), now() - i * interval '1 second',
    jsonb_build_object('dog', md5(i::text), 'weight', i % 50, 'handler', md5((i * 7)::text)),
    'تدريب الكلب رقم ' || i || ' ' || md5((i * 13)::text) || md5((i * 17)::text)
FROM generate_series(1, :rows) AS i
"""

OURS = """
import json, time
from pathlib import Path
from config import load_settings
from k9ops.app import create_app
from k9ops.backups.services import make_backup
with create_app(load_settings()).app_context():
    status = lambda: Path("/proc/self/status").read_text().splitlines()
    kilobytes = lambda name: next(int(line.split()[1]) for line in status() if name in line)
    idle, began = kilobytes("VmRSS"), time.perf_counter()
    backup = make_backup()
    seconds = time.perf_counter() - began
    print(json.dumps([seconds, (kilobytes("VmHWM") - idle) / 1024, backup.manifest.bytes / 1e6]))
"""


def fill():
    columns = "id int PRIMARY KEY, key uuid, at timestamptz, data jsonb, note text"
    with db.engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE bench ({columns})"))
        connection.execute(text(FILL), {"rows": ROWS})
        connection.execute(text("CREATE INDEX ON bench (at)"))
        connection.execute(text("CREATE INDEX ON bench (key)"))
    with db.engine.connect() as connection:
        return connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()


def plain_way(url):
    began = time.perf_counter()
    command = f"pg_dump -Fc '{url}' | sha256sum"
    subprocess.run(["sh", "-c", command], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def our_way(instance):
    done = subprocess.run(
        [sys.executable, "-c", OURS],
        cwd=ROOT,
        env=instance.env(),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_backup_of_postgresql(context, instance, database_url, figure):
    figure("database", fill() / 1e6, "MB")
    plain, ours = [], []
    for _ in range(ROUNDS):
        plain.append(plain_way(database_url))
        ours.append(our_way(instance))
    seconds = min(one[0] for one in ours)
    figure("pg_dump -Fc | sha256sum, best of 3", min(plain), "s")
    figure("our backup, best of 3", seconds, "s")
    figure("our backup as a share of the plain way", seconds / min(plain), "", most=0.5)
    figure("our peak memory above idle", max(one[1] for one in ours), "MB")
    figure("size of our backup", ours[0][2], "MB")
