"""Who answers for each role of a run: the pack that counts, with its gaps filled, as the gateway is told."""

from collections.abc import Mapping

from ay_bot.host.config import Settings
from ay_bot.host.models.packs import ModelPack
from ay_bot.protocol.conversation import Role
from ay_bot.protocol.messages import Configure, Image, ModelSetting, RoleModels

INSTEAD: Mapping[Role, tuple[Role, ...]] = {
    "main": ("main",),
    "planner": ("planner", "main"),
    "editor": ("editor", "main"),
    "reviewer": ("reviewer", "main"),
    "weak": ("weak", "main"),
    "summary": ("summary", "weak", "main"),
}
"""Whose models a role has: those of the first of these that has any."""
BY_TASK: frozenset[Role] = frozenset({"main", "planner", "editor", "reviewer"})
"""The roles whose work is as hard as the task."""


def configure(
    settings: Settings, *, api_base: str | None = None, images: tuple[Image, ...] = (), hardness: float | None = None
) -> Configure:
    """Return what the gateway is told; `hardness` (0 to 1) is the task's, where the strategy asks for it."""
    pack = settings.model_pack
    provider = settings.main_model.partition("/")[0]

    def placed(names: tuple[str, ...]) -> tuple[ModelSetting, ...]:
        """An address belongs to the provider of the first model, and to no other's key."""
        own = (api_base if name.partition("/")[0] == provider else None for name in names)
        return tuple(ModelSetting(model=name, api_base=base) for name, base in zip(names, own, strict=True))

    roles: dict[Role, ModelSetting | RoleModels] = {}
    for role in INSTEAD:
        names, stronger = _chosen(pack, role, hardness)
        roles[role] = RoleModels(
            models=placed(names),
            strategy="explicit" if pack.strategy == "task" else pack.strategy,
            fallbacks=placed(pack.fallbacks),
            larger=placed(pack.larger),
            stronger=placed(pack.stronger or stronger),
            reasoning=pack.reasoning,
            on_refusal=pack.on_refusal,
            on_payment=pack.on_payment,
        )
    return Configure(
        roles=roles,
        capabilities=settings.capabilities,
        images=images,
        stream=settings.stream,
        max_cost_usd=settings.max_cost,
        max_tokens=settings.max_tokens,
        idle_timeout=settings.model_idle_timeout,
        total_timeout=settings.model_timeout,
    )


def _chosen(pack: ModelPack, role: Role, hardness: float | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return a role's models, who is asked first at the front, and those that are stronger than the first."""
    names = _names(pack, role)
    if hardness is None or role not in BY_TASK:
        return names, ()
    place = min(int(hardness * len(names)), len(names) - 1)
    return (*names[place:], *reversed(names[:place])), names[place + 1 :]


def _names(pack: ModelPack, role: Role) -> tuple[str, ...]:
    lists: tuple[tuple[str, ...], ...] = tuple(getattr(pack, one) for one in INSTEAD[role])
    return next((names for names in lists if names), ())


def first_models(configuration: Configure) -> dict[Role, str]:
    """Return who is asked first for each role."""
    lists = {role: one.models if isinstance(one, RoleModels) else (one,) for role, one in configuration.roles.items()}
    return {role: models[0].model for role, models in lists.items()}
