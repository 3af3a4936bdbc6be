"""mpota: TLS with the certificate checked. The ports' quirks stand here."""

import os
import time
from ota_updater import OtaError, ROOT, log

try:
    import tls
except ImportError:  # before 1.23
    try:
        import ssl as tls
    except ImportError:
        tls = None

# What Mbed TLS says of a certificate, and what that means.
_WHY = (
    ("does not match", "its certificate is for another name"),
    ("has expired", "its certificate has expired"),
    ("in the future", "its certificate is not valid yet"),
    ("not correctly signed", "its certificate is by an authority that this board does not know"),
)


class TlsError(OtaError):
    """The server could not prove who it is."""


def _able():
    """Whether this firmware can check certificates: not axTLS (esp8266), not before 1.22."""
    return hasattr(tls, "CERT_REQUIRED") and hasattr(getattr(tls, "SSLContext", None), "load_verify_locations")


def checks(config):
    """Whether certificates are checked, by this firmware and with these settings."""
    return _able() and not config.insecure_skip_tls_verification


def wrap(sock, host, config):
    """In steps: a TLS connection over a connected socket. The handshake is done by the first reads and
    writes, with their bounds in time: explain() tells what an error of theirs means."""
    if not tls:
        raise TlsError("this firmware has no TLS: take releases over http (base_url), and set keys")
    if not checks(config):
        _unchecked(config)
    if not _able():
        # axTLS would send what is written before its handshake is done, and in the clear, and waits
        # for ever in a socket that does not block.
        sock.settimeout(config.timeout_s)
        if not hasattr(tls, "SSLContext"):
            return tls.wrap_socket(sock, server_hostname=host)
        return tls.SSLContext(tls.PROTOCOL_TLS_CLIENT).wrap_socket(sock, server_hostname=host)
    ctx = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    if checks(config):
        ctx.verify_mode = tls.CERT_REQUIRED
        yield from _trust(ctx, ROOT + (config.ca or "ota_ca").rstrip("/"))
    else:
        ctx.verify_mode = tls.CERT_NONE
    return ctx.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)


def _unchecked(config):
    """Say once that anybody may be the server; with keys the code itself is still safe."""
    why = "certificates are not checked (insecure_skip_tls_verification)"
    if not config.insecure_skip_tls_verification:
        why = "this firmware cannot check certificates"
        if not config.keys:
            raise TlsError(why + ": set keys, so that signatures protect the code")
    if not config.said:  # of every connection it would be the same
        log("W", why)
        config.said = True


def _trust(ctx, folder):
    # Dates are checked, and a board that has just started believes it is 2000 or 2021.
    if time.gmtime()[0] < 2024:
        raise TlsError("the clock is not set: %d-%02d-%02d; call ntptime.settime() first" % time.gmtime()[:3])
    n = 0
    try:
        names = [e[0] for e in os.ilistdir(folder) if e[0].endswith(".der")]
    except OSError:
        names = ()
    for name in names:
        with open(folder + "/" + name, "rb") as f:
            _load(ctx, f.read(), name)
        n += 1
        yield 0
    if not n:
        raise TlsError("no CA certificates (*.der) in %s: `mpota ca` writes them" % folder)


def _load(ctx, der, name):
    """One certificate a call, in DER: older ports read nothing else."""
    try:
        if tls.__name__ == "ssl":  # 1.22: the first argument is a path there
            ctx.load_verify_locations(cadata=der)
        else:
            ctx.load_verify_locations(der)
    except (OSError, ValueError) as e:
        raise TlsError("%s is not a certificate in DER form: %s" % (name, e))


def explain(host, error):
    """The TlsError that an exception out of a handshake stands for, or None."""
    text = str(error).strip().replace("\n", "; ")
    for said, why in _WHY:
        if said in text:
            return TlsError("%s is not who it should be: %s" % (host, why))
    if "-30592" in text:  # Mbed TLS: a fatal alert of the server
        why = "%s refuses the TLS of this firmware: take releases over http, and set keys"
        return TlsError(why % host)
    if "-29184" in text or "INVALID_RECORD" in text:
        return TlsError("%s does not speak TLS: is it http?" % host)
    if "CERT" in text or "X509" in text or "certificate" in text.lower():
        return TlsError("%s is not who it should be: %s" % (host, text))
    return None
