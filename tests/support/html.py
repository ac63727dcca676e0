"""What stands in a page of HTML: its links, forms and texts, and what is wrong with it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

#: Elements without an end.
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
#: Elements of SVG that may close themselves.
DRAWN = {"circle", "ellipse", "line", "path", "polygon", "polyline", "rect", "use"}
#: Attributes that name ids of the page.
POINTING = ("for", "aria-describedby", "aria-labelledby", "aria-controls", "list", "form")
#: What is loaded at once, by the attribute that names it.
LOADED = {"link": "href", "script": "src", "img": "src", "source": "src", "iframe": "src"}
CONTROLS = {"input", "select", "textarea", "button"}
#: No text turns round what stands after it when its element, or one of these, is around it.
ISOLATING = {"bdi", "title", "option", "textarea", "pre", "dd"}
TURNING = re.compile("[\u202a-\u202e]")
ISOLATED = re.compile("\u2068[^\u2068\u2069]*\u2069")


@dataclass
class Field:
    """A control that sends something."""

    name: str
    kind: str
    value: str = ""
    options: list[str] = field(default_factory=list)
    is_set: bool = True


@dataclass
class Form:
    """A form: where it goes, and what it sends if nobody touches it."""

    action: str
    method: str
    fields: list[Field] = field(default_factory=list)

    def values(self) -> dict[str, str]:
        """What a browser sends of it, save the name of the button that was pressed."""
        return {one.name: one.value for one in self.fields if one.is_set and one.kind != "button"}


class Page(HTMLParser):
    """A page that was read; `faults` holds what no page may have."""

    def __init__(self, text: str, planted: str = "") -> None:
        super().__init__()
        self.planted = planted
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.forms: list[Form] = []
        self.ids: list[str] = []
        self.faults: list[str] = []
        self.headings = 0
        self.title = ""
        self.root: dict[str, str] = {}
        self.is_whole = text.lstrip().lower().startswith("<!doctype html>")
        self._pointers: list[str] = []
        self._open: list[tuple[str, dict[str, str]]] = []
        self._by_id: dict[str, Form] = {}
        self.feed(text)
        self.close()
        self._check_whole()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        got = {name: value or "" for name, value in attrs}
        self._check_tag(tag, got)
        self._note_ids(got)
        self._note_places(tag, got)
        self._note_form(tag, got)
        if tag == "html":
            self.root = got
        self.headings += tag == "h1"
        if tag not in VOID:
            self._open.append((tag, got))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag in DRAWN:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self._open or self._open[-1][0] != tag:
            inner = self._open[-1][0] if self._open else "nothing"
            self.faults.append(f"</{tag}> ends {inner}")
            while self._open and self._open[-1][0] != tag:
                self._open.pop()
        if self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        tag, attributes = self._open[-1] if self._open else ("", {})
        if tag == "title" and not self._within("svg"):
            self.title += data
        if tag == "script" and data.strip():
            self.faults.append("a script in the page")
        if tag == "textarea" and self.forms and "name" in attributes:
            self._of(attributes).fields[-1].value += data.removeprefix("\n")
        if TURNING.search(ISOLATED.sub("", data)) and not self._is_isolated():
            self.faults.append(f"a name turns round what follows it: {self._way()}: {data[:60]!r}")

    def _within(self, tag: str) -> bool:
        return any(name == tag for name, _ in self._open)

    def _is_isolated(self) -> bool:
        """The element itself, or one around it that holds no more than a line."""
        around = self._open[-3:]
        return any(tag in ISOLATING or "dir" in got for tag, got in around if tag != "html")

    def _way(self) -> str:
        return " ".join(tag for tag, _ in self._open[-5:])

    def _check_tag(self, tag: str, got: dict[str, str]) -> None:
        if self.planted and (self.planted in tag or any(self.planted in name for name in got)):
            self.faults.append(f"unescaped output: <{tag} {got}>")
        if tag == "style" or "style" in got:
            self.faults.append(f"an inline style: <{tag}>")
        self.faults += [f"an inline script: {name}" for name in got if name.startswith("on")]
        if tag == "script" and "src" not in got:
            self.faults.append("a script without src")
        if tag == "img" and "alt" not in got:
            self.faults.append("a picture without alt")

    def _note_ids(self, got: dict[str, str]) -> None:
        if "id" in got:
            self.ids.append(got["id"])
        for name in POINTING:
            self._pointers += got.get(name, "").split()

    def _note_places(self, tag: str, got: dict[str, str]) -> None:
        if tag == "a" and "href" in got:
            self.links.append(got["href"])
        if "data-live" in got:
            self.links.append(got["data-live"])
        if tag in LOADED and LOADED[tag] in got:
            self.loaded.append(got[LOADED[tag]])

    def _note_form(self, tag: str, got: dict[str, str]) -> None:
        if tag == "form":
            made = Form(got.get("action", ""), got.get("method", "get").lower())
            self.forms.append(made)
            self._by_id[got.get("id", "")] = made
        elif tag in CONTROLS and "name" in got and self.forms:
            self._of(got).fields.append(_field(tag, got))
        elif tag == "option" and self.forms and self.forms[-1].fields:
            select = self.forms[-1].fields[-1]
            select.options.append(got.get("value", ""))
            if "selected" in got or len(select.options) == 1:
                select.value = got.get("value", "")

    def _of(self, got: dict[str, str]) -> Form:
        """The form that a control belongs to, which it may name."""
        return self._by_id.get(got.get("form", ""), self.forms[-1])

    def _check_whole(self) -> None:
        self.faults += [f"<{tag}> never ends" for tag, _ in self._open]
        twice = {one for one in self.ids if self.ids.count(one) > 1}
        self.faults += [f"the id {one} stands twice" for one in sorted(twice)]
        if not self.is_whole:
            return
        places = [link[1:] for link in self.links if link.startswith("#") and len(link) > 1]
        gone = {*self._pointers, *places} - {*self.ids}
        self.faults += [f"there is no id {one}" for one in sorted(gone)]
        if self.headings != 1:
            self.faults.append(f"{self.headings} h1")
        if not self.title.partition("·")[0].strip():
            self.faults.append("no title")

    def outside(self) -> Iterator[str]:
        """Addresses that are not of this product."""
        goes = [form.action for form in self.forms]
        for one in (*self.links, *self.loaded, *goes):
            if re.match(r"[a-z][a-z0-9+.-]*:|//", one, re.IGNORECASE) and not one.startswith(
                "tel:"
            ):
                yield one


def _field(tag: str, got: dict[str, str]) -> Field:
    kind = got.get("type", "text") if tag == "input" else tag
    is_set = kind not in ("checkbox", "radio") or "checked" in got
    return Field(got["name"], kind, got.get("value", ""), is_set=is_set)
