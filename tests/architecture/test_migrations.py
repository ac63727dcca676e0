"""One chain of migrations, up and down on both databases, equal to the models."""

import logging

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select

from config import ROOT
from k9ops.app import create_app
from k9ops.audit.models import AuditEntry
from k9ops.core.db import db
from tests.support.databases import dispose, make_settings, migrate

FOLDER = str(ROOT / "migrations")


@pytest.fixture
def bare_app(databases, database_kind, tmp_path):
    url = databases.bare(database_kind)
    app = create_app(make_settings(tmp_path, database_url=url))
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with app.app_context():
        yield app
    dispose(app)
    databases.drop(url)


def test_migrations_have_one_head():
    assert len(ScriptDirectory(FOLDER).get_heads()) == 1


def test_migrations_make_what_the_models_say(bare_app):
    migrate(bare_app)
    with db.engine.connect() as connection:
        options = {"compare_type": True, "target_metadata": db.metadata}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, db.metadata) == []


def test_migrations_go_down_and_up_again(bare_app):
    migrate(bare_app)
    flask_migrate.downgrade(directory=FOLDER, revision="base")
    assert inspect(db.engine).get_table_names() == ["alembic_version"]
    inspect(db.engine).clear_cache()
    migrate(bare_app)
    assert set(inspect(db.engine).get_table_names()) > {"job_runs", "users"}


def test_migration_leaves_nothing_behind_when_it_fails(bare_app, tmp_path):
    migrate(bare_app)
    broken = tmp_path / "migrations"
    broken.mkdir()
    for name in ("env.py", "alembic.ini", "script.py.mako"):
        (broken / name).write_text((ROOT / "migrations" / name).read_text())
    versions = broken / "versions"
    versions.mkdir()
    for path in (ROOT / "migrations" / "versions").glob("*.py"):
        (versions / path.name).write_text(path.read_text())
    head = ScriptDirectory(FOLDER).get_current_head()
    (versions / "9999_broken.py").write_text(
        "from alembic import op\n"
        f"revision, down_revision = '9999', {head!r}\n"
        "def upgrade():\n"
        "    op.execute('CREATE TABLE half_done (id INTEGER)')\n"
        "    raise ValueError('broken')\n"
    )
    with pytest.raises(ValueError, match="broken"):
        flask_migrate.upgrade(directory=str(broken))
    assert "half_done" not in inspect(db.engine).get_table_names()


def test_two_step_verification_keeps_its_secrets_and_its_history_by_the_new_name(bare_app):
    migrate(bare_app, "0018")
    _execute(
        "INSERT INTO users (id, username, username_key, full_name, password_hash, role, active,"
        " theme, session_version, created_at) VALUES (1, 'a', 'a', '', '', 'administrator', true,"
        " 'system', 1, '2026-01-01')",
        "INSERT INTO second_steps (user_id, secret, begun_at) VALUES (1, 'sealed', '2026-01-01')",
        "INSERT INTO notifications (id, user_id, kind, params, url, created_at)"
        " VALUES (1, 1, 'account.second_step_reset', '{}', '', '2026-01-01')",
        _entry("second_step.reset", "{}"),
        _entry("user.signed_in", '{"second_step": "app"}'),
    )
    migrate(bare_app)
    assert _words("two_steps") == [("sealed",), ("account.two_step_reset",)]
    entries = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [entry.action for entry in entries] == ["two_step.reset", "user.signed_in"]
    assert entries[1].detail == {"two_step": "app"}
    db.session.rollback()
    flask_migrate.downgrade(directory=FOLDER, revision="0018")
    assert _words("second_steps") == [("sealed",), ("account.second_step_reset",)]
    with db.engine.connect() as connection:
        kept = "SELECT action, detail FROM audit_entries ORDER BY id"
        acts, details = zip(*connection.exec_driver_sql(kept), strict=True)
    assert acts == ("second_step.reset", "user.signed_in")
    assert "second_step" in str(details[1])


def _entry(action, detail):
    return (
        "INSERT INTO audit_entries (at, actor_name, action, target_kind, target_id, target_name,"
        f" detail) VALUES ('2026-01-01', 'a', '{action}', 'user', '1', 'a', '{detail}')"
    )


def _execute(*statements):
    with db.engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def _words(table):
    with db.engine.connect() as connection:
        both = f"SELECT secret FROM {table} UNION ALL SELECT kind FROM notifications"
        return [tuple(row) for row in connection.exec_driver_sql(both)]
