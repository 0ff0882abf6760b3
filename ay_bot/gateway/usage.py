"""What a call used: the provider's count where it can be true, and a guess by size where there is none."""

from ay_bot.gateway.assembly import Assembly
from ay_bot.gateway.budget import Reservation
from ay_bot.gateway.question import Question
from ay_bot.gateway.registry import MILLION
from ay_bot.protocol.conversation import Usage
from ay_bot.protocol.model_facts import ModelFacts

BYTES_PER_TOKEN = 4
UNSEEN = 100_000  # tokens that a provider may count beyond every byte: its own instructions, images
MOST_ANSWER = 1_000_000


def usage_of(assembly: Assembly, reservation: Reservation, facts: ModelFacts) -> Usage:
    """Return what a call used; a count that can't be true is cut to what can, at the price of that."""
    counted = assembly.tokens
    if counted is None:
        prompt = reservation.prompt_bytes // BYTES_PER_TOKEN
        return Usage(
            requests=1, prompt_tokens=prompt, completion_tokens=assembly.characters // BYTES_PER_TOKEN, cost_usd=None
        )
    prompt = min(max(counted.prompt, 0), reservation.prompt_bytes + UNSEEN)
    answer = min(max(counted.completion, 0), MOST_ANSWER)
    cost = counted.cost_usd
    if (prompt, answer) != (counted.prompt, counted.completion) and cost is not None:
        cost = (prompt * (facts.input_price or 0) + answer * (facts.output_price or 0)) / MILLION
    return Usage(
        requests=1,
        prompt_tokens=prompt,
        completion_tokens=answer,
        cached_tokens=min(max(counted.cached, 0), prompt),
        cost_usd=cost if cost is None else max(cost, 0.0),
    )


def spent_on_a_failure(assembly: Assembly, question: Question) -> tuple[int, int]:
    """Return about how many tokens were sent and received for an answer that broke off; none if it never began."""
    if not assembly.characters:
        return 0, 0
    sent = len(str(question.messages)) + len(str(question.tools))
    return sent // BYTES_PER_TOKEN, assembly.characters // BYTES_PER_TOKEN
