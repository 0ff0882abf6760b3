"""The purse of a run: what the next call may cost is reserved before it is sent, and settled when it is paid."""

import threading
from typing import NamedTuple

from ay_bot.protocol.conversation import Usage
from ay_bot.protocol.messages import Budget

BYTES_PER_TOKEN = 3.0  # code and JSON have 3 to 4; fewer bytes for a token means a higher estimate
MARGIN = 1.1
LEARNING = 0.3
LEAST_ANSWER = 256  # tokens; a call that can't have that many is not worth sending
LEAST_TELLING = 2_000  # bytes; what a provider adds by itself is most of what it counts for less
USUAL_ANSWER = 16_384  # tokens reserved where a model's own limit is not known


class Price(NamedTuple):
    """US dollars for one token."""

    prompt: float
    completion: float


class Reservation(NamedTuple):
    """What a call may use. `answer_limit` is to be sent along with it, if it is not None."""

    tokens: int
    cost_usd: float
    answer_limit: int | None
    prompt_bytes: int


class Refused(NamedTuple):
    """The call does not fit into what is left."""

    message: str


class Estimator:
    """Tokens of a prompt by its bytes: cautious at first, then learnt from what providers count."""

    def __init__(self) -> None:
        self._tokens_per_byte: float | None = None

    def prompt_tokens(self, size: int) -> int:
        """Return an upper bound for the tokens of `size` bytes."""
        rate = 1 / BYTES_PER_TOKEN if self._tokens_per_byte is None else self._tokens_per_byte * MARGIN
        return int(size * rate) + 1

    def learn(self, size: int, tokens: int) -> None:
        """Take in that `size` bytes were `tokens` tokens."""
        if size < LEAST_TELLING or tokens <= 0:
            return
        seen = min(max(tokens / size, 0.1), 1.0)
        known = self._tokens_per_byte
        self._tokens_per_byte = seen if known is None else max(seen, known + LEARNING * (seen - known))


class Purse:
    """What a run may spend, has spent and has promised; safe to use from several threads. A cap of 0 means none."""

    def __init__(self, max_cost_usd: float, max_tokens: int) -> None:
        self._max_cost = max_cost_usd
        self._max_tokens = max_tokens
        self._lock = threading.Lock()
        self._promised: list[Reservation] = []
        self._cost = 0.0
        self._cost_known = True
        self._tokens = 0
        self._estimator = Estimator()

    @property
    def capped(self) -> bool:
        """Whether there is any cap."""
        return bool(self._max_cost or self._max_tokens)

    def estimate(self, prompt_bytes: int) -> int:
        """Return an upper bound for the tokens of a prompt of so many bytes."""
        with self._lock:
            return self._estimator.prompt_tokens(prompt_bytes)

    def charge(self, prompt: int, answer: int, price: Price | None) -> None:
        """Count tokens of a call that failed after it began to answer: they are paid for all the same."""
        with self._lock:
            self._tokens += prompt + answer
            self._cost += prompt * price.prompt + answer * price.completion if price else 0.0

    def reserve(self, prompt_bytes: int, wanted: int, price: Price | None) -> Reservation | Refused:
        """Reserve for a prompt of so many bytes and an answer of up to `wanted` tokens, or of as many as fit."""
        with self._lock:
            prompt = self._estimator.prompt_tokens(prompt_bytes)
            affordable, problem = self._affordable_answer(prompt, price)
            if affordable is not None and affordable < min(wanted, LEAST_ANSWER):
                return Refused(problem)
            answer = wanted if affordable is None else min(wanted, affordable)
            cost = prompt * price.prompt + answer * price.completion if price else 0.0
            reservation = Reservation(prompt + answer, cost, answer if self.capped else None, prompt_bytes)
            self._promised.append(reservation)
            return reservation

    def _affordable_answer(self, prompt: int, price: Price | None) -> tuple[int | None, str]:
        """Return how many tokens of answer still fit (None: any number), and the words for too few."""
        fits: list[tuple[float, str]] = []
        if self._max_tokens:
            left = self._max_tokens - self._tokens - sum(promise.tokens for promise in self._promised)
            what = f"the next call may use about {prompt + LEAST_ANSWER:,} tokens"
            fits.append((left - prompt, f"{what}, and {max(left, 0):,} of {self._max_tokens:,} are left"))
        if self._max_cost and price:
            money = self._max_cost - self._cost - sum(promise.cost_usd for promise in self._promised)
            what = f"the next call may cost ${prompt * price.prompt + LEAST_ANSWER * price.completion:.4f}"
            room = (money - prompt * price.prompt) / price.completion if price.completion else float("inf")
            if money < prompt * price.prompt:
                room = -1
            fits.append((room, f"{what}, and ${max(money, 0):.4f} of ${self._max_cost:.2f} are left"))
        room, problem = min(fits, default=(float("inf"), ""))
        return (None if room == float("inf") else int(room)), problem

    def settle(self, reservation: Reservation, usage: Usage) -> None:
        """Replace what was reserved by what was used."""
        with self._lock:
            self._promised.remove(reservation)
            self._tokens += usage.prompt_tokens + usage.completion_tokens
            self._cost_known = self._cost_known and usage.cost_usd is not None
            self._cost += usage.cost_usd or 0.0
            self._estimator.learn(reservation.prompt_bytes, usage.prompt_tokens)

    def release(self, reservation: Reservation) -> None:
        """Give back what was reserved for a call that failed."""
        with self._lock:
            self._promised.remove(reservation)

    def state(self) -> Budget:
        """Return what has been spent."""
        with self._lock:
            shares = [0.0]
            if self._max_tokens:
                shares.append(self._tokens / self._max_tokens)
            if self._max_cost:
                shares.append(self._cost / self._max_cost)
            return Budget(
                spent=min(max(shares), 1.0), cost_usd=self._cost if self._cost_known else None, tokens=self._tokens
            )
