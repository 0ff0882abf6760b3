"""The program that reads files for the index: a process of its own, since what it reads may be made to break it.

It takes jobs from its input and answers each on its output. A job that takes too much processor time kills it, by a
clock that was set before; whoever started it goes on with another.
"""

import resource
import signal
import struct
import sys
from collections.abc import Iterator
from typing import IO, Final

from ay_bot.outline.digest import COLUMNS, Digest

_COUNT: Final = struct.Struct("<I")
_HEAD: Final = struct.Struct("<?I")
_FILE: Final = struct.Struct("<?II")
_ROW: Final = struct.Struct(f"<{len(COLUMNS)}I")
_MEMORY: Final = 1536 * 1024 * 1024
_WELL_FED: Final = 36 * 1024 * 1024  # a worker that has grown to this makes way for another; it begins with 18
_LARGEST_JOB: Final = 64 * 1024 * 1024

File = tuple[str, bytes, bool]
"""A file's path, its bytes, and whether a grammar may parse it."""


def pack_job(files: list[File]) -> bytes:
    """Return a job as the bytes that a worker reads."""
    parts = [_COUNT.pack(len(files))]
    for path, text, parsed in files:
        name = path.encode("utf-8", "surrogateescape")
        parts += (_FILE.pack(parsed, len(name), len(text)), name, text)
    job = b"".join(parts)
    return _COUNT.pack(len(job)) + job


def unpack_job(job: bytes) -> Iterator[File]:
    """Yield the files of a job."""
    (count,) = _COUNT.unpack_from(job)
    at = _COUNT.size
    for _ in range(count):
        parsed, name_size, size = _FILE.unpack_from(job, at)
        at += _FILE.size + name_size + size
        yield job[at - size - name_size : at - size].decode("utf-8", "surrogateescape"), job[at - size : at], parsed


def pack_answer(digests: list[Digest], *, last: bool = False) -> bytes:
    """Return a worker's answer: whether it ends with it, and the rows of a job's files, in their order."""
    parts = [_HEAD.pack(last, len(digests))]
    for digest in digests:
        parts.append(_ROW.pack(*map(len, digest.columns)))
        parts.extend(digest.columns)
    answer = b"".join(parts)
    return _COUNT.pack(len(answer)) + answer


def unpack_answer(answer: bytes) -> tuple[bool, list[Digest]]:
    """Return whether a worker has ended, and the rows of its answer. Raises ValueError if it is none."""
    digests = []
    try:
        last, count = _HEAD.unpack_from(answer)
        at = _HEAD.size
        for _ in range(count):
            columns = []
            sizes = _ROW.unpack_from(answer, at)
            at += _ROW.size
            for size in sizes:
                columns.append(answer[at : at + size])
                at += size
            digests.append(Digest(tuple(columns)))
    except struct.error as error:
        raise ValueError(str(error)) from None
    if at != len(answer):
        raise ValueError("the answer has another size than it says")
    return last, digests


def read_sized(stream: IO[bytes]) -> bytes:
    """Return the next message of a stream, or nothing at its end."""
    head = stream.read(_COUNT.size)
    if len(head) < _COUNT.size:
        return b""
    (size,) = _COUNT.unpack(head)
    return stream.read(size) if size <= _LARGEST_JOB else b""


def main() -> None:
    """Answer jobs until there are no more."""
    from ay_bot.outline.confining import confine
    from ay_bot.outline.reading import Reader

    seconds = float(sys.argv[-1])
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    reader = Reader()
    confine()
    while job := read_sized(sys.stdin.buffer):
        signal.setitimer(signal.ITIMER_PROF, seconds)
        digests = [reader.read(path, text, parsed=parsed) for path, text, parsed in unpack_job(job)]
        signal.setitimer(signal.ITIMER_PROF, 0)
        last = own_memory() > _WELL_FED
        sys.stdout.buffer.write(pack_answer(digests, last=last))
        sys.stdout.buffer.flush()
        if last:
            return


def own_memory() -> int:
    """Return how many bytes of memory this process holds by itself; grammars are files, which others may share."""
    with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - it is read after every job
        _, resident, shared, *_ = map(int, file.read().split())
        return (resident - shared) * resource.getpagesize()


if __name__ == "__main__":
    main()
