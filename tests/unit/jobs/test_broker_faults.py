"""What went wrong with the broker, told by the reason; and a deadline that always holds."""

import socket
import ssl
import threading
import time

import pytest
from kombu.exceptions import OperationalError
from redis import exceptions

from k9ops.jobs.broker import fault_of
from k9ops.jobs.deadline import within

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
