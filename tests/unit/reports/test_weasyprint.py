"""The door to WeasyPrint: it gives a page the files that are known, and nothing else."""

import http.server
import threading

import pytest
from PIL import Image

from k9ops.integrations.weasyprint import make_pdf
from k9ops.reports.rendering import text_direction
from tests.support import pdf


@pytest.fixture
def base(tmp_path):
    folder = tmp_path / "base"
    folder.mkdir()
    return folder


def picture(path):
    Image.new("RGB", (20, 20), "navy").save(path)
    return path


def shown(tmp_path, html, base, known=()):
    """How many pictures are in the document."""
    path = tmp_path / "out.pdf"
    path.write_bytes(make_pdf(html, base, known).content)
    return pdf.pictures(path)


def test_pages_are_counted(base):
    made = make_pdf("<p>one</p><p style='break-before: page'>two</p>", base, [])
    assert made.pages == 2
    assert made.content.startswith(b"%PDF")


def test_files_of_the_base_and_known_ones_are_read(base, tmp_path):
    picture(base / "inside.png")
    outside = picture(tmp_path / "outside.png")
    html = f"<img src='inside.png'><img src='{outside.as_uri()}'>"
    assert shown(tmp_path, html, base) == 1
    assert shown(tmp_path, html, base, [outside]) == 2


@pytest.mark.parametrize("address", ["../outside.png", "sub/../../outside.png", "link.png"])
def test_file_outside_is_left_out_however_it_is_named(base, tmp_path, address, caplog):
    outside = picture(tmp_path / "outside.png")
    (base / "link.png").symlink_to(outside)
    assert shown(tmp_path, f"<img src='{address}'>", base) == 0
    assert "not a file of the document" in caplog.text


def test_nobody_on_the_network_is_asked(base, tmp_path):
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        html = f"<link rel='stylesheet' href='{url}/a.css'><img src='{url}/a.png'>"
        assert shown(tmp_path, html, base) == 0
        server.shutdown()
    assert asked == []


@pytest.mark.parametrize(
    ("text", "direction"),
    [("بدر", "rtl"), ("09:12 Badr", "ltr"), ("1448 هـ", "rtl"), ("", ""), ("12:30 · 7", "")],
)
def test_direction_of_a_text_is_that_of_its_first_letter(text, direction):
    assert text_direction(text) == direction
