"""Attacks that use more than a box may have: processes, memory, disk, descriptors, processor and time."""

from typing import Final

from ay_bot.host.redteam import Attack, Off
from ay_bot.host.sandbox import MIB, BoxLimits, DriverName
from ay_bot.host.sandbox.guarantees import Guarantee

LIMITS: Final = BoxLimits(
    memory=256 * MIB,
    cpus=2,
    pids=64,
    work=24 * MIB,
    temporary=24 * MIB,
    inodes=4000,
    file_size=20 * MIB,
    open_files=256,
    wall=120,
)
"""What the boxes of this battery may use."""
RAISED: Final = BoxLimits(
    memory=2048 * MIB,
    cpus=2,
    pids=1024,
    work=256 * MIB,
    temporary=256 * MIB,
    inodes=100_000,
    file_size=512 * MIB,
    open_files=4096,
    wall=120,
)
"""What they may use in the control experiment."""

FILL: Final = """
written = 0
try:
    for number in range(8):
        with open(f"{place}/fill{{number}}", "wb") as file:
            for _ in range(12):
                written += file.write(bytes(1 << 20))
except OSError as error: print(error)
effect(f"{{written}} bytes") if written > {limit} else print(written)
for number in range(8):
    try: os.unlink(f"{place}/fill{{number}}")
    except OSError: pass
"""
FORK: Final = """
made = 0
try:
    while made < 300:
        if not os.fork():
            time.sleep(3)
            os._exit(0)
        made += 1
except OSError as error: print(error)
alive = sum(name.isdigit() for name in os.listdir("/proc"))
effect(f"{alive} processes") if alive > 70 else print(alive)
"""
THREADS: Final = """
import threading
made = 0
try:
    while made < 300:
        threading.Thread(target=time.sleep, args=(2,), daemon=True).start()
        made += 1
except RuntimeError as error: print(error)
effect(f"{made} threads") if made > 70 else print(made)
os._exit(0)
"""
MEMORY: Final = """
kept = []
child = os.fork()
if not child:
    for _ in range(400): kept.append(bytearray(os.urandom(1) * (1 << 20)))
    os._exit(7)
_, status = os.waitpid(child, 0)
effect("400 MiB in use") if status == 7 << 8 else print(status)
"""
SPREAD: Final = """
reader, writer = os.pipe()
children = []
for _ in range(8):
    child = os.fork()
    if not child:
        kept = bytearray(b"x") * (50 << 20)
        os.write(writer, b"y")
        time.sleep(30)
        os._exit(0)
    children.append(child)
had, end = b"", time.monotonic() + 12
while len(had) < 8 and not os.waitpid(-1, os.WNOHANG)[0] and time.monotonic() < end:
    import select
    if select.select([reader], [], [], 0.05)[0]: had += os.read(reader, 8)
time.sleep(0.2)
alive = 8 if len(had) == 8 and not os.waitpid(-1, os.WNOHANG)[0] else 0
effect("8 processes have 50 MiB each") if alive else print(had)
"""
PROCESSOR: Final = """
def used():
    ticks = os.times()
    return ticks.children_user + ticks.children_system
children = []
for _ in range(4):
    child = os.fork()
    if not child:
        end = time.monotonic() + 3
        while time.monotonic() < end: pass
        os._exit(0)
    children.append(child)
began = time.monotonic()
for child in children: os.waitpid(child, 0)
share = used() / (time.monotonic() - began)
effect(f"{share:.2f} processors") if share > 0.14 else print(share)
"""
HIDDEN: Final = """
import mmap
kept = []
child = os.fork()
if not child:
    for _ in range(8):
        shared = mmap.mmap(-1, 50 << 20)
        shared.write(bytes(50 << 20))
        shared.madvise(mmap.MADV_DONTNEED)
        kept.append(shared)
        time.sleep(0.2)
    time.sleep(0.5)
    os._exit(7)
_, status = os.waitpid(child, 0)
effect("400 MiB that are mapped nowhere") if status == 7 << 8 else print(status)
"""
NAMELESS: Final = """
child = os.fork()
if not child:
    try:
        for number in range(40):
            file = os.memfd_create(f"hidden{number}")
            for _ in range(10): os.write(file, bytes(1 << 20))
    except OSError as error:
        print(error, flush=True)
        os._exit(1)
    time.sleep(0.5)
    os._exit(7)
_, status = os.waitpid(child, 0)
effect("400 MiB in files without a name") if status == 7 << 8 else print(status)
"""
SEGMENTS: Final = """
import ctypes
library = ctypes.CDLL(None, use_errno=True)
library.shmat.restype = ctypes.c_void_p
child = os.fork()
if not child:
    for number in range(8):
        segment = library.shmget(0, 50 << 20, 0o1600)
        if segment < 0: os._exit(1)
        address = library.shmat(segment, None, 0)
        ctypes.memset(ctypes.c_void_p(address), 1, 50 << 20)
        library.shmdt(ctypes.c_void_p(address))
    time.sleep(0.5)
    os._exit(7)
_, status = os.waitpid(child, 0)
effect("400 MiB in segments") if status == 7 << 8 else print(status)
"""
INODES: Final = """
os.makedirs("/work/many", exist_ok=True)
made = 0
try:
    while made < 6000:
        open(f"/work/many/{made}", "w").close()
        made += 1
except OSError as error: print(error)
import shutil
shutil.rmtree("/work/many")
effect(f"{made} files") if made > 4000 else print(made)
"""
MANY_INODES: Final = """
made = 0
try:
    for name in range(300):
        os.makedirs(f"/work/many/{name}", exist_ok=True)
        for number in range(1000):
            os.close(os.open(f"/work/many/{name}/{number}", os.O_CREAT | os.O_WRONLY))
            made += 1
except OSError as error: print(error)
effect(f"{made} files") if made > 250000 else print(made)
"""
BIG_FILE: Final = """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
file = os.open("big", os.O_RDWR | os.O_CREAT)
try: os.{how}
except OSError as error: print(error)
size = os.fstat(file).st_size
effect(f"a file of {{size}} bytes") if size > 20 << 20 else print(size)
"""
DESCRIPTORS: Final = """
kept = []
try:
    while len(kept) < 1000: kept.append(os.open("/dev/null", os.O_RDONLY))
except OSError as error: print(error)
effect(f"{len(kept)} descriptors") if len(kept) > 256 else print(len(kept))
"""
DEAF: Final = "signal.signal(15, signal.SIG_IGN)\ntime.sleep(2)\neffect('2 s')"
SHARED: Final = FILL.format(place="/dev/shm", limit=17 << 20)  # noqa: S108 - in the box
DOCKER: Final[tuple[DriverName, ...]] = ("docker",)
BUBBLEWRAP: Final[tuple[DriverName, ...]] = ("bubblewrap",)


def _attack(
    name: str, about: str, program: str, guarantee: Guarantee | None = None, *, timeout: float = 20.0
) -> Attack:
    return Attack(
        id=f"resource-{name}",
        category="resources",
        about=about,
        program=program,
        off=(Off.LIMITS,),
        alone=guarantee is not None,
        guarantee=guarantee,
        timeout=timeout,
    )


ATTACKS: Final = (
    _attack("processes", "a fork bomb", FORK, "processes"),
    _attack("threads", "threads without end", THREADS, "processes"),
    _attack("memory", "one process that takes 400 MiB of 256", MEMORY, "memory"),
    _attack("memory-spread", "eight processes that take 50 MiB each, of 256", SPREAD, "memory"),
    _attack("memory-hidden", "400 MiB of shared memory, of 256, that no process has mapped", HIDDEN, "memory"),
    _attack("memory-nameless", "400 MiB in files without a name, of 256", NAMELESS, "memory"),
    _attack("memory-segments", "400 MiB in System V's segments, of 256", SEGMENTS, "memory"),
    _attack("processor", "four busy processes, for a tenth of a processor", PROCESSOR, "cpu").model_copy(
        update={"cpus": 0.1}
    ),
    _attack("workspace", "96 MiB in /work", FILL.format(place="/work", limit=25 << 20)),
    _attack("scratch", "96 MiB in /tmp", FILL.format(place="/tmp", limit=25 << 20)),  # noqa: S108
    _attack("shared-memory", "96 MiB in /dev/shm", SHARED),
    _attack("inodes", "6000 files", INODES, "inodes").model_copy(update={"drivers": DOCKER}),
    _attack("inodes-many", "300,000 files, of 4000", MANY_INODES, "inodes", timeout=60.0).model_copy(
        update={"drivers": BUBBLEWRAP}
    ),
    _attack("file-size", "a file of 30 MiB", BIG_FILE.format(how="pwrite(file, bytes(1), 30 << 20)")),
    _attack("sparse", "a sparse file of 300 MiB", BIG_FILE.format(how="truncate(file, 300 << 20)")),
    _attack("descriptors", "a thousand descriptors", DESCRIPTORS),
    _attack(
        "time",
        "a command that goes on after its time",
        "signal.signal(15, 1)\ntime.sleep(2)\neffect('2 s')",
        timeout=0.7,
    ),
    _attack(
        "time-fork",
        "children that go on when the command's time is over",
        "for _ in range(5): os.fork()\nos.setsid() if os.getpid() != os.getsid(0) else 0\ntime.sleep(2)\neffect('2 s')",
        timeout=0.7,
    ),
)
