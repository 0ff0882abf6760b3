"""Run by test_routes: asks each model of a list through one route, and prints what came back."""

import json
import sys

from ay_bot.gateway import providers
from ay_bot.gateway.question import question_of
from ay_bot.gateway.registry import Registry
from ay_bot.gateway.transport import Transport
from ay_bot.protocol.messages import ModelRequest, ModelSetting


def main() -> None:
    """Read `{"direct": ..., "stream": ..., "models": [[model, api_base], ...], "requests": [...]}` and print the chunks of each."""
    order = json.load(sys.stdin)
    if order["direct"]:
        assert providers.load_on_diet()
    else:
        providers.load_plain()
    transport = Transport(5, 10)
    registry = Registry(providers.table(), {})
    requests = [ModelRequest.model_validate(request) for request in order["requests"]]
    answers = []
    for model, api_base in order["models"]:
        facts = registry.facts(model)
        route = providers.open_route(ModelSetting(model=model, api_base=api_base), facts, direct=order["direct"])
        for request in requests:
            question = question_of(request, facts, {}, stream=order["stream"], effort="default")
            answers.append([model, list(route.stream(question, transport))])
    print(json.dumps(answers))


main()
