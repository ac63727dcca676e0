"""What the pages of records show: their fields, faults and rows."""

import re
from html.parser import HTMLParser

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.people import form_token


def send(client: FlaskClient, path: str, **fields: object) -> TestResponse:
    """Send the form of the page at `path`, in English."""
    token = form_token(client)
    return client.post(f"{path}?lang=en", data={"csrf_token": token, **fields})


def fields_of(page: str) -> dict[str, str]:
    """What a browser would send of the form of a record, as the page shows it."""
    form = _FormReader()
    start = page.index('<form method="post">')
    form.feed(page[start : page.index("</form>", start)])
    return form.fields


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._name = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        got = dict(attrs)
        unchecked = got.get("type") == "checkbox" and "checked" not in got
        if tag == "input" and not unchecked:
            self.fields[got["name"]] = got.get("value") or ""
        elif tag in ("select", "textarea"):
            self._name = got["name"]
            self.fields[self._name] = ""
        elif tag == "option" and "selected" in got:
            self.fields[self._name] = got["value"] or ""

    def handle_data(self, data: str) -> None:
        if self.lasttag == "textarea":
            self.fields[self._name] += data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        self.lasttag = ""


def faults(page: str) -> dict[str, str]:
    """What the page says beside each field that is wrong."""
    pattern = r'<span class="fault" id="(\w+)-fault">.*?<span>(.*?)</span></span>'
    return dict(re.findall(pattern, page, re.DOTALL))


def typed(page: str, field: str) -> str:
    """What stands in a text field."""
    tag = re.search(rf'<input[^>]*name="{field}"[^>]*>', page) or re.search(
        rf'<input[^>]*id="{field}"[^>]*>', page
    )
    assert tag, f"there is no field {field}"
    return re.search(r'value="([^"]*)"', tag.group())[1]


def names(page: str) -> list[str]:
    """The names in the first column of a list."""
    return re.findall(r'<a class="first"[^>]*><bdi>(.*?)</bdi>', page)


def words_of(page: TestResponse) -> str:
    """What the page says in its main part, without tags and signs of direction, on one line."""
    main = page.text[page.text.index("<main") : page.text.index("</main>")]
    text = re.sub(r"<[^>]+>", " ", main).replace("\u2068", "").replace("\u2069", "")
    return " ".join(text.split())
