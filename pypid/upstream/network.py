"""What goes wrong on the way to an upstream, in Twisted's many words, and how to stop waiting for it."""

from __future__ import annotations

from OpenSSL import SSL
from service_identity import VerificationError
from twisted.internet import error
from twisted.internet.defer import CancelledError, Deferred
from twisted.web._newclient import RequestGenerationFailed, RequestNotSent
from twisted.web.client import RequestTransmissionFailed, ResponseFailed, ResponseNeverReceived
from twisted.web.http import PotentialDataLoss
from twisted.web.iweb import IResponse


class Unreachable(Exception):
    """A server cannot be asked; the message says why in words, ``detail`` in one."""

    def __init__(self, message: str, *, detail: str) -> None:
        super().__init__(message)
        self.detail = detail


NETWORK_ERRORS = (
    Unreachable,
    error.ConnectError,
    error.ConnectionLost,
    error.ConnectionDone,
    error.ConnectionAborted,
    error.DNSLookupError,
    error.TimeoutError,
    ResponseFailed,
    ResponseNeverReceived,
    RequestNotSent,
    RequestTransmissionFailed,
    RequestGenerationFailed,
    PotentialDataLoss,
    SSL.Error,
    VerificationError,
)
"""What Twisted, pyOpenSSL and service-identity raise when the other side, or the way there, fails."""


def cancellable(request: Deferred[IResponse]) -> Deferred[IResponse]:
    """
    Wait for ``request``; cancelling ends both, this one with `CancelledError`.

    Twisted's agent reports its own cancelling in the words of whatever it was
    doing: `ConnectingCancelledError`, `ResponseNeverReceived`.
    """

    def cancel(waiter: Deferred[IResponse]) -> None:
        waiter.errback(CancelledError())
        request.cancel()

    waiter: Deferred[IResponse] = Deferred(cancel)
    request.addBoth(lambda outcome: None if waiter.called else waiter.callback(outcome))
    return waiter


def reason(e: BaseException) -> str:
    """Return why, in words."""
    inner = _innermost(e)
    if isinstance(inner, SSL.Error):
        return _reason_of_tls(inner)
    return str(inner) or type(inner).__name__


def detail(e: BaseException) -> str:
    """Return why, in one word."""
    inner = _innermost(e)
    if isinstance(inner, Unreachable):
        return inner.detail
    return next((word for kind, word in _DETAILS if isinstance(inner, kind)), "connection")


def is_lost(e: BaseException) -> bool:
    """Return whether a connection that was made broke: asking again on a fresh one may succeed."""
    return isinstance(_innermost(e), error.ConnectionLost | error.ConnectionDone)


_DETAILS = (
    (error.DNSLookupError, "dns"),
    (error.ConnectionRefusedError, "refused"),
    (error.TimeoutError, "timeout"),
    ((SSL.Error, VerificationError), "tls"),
)

_TLS_HINTS = {
    "wrong version number": "this port does not speak TLS",
    "unsupported protocol": "it speaks only versions of TLS that are no longer safe",
    "tlsv1 alert protocol version": "it speaks only versions of TLS that are no longer safe",
    "tlsv13 alert certificate required": "it wants a certificate of ours, see client_certificate",
    "tlsv1 alert unknown ca": "it does not take our client_certificate",
}
"""By what OpenSSL says."""


def _reason_of_tls(e: SSL.Error) -> str:
    # OpenSSL's queue of errors, each a library, a function and a reason.
    queue = e.args[0] if e.args and isinstance(e.args[0], list) else []
    said = queue[-1][2] if queue else str(e) or type(e).__name__
    return f"TLS failed: {_TLS_HINTS.get(said, said)}"


def _innermost(e: BaseException) -> BaseException:
    """Return the first cause: Twisted wraps several failures in one exception."""
    reasons = getattr(e, "reasons", None)
    return _innermost(reasons[0].value) if reasons else e
