"""Reads the certificate of the gateway."""

import ssl

from laurel_server.devstack.gateway import Tls
from laurel_server.runtime.config_serving import Http
from laurel_server.runtime.credentials import CredentialsError


def read_tls(http: Http) -> Tls | None:
    """Return certificate and key; None without both. CredentialsError if they cannot be used."""
    certificate, key = http.tls_certificate_file, http.tls_key_file
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise CredentialsError(
            "set LAUREL_HTTP_TLS_CERTIFICATE_FILE and LAUREL_HTTP_TLS_KEY_FILE, or neither"
        )
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
        return Tls(certificate.read_text("ascii"), key.read_text("ascii"))
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        reason = error.strerror or type(error).__name__ if isinstance(error, OSError) else "not PEM"
        files = "LAUREL_HTTP_TLS_CERTIFICATE_FILE and LAUREL_HTTP_TLS_KEY_FILE"
        raise CredentialsError(f"{files} are no certificate with its key: {reason}") from None
