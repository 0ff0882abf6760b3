"""What the programs of all attacks begin with: system calls by name, and how an effect is told."""

from typing import Final

PRELUDE: Final = r'''
import ctypes, errno, os, platform, signal, socket, struct, subprocess, sys, time
LIBC = ctypes.CDLL(None, use_errno=True)
ARM = platform.machine() != "x86_64"
def effect(what=""):
    sys.stdout.write(f"\nEFFECT {TOKEN} {what}\n")
    sys.stdout.flush()
def call(x86, arm, *arguments):
    ctypes.set_errno(0)
    words = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    result = LIBC.syscall(ctypes.c_long(arm if ARM else x86), *words)
    return result, errno.errorcode.get(ctypes.get_errno(), "OK")
def expect(got, *names):
    result, name = got
    if result >= 0 or name in names: effect(f"{result} {name}")
    else: print("refused:", name)
def descriptor(got, *kinds):
    result, name = got
    if result < 0: return print("refused:", name)
    what = os.readlink(f"/proc/self/fd/{result}")
    if not kinds or any(kind in what for kind in kinds): effect(what)
def opened(path, flags=os.O_RDONLY):
    try: number = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error: return print(path, errno.errorcode[error.errno])
    where = os.readlink(f"/proc/self/fd/{number}")
    os.close(number)
    if where != "/dev/null": effect("opened " + path)
def show(path, size=200000):
    try:
        with open(path, "rb") as file: print(file.read(size).decode("latin-1").replace("\0", "\n"))
    except OSError as error: print(path, errno.errorcode.get(error.errno, error))
def netlink(kind, flags, body):
    link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    link.settimeout(2)
    link.sendto(struct.pack("=IHHII", 16 + len(body), kind, flags | 5, 1, 0) + body, (0, 0))
    answer = link.recv(4096)
    return struct.unpack_from("=i", answer, 16)[0] if struct.unpack_from("=H", answer, 4)[0] == 2 else 0
def attribute(kind, value):
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)
def packed(address):
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
def own_address(address):
    """Where there are the rights to: give this box's own loopback the address, so that there is something to reach."""
    raw = packed(address)
    six = ":" in address
    head = struct.pack("=BBBBI", 10 if six else 2, 128 if six else 32, 2 if six else 0, 0, 1)
    return netlink(20, 0x400, head + attribute(2, raw) + attribute(1, raw))
WAY = ("ECONNREFUSED", "EINPROGRESS", "ETIMEDOUT", "ECONNRESET")
def reach(address, port, kind=socket.SOCK_STREAM, listen=None):
    """Show whether there is any way to an address: only "unreachable" and "not permitted" are none."""
    target = listen or address
    own_address(target)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = None
    if kind == socket.SOCK_STREAM:
        try:
            server = socket.socket(socket.AF_INET6 if ":" in target else socket.AF_INET, kind)
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind((target, port))
            server.listen()
        except OSError: pass
    client = socket.socket(family, kind)
    client.settimeout(1)
    try:
        where = socket.getaddrinfo(address, port, family, kind)[0][4]
        if kind == socket.SOCK_STREAM: client.connect(where)
        else:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            client.sendto(TOKEN.encode(), where)
        effect("reached " + address)
    except TimeoutError: effect("a packet left for " + address)
    except OSError as error:
        name = errno.errorcode.get(error.errno, str(error))
        if name in WAY: effect(f"{address}: {name}")
        else: print("no way:", name)
def tell(family, kind, where, text=None):
    """Bring the token to a listener of the battery's; it says itself whether something came."""
    try:
        client = socket.socket(family, kind)
        client.settimeout(1)
        client.connect(where)
        client.sendall(text or TOKEN.encode())
        client.close()
        print("sent")
    except OSError as error: print("not sent:", error)
'''


def compose(program: str, values: dict[str, str | int]) -> str:
    """Return the whole program of an attack; `values` are set as names before it begins."""
    names = "\n".join(f"{name} = {value!r}" for name, value in values.items())
    return f"{names}\n{PRELUDE}\n{program}\n"
