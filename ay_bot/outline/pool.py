"""The workers: each file is given to one of them, and what comes back is a digest whatever became of the worker."""

import contextlib
import queue
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import Final, Self

from ay_bot.outline.digest import FAILED, Digest, empty_digest, is_sound
from ay_bot.outline.worker import pack_job, read_sized, unpack_answer

WORKERS: Final = 2
JOB_SECONDS: Final = 4.0
_JOB_BYTES: Final = 192 * 1024
_JOB_FILES: Final = 32
_WAITING: Final = 6
_MOST_DEATHS: Final = 40  # after which nothing is parsed any more: somebody made this repository to be slow

Text = tuple[str, str, bytes]
"""A blob's id, a path under which it stands, its bytes."""
Read = tuple[str, Digest]


class Worker:
    """One process that reads files, started again when it has died."""

    def __init__(self, seconds: float = JOB_SECONDS) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False
        self.deaths = 0

    def read(self, texts: list[Text]) -> list[Read]:
        """Return the digests of some files, found together or, if that fails, one by one and then without a grammar."""
        careful = self.deaths >= _MOST_DEATHS
        digests = self._ask(texts, parsed=not careful)
        if digests is not None:
            return [(text[0], digest) for text, digest in zip(texts, digests, strict=True)]
        if len(texts) > 1:
            return [found for text in texts for found in self.read([text])]
        digests = None if careful else self._ask(texts, parsed=False)
        return [(texts[0][0], digests[0] if digests else empty_digest(FAILED, len(texts[0][2])))]

    def _ask(self, texts: list[Text], *, parsed: bool) -> list[Digest] | None:
        if self._ended:
            return None
        process = self._process = self._process or start(self._seconds)
        assert process.stdin, process.stdout  # noqa: S101
        last, digests = False, list[Digest]()
        with contextlib.suppress(OSError, ValueError):
            process.stdin.write(pack_job([(path, text, parsed) for _, path, text in texts]))
            process.stdin.flush()
            last, digests = unpack_answer(read_sized(process.stdout))  # type: ignore[arg-type]
        if len(digests) == len(texts) and all(is_sound(digest.columns) for digest in digests):
            if last:
                self.close()
            return digests
        self.deaths += 1
        self.close()
        return None

    def end(self) -> None:
        """End for good, whoever still waits for an answer: there is none any more."""
        self._ended = True
        self.close()

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError, ValueError):
                if pipe:
                    pipe.close()


def start(seconds: float) -> subprocess.Popen[bytes]:
    """Start a worker with the modules of this process, and nothing of its environment."""
    code = f"import sys; sys.path[:] = {sys.path!r}; from ay_bot.outline.worker import main; main()"
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", code, str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "1000000", "MALLOC_MMAP_THRESHOLD_": "1000000"},
        cwd="/",
    )


class Pool:
    """Workers side by side. Use it as a context manager."""

    def __init__(self, workers: int = WORKERS, seconds: float = JOB_SECONDS) -> None:
        self._jobs: queue.Queue[list[Text] | None] = queue.Queue(_WAITING)
        self._answers: queue.Queue[list[Read] | None] = queue.Queue(_WAITING)
        self._workers = [Worker(seconds) for _ in range(workers)]
        self._threads: list[threading.Thread] = []
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        self._threads = [threading.Thread(target=self._serve, args=(w,), daemon=True) for w in self._workers]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.end()

    @property
    def deaths(self) -> int:
        """How often a worker has died."""
        return sum(worker.deaths for worker in self._workers)

    def read(self, texts: Iterable[Text]) -> Iterator[list[Read]]:
        """Yield the digests of all texts, in no order."""
        feeder = threading.Thread(target=self._feed, args=(texts,), daemon=True)
        feeder.start()
        left = len(self._workers)
        while left:
            answer = self._answers.get()
            if answer is None:
                left -= 1
            else:
                yield answer
        feeder.join()
        if self._failure:
            raise self._failure

    def _feed(self, texts: Iterable[Text]) -> None:
        try:
            for job in gather(texts):
                self._jobs.put(job)
        except BaseException as failure:  # noqa: BLE001 - raised again where the answers are read
            self._failure = failure
        finally:
            for _ in self._workers:
                self._jobs.put(None)

    def _serve(self, worker: Worker) -> None:
        while job := self._jobs.get():
            self._answers.put(worker.read(job))
        self._answers.put(None)


def gather(texts: Iterable[Text]) -> Iterator[list[Text]]:
    """Yield small files together, so that few messages carry many."""
    job: list[Text] = []
    size = 0
    for text in texts:
        job.append(text)
        size += len(text[2])
        if size >= _JOB_BYTES or len(job) >= _JOB_FILES:
            yield job
            job, size = [], 0
    if job:
        yield job
