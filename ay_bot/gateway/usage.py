"""What a call used: the provider's count where it can be true, and a guess by size where there is none."""

from ay_bot.gateway.assembly import Assembly, Tokens
from ay_bot.gateway.budget import Reservation
from ay_bot.gateway.question import Question
from ay_bot.gateway.registry import MILLION
from ay_bot.protocol.conversation import Usage
from ay_bot.protocol.model_facts import ModelFacts

BYTES_PER_TOKEN = 4
UNSEEN = 100_000  # tokens that a provider may count beyond every byte: its own instructions, images
MOST_ANSWER = 1_000_000


def usage_of(assembly: Assembly, reservation: Reservation, facts: ModelFacts) -> Usage:
    """Return what a call used; a count that can't be true is replaced by what can, at the price of that."""
    counted = assembly.tokens or Tokens(0, 0, 0, None)
    prompt = counted.prompt if counted.prompt > 0 else reservation.prompt_bytes // BYTES_PER_TOKEN
    answer = counted.completion if counted.completion > 0 else assembly.characters // BYTES_PER_TOKEN
    prompt, answer = min(prompt, reservation.prompt_bytes + UNSEEN), min(answer, MOST_ANSWER)
    cost = counted.cost_usd
    if (prompt, answer) != (counted.prompt, counted.completion):
        cost = _price(prompt, answer, facts)
    return Usage(
        requests=1,
        prompt_tokens=prompt,
        completion_tokens=answer,
        cached_tokens=min(max(counted.cached, 0), prompt),
        cost_usd=cost if cost is None else max(cost, 0.0),
    )


def _price(prompt: int, answer: int, facts: ModelFacts) -> float | None:
    if facts.input_price is None or facts.output_price is None:
        return None
    return (prompt * facts.input_price + answer * facts.output_price) / MILLION


def spent_on_a_failure(assembly: Assembly, question: Question) -> tuple[int, int]:
    """Return about how many tokens were sent and received for an answer that broke off; none if it never began."""
    if not assembly.characters:
        return 0, 0
    sent = len(str(question.messages)) + len(str(question.tools))
    return sent // BYTES_PER_TOKEN, assembly.characters // BYTES_PER_TOKEN
