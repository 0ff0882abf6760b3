"""A registry of every package manager on one loopback: a TLS server that runs beside the proxy, and what it holds."""

import base64
import json
import zlib
from collections.abc import Mapping
from pathlib import Path

from ay_bot.host.egress.laboratory import Laboratory
from tests.loopback_github.certificate import make_certificate

SERVER = """
import base64, hashlib, http.server, json, ssl, threading, zlib
held = json.loads(zlib.decompress(base64.b85decode(HELD)))
files = {name: base64.b64decode(body) for name, body in held["files"].items()}
with open("/tmp/registry.pem", "w") as file:
    file.write(held["certificate"])

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        name = self.headers["Host"].split(":")[0] + self.path.split("?")[0]
        body = files.get(name)
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Length", str(len(body or b"")))
        self.send_header("ETag", '"%s"' % hashlib.md5(body or b"").hexdigest())
        self.end_headers()
        if self.command == "GET" and body:
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/tmp/registry.pem")
servers = [http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler) for port in (80, 443)]
servers[1].socket = context.wrap_socket(servers[1].socket, server_side=True, do_handshake_on_connect=False)
for server in servers:
    threading.Thread(target=server.serve_forever).start()
print("ready", flush=True)
"""


def open_registry(files: Mapping[str, bytes], directory: Path) -> tuple[Laboratory, bytes]:
    """Return surroundings in which the hosts of `files` (HOST/PATH) are one server, and the certificate to trust."""
    hosts = sorted({name.partition("/")[0] for name in files})
    certificate = make_certificate(directory, hosts)
    pem = certificate.read_text() + (directory / "key.pem").read_text()
    held = {"certificate": pem, "files": {name: base64.b64encode(body).decode() for name, body in files.items()}}
    packed = base64.b85encode(zlib.compress(json.dumps(held).encode(), 9)).decode()
    laboratory = Laboratory(
        let_through=("127.0.0.1:80", "127.0.0.1:443"),
        names=dict.fromkeys(hosts, "127.0.0.1"),
        program=f"HELD = {packed!r}\n{SERVER}",
    )
    return laboratory, certificate.read_bytes()
