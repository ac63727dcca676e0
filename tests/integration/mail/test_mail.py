"""The door to the mail server: what is sent, and what is told when it is not."""

import email
import logging
import socket
import ssl
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest

from k9ops.integrations import mail
from k9ops.integrations.mail import MailFault, MaybeSent
from tests.support.mail import PASSWORD, USER, settings_of, text_of
from tests.support.redis import make_certificate
from tests.support.waiting import free_port

#: Long, and with signs that mean something in the head of a mail.
SUBJECT = "كلمة مرور جديدة لحسابك في وحدة الكلاب العاملة بقيادة الواحة، المنطقة الشرقية"
NAME = 'وحدة "الواحة" للكلاب العاملة, القيادة <5> \\ المنطقة الشرقية كلها'


@pytest.fixture
def database_kind():
    return "sqlite"


@pytest.fixture
def send(make_app):
    """`send(port, …)`: a letter to Badr through the server at that port; takes settings."""

    def to_badr(port: int, **settings: object) -> str:
        with make_app(**settings_of(port) | settings).app_context():
            return mail.send("badr@unit.example", SUBJECT, "نص", "<p>نص</p>", name=NAME)

    return to_badr


def sender_of(server) -> tuple[str, str]:
    """Name and address; Python's newer reader tears long names apart, the older one does not."""
    raw = email.message_from_bytes(server.raw[0])["From"]
    name, address = parseaddr("".join(raw.splitlines()))
    return str(make_header(decode_header(name))), address


def test_letter_arrives_with_both_texts_and_its_sender(mail_server, send):
    message_id = send(mail_server.port)
    [letter] = mail_server.letters
    assert (letter["Subject"], letter["To"]) == (SUBJECT, "badr@unit.example")
    assert sender_of(mail_server) == (NAME, "k9@unit.example")
    assert (text_of(letter).strip(), text_of(letter, "html").strip()) == ("نص", "<p>نص</p>")
    assert letter["Message-ID"] == message_id
    assert message_id.endswith("@unit.example>")
    assert letter["Auto-Submitted"] == "auto-generated"


def test_wrong_password_is_told_and_never_written(make_mail_server, send, caplog):
    server = make_mail_server(asks=True)
    caplog.set_level(logging.DEBUG)
    send(server.port, mail_username=USER, mail_password=PASSWORD)
    with pytest.raises(MailFault, match="535") as refused:
        send(server.port, mail_username=USER, mail_password="a wrong one")
    assert "MAIL_PASSWORD" in refused.value.hint
    assert not [word for word in (PASSWORD, "a wrong one") if word in caplog.text]
    assert not isinstance(refused.value, MaybeSent)


def test_address_that_is_refused_is_told(make_mail_server, send):
    server = make_mail_server(refuses="550 nobody here")
    with pytest.raises(MailFault, match="refused the address") as refused:
        send(server.port)
    assert not isinstance(refused.value, MaybeSent)


def test_server_that_is_not_there_is_told(send):
    with pytest.raises(MailFault, match="refused") as refused:
        send(free_port())
    assert "MAIL_SERVER" in refused.value.hint


def test_server_that_says_nothing_is_given_up(send, monkeypatch):
    monkeypatch.setattr(mail, "TIMEOUT_SECONDS", 0.3)
    told = pytest.raises(MailFault, match=r"no answer|timed out")
    with socket.create_server(("127.0.0.1", 0)) as silent, told as refused:
        send(silent.getsockname()[1])
    assert not isinstance(refused.value, MaybeSent)


def test_letter_may_have_gone_when_the_connection_ends_in_mid_work(make_mail_server, send):
    server = make_mail_server(drops=True)
    with pytest.raises(MaybeSent):
        send(server.port)
    assert len(server.letters) == 1


def test_certificate_is_checked(make_mail_server, send, tmp_path, monkeypatch):
    make_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    server = make_mail_server(tls=context)
    with pytest.raises(MailFault, match=r"(?i)certificate") as refused:
        send(server.port, mail_use_tls=True)
    assert "MAIL_USE_TLS" in refused.value.hint
    assert server.letters == []
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    send(server.port, mail_use_tls=True)
    assert len(server.letters) == 1


def test_server_without_tls_is_refused_where_tls_is_wanted(mail_server, send):
    with pytest.raises(MailFault) as refused:
        send(mail_server.port, mail_use_tls=True)
    assert "MAIL_USE_TLS" in refused.value.hint
    assert mail_server.letters == []
