"""What went wrong with the broker, told by the reason; and a deadline that always holds."""

import socket
import ssl
import threading
import time

import pytest
from kombu.exceptions import OperationalError
from redis import exceptions

from k9ops.jobs.broker import connect, fault_of
from k9ops.jobs.deadline import within
from tests.support.waiting import free_port

FAULTS = [
    (ConnectionRefusedError(111, "refused"), "broker_unreachable"),
    (OSError(113, "no route to host"), "broker_unreachable"),
    (socket.gaierror(-2, "name not known"), "broker_unreachable"),
    (exceptions.ConnectionError("closed by server"), "broker_unreachable"),
    (TimeoutError("no answer"), "broker_timeout"),
    (exceptions.TimeoutError("timeout reading"), "broker_timeout"),
    (exceptions.AuthenticationError("wrong password"), "broker_refused"),
    (exceptions.BusyLoadingError("loading"), "broker_refused"),
    (exceptions.ReadOnlyError("read only"), "broker_refused"),
    (exceptions.OutOfMemoryError("full"), "broker_refused"),
    (exceptions.ResponseError("NOREPLICAS"), "broker_refused"),
    (ssl.SSLCertVerificationError("certificate"), "broker_refused"),
    (RuntimeError("something else"), "broker_unreachable"),
]


@pytest.mark.parametrize(("error", "reason"), FAULTS, ids=lambda it: type(it).__name__)
def test_error_stands_for_its_reason_when_wrapped_too(error, reason):
    wrapped = OperationalError(str(error))
    wrapped.__cause__ = error
    assert [fault_of(error).reason, fault_of(wrapped).reason] == [reason, reason]


def test_password_that_a_server_repeats_is_not_kept():
    said = "unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'default' 'secret' "
    fault = fault_of(exceptions.ResponseError(said))
    assert (fault.text, str(fault)) == ("ResponseError: unknown command 'HELLO'",) * 2


@pytest.mark.parametrize("word", ["CERT_NONE", "none", "CERT_REQUIRED", "required"])
def test_address_may_name_the_check_of_certificates_as_celery_does(word):
    client = connect(f"rediss://127.0.0.1:{free_port()}/0?ssl_cert_reqs={word}")
    with pytest.raises(exceptions.ConnectionError, match="refused"):
        client.ping()


def test_call_is_left_behind_when_it_has_no_end():
    released = threading.Event()
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        within(0.1, released.wait)
    assert time.monotonic() - began < 1
    released.set()


def test_answer_and_error_pass_through_the_deadline():
    assert within(1, lambda: 42) == 42
    with pytest.raises(ZeroDivisionError):
        within(1, lambda: 1 / 0)
