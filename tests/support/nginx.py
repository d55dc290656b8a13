"""A real nginx in front of a portal, set up word for word as the operator's guide says."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from portal.settings import HOME
from tests.support import provide

NAME = "drydock.test"
GUIDE = HOME / "docs" / "guides" / "operator.md"
CONFIGURATION = """
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        server_name {name};
        ssl_certificate {folder}/chain.pem;
        ssl_certificate_key {folder}/key.pem;
        {location}
    }}
}}
"""


@contextmanager
def proxied(folder: Path, port: int, portal_port: int) -> Iterator[Path]:
    """Let nginx answer over TLS on a port for the portal on another one.

    :return: the certificate of who vouches for it
    """
    program = shutil.which("nginx", path=provide.SYSTEM_PATH)
    if program is None:
        pytest.fail(provide.NGINX_REMEDY, pytrace=False)
    authority = trustme.CA()
    own = authority.issue_cert(NAME)
    authority.cert_pem.write_to_path(folder / "authority.pem")
    own.private_key_pem.write_to_path(folder / "key.pem")
    for part in own.cert_chain_pems:
        part.write_to_path(folder / "chain.pem", append=True)
    block = re.search(r"```nginx\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    location = block[1].replace("8501", str(portal_port))
    configuration = folder / "nginx.conf"
    configuration.write_text(
        CONFIGURATION.format(folder=folder, port=port, name=NAME, location=location)
    )
    process = subprocess.Popen([program, "-c", configuration, "-e", folder / "error.log"])
    try:
        yield folder / "authority.pem"
    finally:
        process.terminate()
        process.wait(10)
