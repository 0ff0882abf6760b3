"""One target in one process: `python -m fuzz.one NAME INPUTS [SEED]` feeds it, and prints what it saw as JSON.

With atheris installed the inputs are guided by what they reach in ay_bot's code; without it they are blind. What broke
a promise is kept in build/fuzz, and the process ends with an error.
"""

import contextlib
import importlib
import json
import random
import resource
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from fuzz.mutation import Mutator
from fuzz.places import directory, tidied
from fuzz.target import Target

FOUND = Path(__file__).parent.parent / "build" / "fuzz"
POOL = 300
BLIND = "--blind"
HANG = 30
"""Seconds of the clock after which libFuzzer ends the process."""


class Run:
    """Feeds one target and counts."""

    def __init__(self, name: str, target: Target, inputs: int) -> None:
        self._name = name
        self._target = target
        self._inputs = inputs
        self._count = 0
        self.counts: Counter[str] = Counter()
        self._slowest = 0.0
        self._began = time.monotonic()
        self._began_cpu = time.process_time()

    def __call__(self, data: bytes) -> None:
        """Feed one input."""
        began = time.thread_time()
        try:
            self._target.parse(data)
        except self._target.documented as error:
            self.counts[type(error).__name__] += 1
        except Exception as error:
            self._keep(data, f"{type(error).__name__}: {error}")
            raise
        taken = time.thread_time() - began
        if taken > self._slowest:
            self._slowest = taken
            if taken > self._target.seconds:
                self._keep(
                    data, f"it took {taken:.2f} s of processor time; at most {self._target.seconds:g} are allowed"
                )
                raise SystemExit(1)
        self._count += 1
        if self._count == self._inputs:
            self.tell()

    @property
    def raised(self) -> int:
        """How many inputs ended in one of the documented exceptions."""
        return self.counts.total()

    def tell(self) -> None:
        """Print what was seen; too much memory is an error, too."""
        megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        told = {
            "target": self._name,
            "inputs": self._count,
            "seconds": round(time.monotonic() - self._began, 2),
            "cpu": round(time.process_time() - self._began_cpu, 2),
            "raised": dict(self.counts),
            "slowest_ms": round(self._slowest * 1000, 1),
            "megabytes": megabytes,
        }
        sys.stdout.write(f"FUZZED {json.dumps(told)}\n")
        sys.stdout.flush()
        if megabytes > self._target.megabytes:
            sys.stderr.write(f"{self._name}: {megabytes} MB; at most {self._target.megabytes} are allowed\n")
            raise SystemExit(1)

    def _keep(self, data: bytes, why: str) -> None:
        FOUND.mkdir(parents=True, exist_ok=True)
        path = FOUND / f"{self._name}-{sha256(data).hexdigest()[:12]}"
        path.write_bytes(data)
        sys.stderr.write(f"{self._name}: {why}\n{path}\n{traceback.format_exc()}\n")


def load(name: str) -> Target:
    """Return a target by the name of its module."""
    return importlib.import_module(f"fuzz.targets.{name}").TARGET


def guided(name: str, inputs: int, seed: int) -> None:
    """Let atheris choose the inputs."""
    import atheris

    with atheris.instrument_imports(include=["ay_bot"], enable_loader_override=False):
        target = load(name)
    inputs = max(int(inputs * target.share), 1)
    run = Run(name, target, inputs)
    # Looked up at each call: the real one takes its place when fuzzing begins.
    mutate = Mutator(target.shape, target.seeds, lambda data, most: atheris.Mutate(data, most))  # noqa: PLW0108
    corpus = directory("corpus")
    for number, content in enumerate(target.seeds):
        if len(content) <= target.longest:
            (corpus / f"seed-{number:03}").write_bytes(content)
    limits = [
        f"-runs={inputs}",
        f"-seed={seed}",
        f"-max_len={target.longest}",
        f"-timeout={HANG}",
        "-mutate_depth=2",
    ]
    limits += [
        f"-rss_limit_mb={target.megabytes + 200}",
        "-print_final_stats=1",
        f"-artifact_prefix={FOUND}/{name}-",
    ]
    FOUND.mkdir(parents=True, exist_ok=True)
    atheris.Setup([sys.argv[0], *limits, str(corpus)], run, custom_mutator=mutate)
    atheris.Fuzz()


def blind(name: str, inputs: int, seed: int) -> None:
    """Mutate seeds and what came of them, without looking at what they reach."""
    target = load(name)
    inputs = max(int(inputs * target.share), 1)
    run = Run(name, target, inputs)
    chance = random.Random(seed)
    mutate = Mutator(target.shape, target.seeds, _plain(chance))
    pool = list(target.seeds)
    for data in target.seeds[:inputs]:
        run(data)
    for _ in range(inputs - min(inputs, len(target.seeds))):
        known = run.raised
        data = mutate(
            chance.choice(target.seeds if chance.random() < 0.6 else pool), target.longest, chance.getrandbits(32)
        )
        run(data)
        if run.raised == known or chance.random() < 0.02:  # it got through: what comes of it goes deeper
            pool.append(data)
            if len(pool) > POOL:
                pool.pop(chance.randrange(POOL))


def _plain(chance: random.Random) -> Callable[[bytes, int], bytes]:
    def mutate(data: bytes, most: int) -> bytes:
        out = bytearray(data or b"x")
        for _ in range(chance.choice((1, 1, 2, 8))):
            at = chance.randrange(len(out)) if out else 0
            out[at : at + chance.choice((0, 1, 1, 4))] = chance.randbytes(chance.choice((0, 1, 1, 4)))
        return bytes(out[:most])

    return mutate


def main(arguments: list[str]) -> None:
    """Fuzz one target."""
    name, inputs, *more = (argument for argument in arguments if argument != BLIND)
    seed = int(more[0]) if more else 1
    guidable = False
    if BLIND not in arguments:
        with contextlib.suppress(ImportError):
            import atheris  # noqa: F401

            guidable = True
    tidied(lambda: (guided if guidable else blind)(name, int(inputs), seed))


if __name__ == "__main__":
    main(sys.argv[1:])
