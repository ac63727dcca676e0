"""The containers say what the code says: settings, queues, commands, packages, volumes."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from celery.bin.celery import celery

from config import ROOT, Settings
from k9ops.app import create_app
from k9ops.cli import register_commands
from k9ops.jobs import registry
from k9ops.jobs.queues import queue_names
from scripts import healthy
from tests.support import compose
from tests.support.databases import dispose, make_settings
from tests.support.processes import setting_names

#: Of the start, not of the settings; docs/settings.md tells them.
DOCUMENTED = {"HOST", "PORT", "WORKERS", "SAMPLE"}
#: Major version of each Debian's package postgresql-client.
PG_DUMP_OF = {"bookworm": 15, "trixie": 17}
LONG_RUNNING = {"db", "redis", "web", "worker", "beat"}
IS_SECRET = re.compile("PASSWORD|SECRET|KEY|AUTH|TOKEN")
FILE = compose.load()
SERVICES = FILE["services"]
OWN = {name: one for name, one in SERVICES.items() if "build" in one}


@pytest.fixture
def app(tmp_path):
    made = create_app(make_settings(tmp_path))
    yield made
    dispose(made)


def run_tool(name, *arguments):
    program = Path(sys.executable).with_name(name)
    return subprocess.run(
        [program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def seconds(text):
    return int(re.fullmatch(r"(\d+)s", text)[1])


def instructions(word):
    """What stands behind the word in each of its lines."""
    return [line.partition(" ")[2] for line in compose.dockerfile() if line.startswith(f"{word} ")]


# docker-compose.yml ------------------------------------------------------------------------------


def test_compose_file_passes_the_compose_schema():
    done = run_tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", compose.COMPOSE)
    assert done.returncode == 0, done.stdout + done.stderr


def test_compose_file_has_the_services_of_a_unit():
    assert set(SERVICES) == LONG_RUNNING | {"migrate"}
    assert set(OWN) == {"migrate", "web", "worker", "beat"}


def test_worker_listens_to_every_queue(app):
    listens = next(one for one in OWN["worker"]["command"] if one.startswith("--queues="))
    with app.app_context():
        jobs = [
            job for job in registry.catalogue().values() if not job.__module__.startswith("tests.")
        ]
    queues = queue_names(make_settings(Path("unused")), jobs)
    assert sorted(listens.removeprefix("--queues=").split(",")) == sorted(queues)


@pytest.mark.parametrize("name", OWN)
def test_service_is_given_known_settings(name):
    assert set(OWN[name]["environment"]) <= set(setting_names()) | DOCUMENTED


def test_every_variable_is_told():
    page = (ROOT / "docs/docker.md").read_text()
    told = set(re.findall(r"`([A-Z_]+)`", page)) | set(setting_names())
    assert {name for name, _, _ in compose.variables()} <= told


@pytest.mark.parametrize("name", OWN)
def test_service_starts_with_its_settings(name, monkeypatch):
    for setting, value in OWN[name]["environment"].items():
        monkeypatch.setenv(setting, str(value))
    settings = Settings(_env_file=None)
    assert settings.celery_on
    database, broker = compose.SECRETS["POSTGRES_PASSWORD"], compose.SECRETS["REDIS_PASSWORD"]
    assert settings.database_url == f"postgresql+psycopg2://k9ops:{database}@db:5432/k9ops"
    assert settings.celery_broker_url == f"redis://:{broker}@redis:6379/1"


def test_beat_has_a_profile_and_ticks():
    assert OWN["beat"]["profiles"] == ["beat"]
    assert OWN["beat"]["environment"]["JOBS_SCHEDULER"] == "beat"
    assert [name for name, one in OWN.items() if one.get("profiles")] == ["beat"]


def test_secrets_have_no_default():
    signs = {name: sign for name, sign, _ in compose.variables() if IS_SECRET.search(name)}
    assert signs == dict.fromkeys(compose.SECRETS, "?")


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_of_a_service_are_those_of_the_unit(name):
    given = SERVICES[name].get("environment", {})
    secrets = {value for key, value in given.items() if IS_SECRET.search(key)}
    assert secrets <= set(compose.SECRETS.values())


@pytest.mark.parametrize("name", SERVICES)
def test_command_lines_hold_no_secret(name):
    service = SERVICES[name]
    words = " ".join([*service.get("command", []), *service.get("healthcheck", {}).get("test", [])])
    assert [value for value in compose.SECRETS.values() if value in words] == []


def test_commands_exist(app):
    register_commands(app)
    assert OWN["migrate"]["command"][0] == "flask"
    assert OWN["migrate"]["command"][1] in app.cli.commands
    for name in ("worker", "beat"):
        program, module, subcommand, *_ = OWN[name]["command"]
        assert (program, module) == ("celery", "--app=k9ops.worker")
        assert subcommand in celery.commands
    assert importlib.util.find_spec("k9ops.worker")


def test_web_server_starts_as_on_a_machine():
    last = (ROOT / "scripts/run").read_text().splitlines()[-1]
    assert last.removeprefix("exec .venv/bin/").split() == OWN["web"]["command"]
    assert json.loads(instructions("CMD")[-1]) == OWN["web"]["command"]


@pytest.mark.parametrize("name", ["web", "worker", "beat"])
def test_health_check_of_our_own_is_known(name):
    assert OWN[name]["healthcheck"]["test"] == ["CMD", "python", "-m", "scripts.healthy", name]
    assert callable(getattr(healthy, name))


def test_long_running_services_are_watched_and_restarted():
    for name, service in SERVICES.items():
        assert ("healthcheck" in service) == (name in LONG_RUNNING), name
        assert service["restart"] == ("unless-stopped" if name in LONG_RUNNING else "no"), name


def test_services_may_drain_before_they_are_killed():
    drain = Settings.model_fields["jobs_drain_seconds"].default
    for name, service in OWN.items():
        assert seconds(service["stop_grace_period"]) > drain + 15, name
        assert service["init"] is True, name


def test_services_wait_for_the_migration():
    for name, service in OWN.items():
        waits = {key: one["condition"] for key, one in service["depends_on"].items()}
        if name == "migrate":
            assert waits == {"db": "service_healthy"}
        else:
            assert waits["migrate"] == "service_completed_successfully"


def test_volumes_are_declared_and_shared():
    declared = set(FILE["volumes"])
    mounted = {
        name: dict(one.split(":")[:2] for one in service.get("volumes", []))
        for name, service in SERVICES.items()
    }
    assert {volume for mounts in mounted.values() for volume in mounts} == declared
    for name, service in OWN.items():
        given = service["environment"]
        shared = {"instance": given["INSTANCE_PATH"], "backups": given["BACKUP_DIR"]}
        assert mounted[name] == shared, name


def test_only_the_web_server_is_published_and_to_this_machine_alone():
    ports = {name: one["ports"] for name, one in SERVICES.items() if "ports" in one}
    assert ports == {"web": ["127.0.0.1:8000:8000"]}


# Dockerfile --------------------------------------------------------------------------------------


def test_dockerfile_passes_the_linter():
    done = run_tool("hadolint", "Dockerfile")
    assert done.returncode == 0, done.stdout + done.stderr


def test_image_has_the_system_packages_of_running():
    text = " ".join(compose.dockerfile())
    assert "RUN scripts/system-packages run " in text
    assert 'test -z "$(scripts/system-packages run)"' in text
    assert "apt-get" not in text


def test_pg_dump_of_the_image_is_not_older_than_the_server():
    debian = re.search(r"-(\w+)$", instructions("FROM")[0].split()[0])[1]
    server = re.match(r"postgres:(\d+)", SERVICES["db"]["image"])[1]
    assert PG_DUMP_OF[debian] >= int(server)


def test_image_installs_by_hashes():
    installs = [line for line in compose.dockerfile() if "pip install" in line]
    assert len(installs) == 2
    assert all("--require-hashes" in line for line in installs)


def test_image_makes_the_folders_of_the_volumes_for_its_user():
    given = OWN["web"]["environment"]
    made = next(line for line in compose.dockerfile() if "install -d" in line)
    assert {given["INSTANCE_PATH"], given["BACKUP_DIR"]} <= set(made.split())
    user = instructions("USER")[-1]
    assert f"--uid {user} " in made
    assert user != "0"


def test_image_is_built_from_what_is_let_through(tmp_path):
    folder = compose.context(tmp_path)
    sources = [
        name
        for names in instructions("COPY")
        if not names.startswith("--from")
        for name in names.split()[:-1]
    ]
    assert [name for name in sources if not (folder / name).exists()] == []
    kept = {path.name for path in folder.rglob("*")}
    assert not kept & {".env", ".git", "instance", "__pycache__", "vendor", "messages.mo", "tests"}


def test_image_holds_what_a_start_needs(tmp_path, make_instance):
    folder = compose.context(tmp_path / "app")
    env = make_instance().env()
    for command in (["-m", "flask", "prepare"], ["-c", "import wsgi, k9ops.worker"]):
        done = subprocess.run(
            [sys.executable, *command],
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
