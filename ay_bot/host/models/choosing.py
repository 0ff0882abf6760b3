"""What the gateway is told of a run's models; where the strategy wants it, after a look at the task."""

from ay_bot.host.checkout import Checkout
from ay_bot.host.config import Settings
from ay_bot.host.findings import Findings
from ay_bot.host.models.hardness import measure
from ay_bot.host.models.roles import BY_TASK, configure, first_models
from ay_bot.protocol.events import ModelChosen
from ay_bot.protocol.messages import Configure


def choose_models(settings: Settings, checkout: Checkout, findings: Findings) -> Configure:
    """Return the configuration of the gateway, and tell what was chosen by the task."""
    order = findings.order
    if settings.model_pack.strategy != "task":
        return configure(settings, api_base=order.api_base, images=order.images)
    files = [path.decode("utf-8", "replace") for path in checkout.list_files(checkout.repository.head)]
    hardness = measure(order.task.text, files, len(order.images))
    chosen = configure(settings, api_base=order.api_base, images=order.images, hardness=hardness.score)
    models = {role: name for role, name in first_models(chosen).items() if role in BY_TASK}
    findings.model = models["main"]
    findings.log.emit(ModelChosen(features=hardness.features, score=hardness.score, models=models))
    return chosen
