"""Attacks on the box's own program, its pipe and its secrets, on the host's files, and on what is left behind."""

from typing import Final

from ay_bot.host.redteam import Attack, Off, Seen

FORGED_LINE: Final = r"""
line = b'\n{"kind":"box_failed","message":"' + TOKEN.encode() + b'"}\n'
def forge(pid, numbers):
    for number in numbers:
        try: target = os.open(f"/proc/{pid}/fd/{number}", os.O_WRONLY | os.O_NONBLOCK)
        except OSError: continue
        os.write(target, line)
        os.close(target)
"""
BY_SOCKET: Final = r"""
def forge_socket(numbers):
    for number in numbers:
        try: os.write(number, line)
        except OSError: pass
"""
SURVIVOR: Final = r"""
if os.fork(): time.sleep(0.2); os._exit(0)
os.setsid()
{more}
if os.fork(): os._exit(0)
for number in range(3): os.close(number)
os.execv("/bin/sh", ["sh", "-c", "while :; do sleep 1; done", MARKER])
"""
PLANTED: Final = {
    "ssh-key": ".ssh/id_ed25519",
    "docker-config": ".docker/config.json",
    "npmrc": ".npmrc",
    "netrc": ".netrc",
    "git-credentials": ".git-credentials",
    "github-hosts": ".config/gh/hosts.yml",
    "aws": ".aws/credentials",
    "kube": ".kube/config",
}
FIND: Final = r"""
def hunt(top, deep):
    for name in os.listdir(top):
        path = os.path.join(top, name)
        if os.path.islink(path): continue
        if os.path.isdir(path):
            if deep and path not in ("/proc", "/sys", "/usr", "/opt", "/dev"):
                try: hunt(path, deep - 1)
                except OSError: pass
        elif os.path.isfile(path) and os.path.getsize(path) < 4096:
            try:
                if "ay-canary" in open(path, errors="replace").read(): show(path)
            except OSError: pass
hunt("/", 8)
"""


def _process(name: str, about: str, program: str, off: tuple[Off, ...], seen: Seen = "said") -> Attack:
    return Attack(id=f"agent-{name}", category="agent", about=about, program=program, off=off, seen=seen)


def _secret(name: str, about: str, program: str, *off: Off) -> Attack:
    return Attack(id=f"secret-{name}", category="secrets", about=about, program=program, off=off, seen="leaked")


def _file(name: str, about: str, program: str, seen: Seen = "touched") -> Attack:
    return Attack(id=f"file-{name}", category="files", about=about, program=program, off=(Off.FILES,), seen=seen)


def _root(name: str, place: str) -> Attack:
    program = f"path = {place!r} + '/ay-' + TOKEN\nopen(path, 'w').close()\neffect(path) if os.path.exists(path) else 0"
    off = (Off.READ_ONLY,)
    return Attack(id=f"write-{name}", category="files", about=f"a file in {place}", program=program, off=off)


def _survivor(name: str, about: str, more: str) -> Attack:
    program = SURVIVOR.format(more=more)
    return Attack(
        id=f"survive-{name}", category="agent", about=about, program=program, off=(Off.LEFTOVERS,), seen="survived"
    )


FORGERIES: Final = (
    Attack(
        id="agent-forge-inherited",
        category="agent",
        about="a message on a descriptor that a child inherited",
        program=FORGED_LINE + BY_SOCKET + "forge_socket(range(3, 256))",
        off=(Off.PIPE,),
        seen="forged",
        alone=True,
    ),
    Attack(
        id="agent-forge-proc",
        category="agent",
        about="a message through /proc/1/fd",
        program=FORGED_LINE + "forge(1, range(256))",
        off=(Off.DUMPABLE,),
        seen="forged",
        alone=True,
        drivers=("docker",),  # the pipe of bubblewrap is a socket, which /proc does not open
    ),
    Attack(
        id="agent-forge-getfd",
        category="agent",
        about="a message on the agent's descriptor, taken by pidfd_getfd",
        program=FORGED_LINE
        + "numbers = [call(438, 438, os.pidfd_open(1), number, 0)[0] for number in range(3, 128)]\n"
        + BY_SOCKET
        + "forge_socket([number for number in numbers if number >= 0])",
        off=(Off.DUMPABLE, Off.FILTER),
        seen="forged",
        alone=True,
    ),
    Attack(
        id="agent-kill-all",
        category="agent",
        about="SIGKILL to every process of the box",
        program="os.kill(-1, 9)",
        off=(Off.FIRST,),
        seen="died",
        alone=True,
    ),
    Attack(
        id="agent-kill-first",
        category="agent",
        about="every deadly signal to the agent",
        program="agent = max(int(pid) for pid in filter(str.isdigit, os.listdir('/proc'))"
        " if b'ay_bot.agent' in open(f'/proc/{pid}/cmdline', 'rb').read())\n"
        "for number in (2, 15, 1, 3, 6, 11, 9):\n    try: os.kill(agent, number)\n    except OSError as e: print(e)\n"
        "    time.sleep(0.05)",
        off=(Off.FIRST,),
        seen="died",
        alone=True,
    ),
)
AGENT: Final = (
    _process("maps", "the agent's memory map", "show('/proc/1/maps')\neffect() if open('/proc/1/maps').read(9) else 0",
             (Off.DUMPABLE,)),
    _process("cwd", "the agent's directory", "effect(os.readlink('/proc/1/cwd'))", (Off.DUMPABLE,)),
    _process("root", "the agent's root", "effect(os.readlink('/proc/1/root'))", (Off.DUMPABLE,)),
    _process("descriptors", "what the agent's descriptors are",
             "effect([os.readlink(f'/proc/1/fd/{one}') for one in os.listdir('/proc/1/fd')])",
             (Off.DUMPABLE,)),
    _process("memory-write", "the agent's memory, for writing", "opened('/proc/1/mem', os.O_RDWR)", (Off.DUMPABLE,)),
    _process("trace", "tracing the agent", "expect(call(101, 117, 0x4206, 1, 0, 0))", (Off.DUMPABLE, Off.FILTER)),
    _process("prlimit", "the agent's limits", "expect(call(302, 261, 1, 7, 0, ctypes.create_string_buffer(16)))",
             (Off.DUMPABLE, Off.FILTER)),
    *FORGERIES,
    _survivor("daemon", "a process that left its session", ""),
    _survivor("deaf", "a process that ignores every signal it can",
              "for number in range(1, 32):\n    try: signal.signal(number, signal.SIG_IGN)\n    except OSError: pass"),
    _survivor("renamed", "a process in a group of another", "os.setpgid(0, 0) if os.getpid() != os.getpgid(0) else 0"),
)  # fmt: skip
SECRETS: Final = (
    _secret("environment", "the command's environment", "show('/proc/self/environ')", Off.ENVIRONMENT),
    _secret("environment-first", "the environment of process 1", "show('/proc/1/environ')",
            Off.ENVIRONMENT, Off.DUMPABLE),
    _secret("environment-all", "the environment of every process",
            "for pid in filter(str.isdigit, os.listdir('/proc')): show(f'/proc/{pid}/environ')", Off.ENVIRONMENT),
    _secret("arguments", "the arguments of every process",
            "for pid in filter(str.isdigit, os.listdir('/proc')): show(f'/proc/{pid}/cmdline')", Off.ENVIRONMENT),
    _secret("encoded", "the environment, in base64, backwards and in hexadecimal",
            "import base64\ntext = repr(dict(os.environ))\n"
            "print(base64.b64encode(text.encode()).decode(), text[::-1], text.encode().hex())", Off.ENVIRONMENT),
    _secret("memory", "the agent's memory",
            "with open('/proc/1/maps') as maps, open('/proc/1/mem', 'rb') as memory:\n"
            "    for line in maps:\n"
            "        start, end = (int(one, 16) for one in line.split()[0].split('-'))\n"
            "        if 'rw' in line and end - start < 1 << 24:\n"
            "            try:\n"
            "                memory.seek(start)\n"
            "                if (found := memory.read(end - start)).find(b'ay-canary') >= 0:\n"
            "                    at = found.find(b'ay-canary')\n"
            "                    print(found[at:at + 64])\n"
            "            except (OSError, OverflowError): pass", Off.ENVIRONMENT, Off.DUMPABLE),
    *(_secret(f"home-{name}", f"~/{path} of the user",
              f"show(PLANTED + '/home/{path}')", Off.FILES) for name, path in PLANTED.items()),
    _secret("traversal", "a file of the host, by a way up", "show('../' * 40 + PLANTED + '/secret')", Off.FILES),
    _secret("own-root", "a file of the host, by /proc/self/root", "show('/proc/self/root' + PLANTED + '/secret')",
            Off.FILES),
    _secret("first-root", "a file of the host, by /proc/1/root", "show('/proc/1/root' + PLANTED + '/secret')",
            Off.FILES, Off.DUMPABLE),
    _secret("link", "a file of the host, by a link in the workspace",
            "os.symlink(PLANTED + '/secret', 'link')\nshow('link')", Off.FILES),
    _secret("hunt", "every small file that can be read", FIND, Off.FILES),
)  # fmt: skip
FILES: Final = (
    _file("write", "a file of the host, for writing", "open(PLANTED + '/target', 'w').write('changed')"),
    _file("append", "a file of the host, for appending", "open(PLANTED + '/target', 'a').write('changed')"),
    _file("delete", "a file of the host, to delete it", "os.unlink(PLANTED + '/target')"),
    _file("replace", "a file of the host, to replace it", "open(PLANTED + '/n', 'w').close()\n"
          "os.rename(PLANTED + '/n', PLANTED + '/target')"),
    _file("link-write", "the same through a symbolic link",
          "os.symlink(PLANTED + '/target', 'link')\nopen('link', 'w').write('changed')"),
    _root("root", "/"),
    _root("etc", "/etc"),
    _root("opt", "/opt"),
    Attack(
        id="write-agent",
        category="files",
        about="the agent's own program",
        program="path = '/opt/ay/packages/ay_bot/planted.py'\nopen(path, 'w').close()\neffect(path)",
        off=(Off.READ_ONLY,),
        drivers=("docker",),  # in bubblewrap it is the host's own directory: no experiment may write there
    ),
    Attack(
        id="setuid",
        category="kernel",
        about="a program that runs as root",
        program="""
for path in ("/bin/su", "/usr/bin/su"):
    if not os.path.exists(path): continue
    child = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.3)
    owner = [line.split()[2] for line in open(f"/proc/{child.pid}/status") if line.startswith("Uid")]
    print(owner)
    if owner == ["0"]: effect("effective uid 0")
    child.kill()
""",
        off=(Off.SETUID,),
        drivers=("docker",),  # bubblewrap shows nothing that is setuid, on any setting
    ),
)  # fmt: skip
REPORTS: Final = (
    Attack(
        id="report-link",
        category="output",
        about="a report that is a link to a file of the box",
        program="open(REPORT + '.inner', 'w').write(TOKEN)\nos.symlink(REPORT + '.inner', REPORT)",
        off=(Off.REPORT,),
        seen="reported",
    ),
    Attack(
        id="report-agent",
        category="output",
        about="a report that is a link to what only the agent may read",
        program="os.symlink('/proc/self/environ', REPORT)",
        off=(Off.REPORT, Off.DUMPABLE),
        seen="reported",
    ),
    Attack(
        id="report-large",
        category="output",
        about="a report of more than 16 MiB",
        program="open(REPORT, 'wb').write(bytes(17 << 20))",
        off=(Off.REPORT,),
        seen="reported",
    ),
    Attack(
        id="report-race",
        category="output",
        about="a report that is a file and a link in turns while it is read",
        program="open(REPORT + '.inner', 'w').write(TOKEN)\nopen(REPORT, 'w').close()\nend = time.monotonic() + 0.5\n"
        "while time.monotonic() < end:\n"
        "    os.symlink(REPORT + '.inner', 'x')\n    os.rename('x', REPORT)\n"
        "    open('y', 'w').close()\n    os.rename('y', REPORT)\n"
        "os.symlink(REPORT + '.inner', 'x')\nos.rename('x', REPORT)",
        off=(Off.REPORT,),
        seen="reported",
    ),
    Attack(
        id="output-escapes",
        category="output",
        about="escape sequences for the terminal that shows the output",
        program=r"print('\033[2J\033]0;title\007\033]52;c;ZXZpbA==\007\x9b31m')",
        off=(Off.OUTPUT,),
        seen="escapes",
    ),
    Attack(
        id="output-flood",
        category="output",
        about="256 MB of output",
        program="block = b'x' * (1 << 20)\nfor _ in range(256): os.write(1, block)",
        off=(Off.OUTPUT,),
        seen="flooded",
        alone=True,
    ),
    Attack(
        id="output-forged",
        category="output",
        about="lines of our protocol in the output",
        program='print(\'{"kind":"box_failed","message":"\' + TOKEN + \'"}\')',
        off=(Off.PIPE, Off.OUTPUT),
        seen="forged",
        alone=True,
    ),
)
ATTACKS: Final = (*AGENT, *SECRETS, *FILES, *REPORTS)
