"""The folder on Google Drive, without a backup: what it finds, and whose fault a fault is."""

import pytest

from k9ops.integrations import drive
from k9ops.integrations.drive_faults import Outage, Unreadable
from tests.support.drive_protocol import FOLDER


@pytest.fixture
def folder(drive_server, tmp_path, monkeypatch):
    """As many tries as ever, without the waiting between them."""
    monkeypatch.setattr(drive, "PAUSES", [0.01] * len(drive.PAUSES))
    key = drive_server.write_key(tmp_path / "drive-key.json")
    with drive.Folder(key, FOLDER, drive_server.url) as opened:
        yield opened


def test_search_is_asked_again_when_it_was_cut_short(folder, drive_server):
    drive_server.add("kept.zst", b"backup", {"k9ops": "backup"})
    drive_server.searches_cut_short = 2
    assert [one.name for one in folder.find("k9ops", "backup")] == ["kept.zst"]
    assert drive_server.asked.count("list") == 3


def test_search_that_stays_cut_short_is_an_outage(folder, drive_server):
    drive_server.searches_cut_short = 99
    with pytest.raises(Outage, match="could not search all"):
        folder.find("k9ops", "backup")


def test_fault_is_of_this_machine_when_the_file_cannot_be_read(folder, tmp_path):
    gone = tmp_path / "gone.zst"
    new = drive.NewFile(gone, gone.name, 1, "", "k9ops_file", {"k9ops_file": gone.name})
    with pytest.raises(Unreadable, match="cannot be read here: No such file"):
        folder.upload(new, "", lambda *_: None)
