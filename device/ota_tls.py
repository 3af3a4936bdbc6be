"""mpota: TLS with the certificate checked. The port's quirks stand here."""

import os
import time
from ota_updater import OtaError, ROOT, log

_said = False


class TlsError(OtaError):
    """The server could not prove who it is."""


def wrap(sock, host, settings):
    """A TLS connection over a connected socket; raises TlsError or OSError."""
    global _said
    try:
        import tls
    except ImportError:  # before 1.23
        import ssl as tls
    ctx = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT) if hasattr(tls, "SSLContext") else None
    # axTLS (esp8266) and firmware before 1.22 have not got these.
    if not hasattr(tls, "CERT_REQUIRED") or not hasattr(ctx, "load_verify_locations"):
        raise TlsError("this firmware cannot check certificates: use http from a mirror, with keys")
    if settings.get("insecure_skip_tls_verification"):
        ctx.verify_mode = tls.CERT_NONE
        if not _said:
            log("W", "certificates are not checked (insecure_skip_tls_verification)")
            _said = True
    else:
        # Dates are checked, and a board that has just started believes it is 2000 or 2021.
        if time.gmtime()[0] < 2024:
            raise TlsError("the clock is not set: %d-%02d-%02d; call ntptime.settime() first" % time.gmtime()[:3])
        ctx.verify_mode = tls.CERT_REQUIRED
        folder = ROOT + settings.get("ca", "ota_ca")
        n = 0
        try:
            for e in os.ilistdir(folder):
                if e[0].endswith(".der"):
                    with open(folder + "/" + e[0], "rb") as f:
                        ctx.load_verify_locations(f.read())  # takes one certificate a call
                    n += 1
        except OSError:
            pass
        if not n:
            raise TlsError("no CA certificates (*.der) in " + folder)
    try:
        return ctx.wrap_socket(sock, server_hostname=host)
    except (OSError, ValueError) as e:
        text = str(e).strip().replace("\n", "; ")
        if "CERT" in text or "X509" in text or "certificate" in text.lower():
            raise TlsError("%s is not who it should be: %s" % (host, text))
        raise
