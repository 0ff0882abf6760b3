"""What is known of models, as people see it: the gateway is asked, since litellm and its table are its own."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path

from ay_bot.errors import UsageError
from ay_bot.host.config import Overrides
from ay_bot.host.gateway_process import Gateway
from ay_bot.host.settings_file import load_settings
from ay_bot.protocol.messages import DescribeModels
from ay_bot.protocol.model_facts import Capabilities, ModelFacts

HEAD = ("model", "window", "output", "can", "$/M in", "$/M out")
ABILITIES = ("tools", "parallel_tools", "vision", "reasoning", "caching")


def read_capabilities(path: Path | None) -> Mapping[str, Capabilities]:
    """Return what a configuration file says of models. Raises UsageError."""
    if path is None:
        return {}
    try:
        file = path.read_bytes()
    except OSError as error:
        msg = f"the configuration `{path}` can't be read: {error.strerror}"
        raise UsageError(msg, hint="give the path of a file like .github/ay-bot.yml") from None
    return load_settings(file, Overrides(), needs_model=False).capabilities


def list_models(
    environment: Mapping[str, str], capabilities: Mapping[str, Capabilities], provider: str = ""
) -> tuple[ModelFacts, ...]:
    """Return all models that hold a conversation, or those of a provider."""
    with Gateway.start(environment, facts=True) as gateway:
        models = gateway.describe(DescribeModels(capabilities=dict(capabilities))).models
    return tuple(one for one in models if not provider or one.provider == provider or _provider(one) == provider)


def show_model(environment: Mapping[str, str], capabilities: Mapping[str, Capabilities], name: str) -> ModelFacts:
    """Return what is known of one model. Raises UsageError if that is nothing."""
    with Gateway.start(environment, facts=True) as gateway:
        (found,) = gateway.describe(DescribeModels(names=(name,), capabilities=dict(capabilities))).models
    if found.known:
        return found
    close = difflib.get_close_matches(name, [one.model for one in list_models(environment, capabilities)], n=3)
    names = f"did you mean {' or '.join(f'`{one}`' for one in close)}? " if close else ""
    hint = f"{names}A model that litellm's table doesn't have is described by `capabilities:` in the configuration"
    raise UsageError(f"nothing is known of the model `{name}`", hint=hint)


def render_table(models: Sequence[ModelFacts]) -> str:
    """Return models as lines of a table."""
    rows = [HEAD, *(_row(one) for one in models)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    left = {0, 3}
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def render_one(facts: ModelFacts) -> str:
    """Return one model as a line for each fact."""
    said: dict[str, str] = {
        "model": facts.model,
        "provider": facts.provider or "?",
        "context window": _tokens(facts.context_window),
        "output limit": _tokens(facts.output_limit),
        **{name.replace("_", " "): "yes" if getattr(facts, name) else "no" for name in ABILITIES},
        "price sent": f"{_price(facts.input_price)} for a million tokens",
        "price cached": f"{_price(facts.cached_price)} for a million tokens",
        "price received": f"{_price(facts.output_price)} for a million tokens",
    }
    return "\n".join(f"{name + ':':<16} {text}" for name, text in said.items())


def _provider(facts: ModelFacts) -> str:
    return facts.model.partition("/")[0] if "/" in facts.model else ""


def _row(facts: ModelFacts) -> tuple[str, ...]:
    able = ", ".join(name.replace("parallel_tools", "parallel") for name in ABILITIES if getattr(facts, name))
    prices = (_price(facts.input_price), _price(facts.output_price))
    return (facts.model, _tokens(facts.context_window), _tokens(facts.output_limit), able, *prices)


def _tokens(count: int) -> str:
    return f"{count:,}" if count else "?"


def _price(dollars: float | None) -> str:
    return "?" if dollars is None else f"${dollars:g}"
