"""The ways to all models of a run: direct where they can be, plain for all as soon as one can't."""

import threading
from collections.abc import Callable, Iterable, Iterator

from ay_bot.gateway import providers
from ay_bot.gateway.failures import CallFailed
from ay_bot.gateway.registry import Registry
from ay_bot.protocol.messages import Configure, ModelSetting, RoleModels

Opened = Callable[[], providers.Route]


class Routes:
    """One way to each model, opened when the run begins."""

    def __init__(self, settings: Iterable[ModelSetting], registry: Registry, *, on_diet: bool) -> None:
        self._settings = {setting.model: setting for setting in settings}
        self._registry = registry
        self._lock = threading.Lock()
        self._plain = False
        self._open: dict[str, Opened] = {}
        if on_diet:
            self._open_directly()
        else:
            self.go_plain()

    def get(self, model: str) -> providers.Route:
        """Return the way to a model. Raises CallFailed(configuration)."""
        return self._open[model]()

    def go_plain(self) -> None:
        """Leave the diet for good."""
        with self._lock:
            if self._plain:
                return
            self._plain = True
            providers.load_plain()
            self._open = self._open_all(direct=False)

    def _open_directly(self) -> None:
        try:
            self._open = self._open_all(direct=True)
        except (providers.NotDirect, *providers.BROKEN_LIBRARY):
            self.go_plain()

    def _open_all(self, *, direct: bool) -> dict[str, Opened]:
        return {name: self._opened(setting, direct=direct) for name, setting in self._settings.items()}

    def _opened(self, setting: ModelSetting, *, direct: bool) -> Opened:
        """Return a function that gives the route, or raises what stands in its way, each time."""
        facts, repriced = self._registry.facts(setting.model), self._registry.repriced(setting.model)
        try:
            route = providers.open_route(setting, facts, direct=direct, repriced=repriced)
        except CallFailed as failure:
            known = failure

            def refuse() -> providers.Route:
                raise CallFailed(known.cause, known.message)

            return refuse
        return lambda: route


def role_models(setting: ModelSetting | RoleModels) -> RoleModels:
    """Return what is said of a role in its long form."""
    return setting if isinstance(setting, RoleModels) else RoleModels(models=(setting,))


def settings_of(configure: Configure) -> Iterator[ModelSetting]:
    """Yield every model that a configuration names."""
    for setting in configure.roles.values():
        role = role_models(setting)
        yield from (*role.models, *role.fallbacks, *role.larger, *role.stronger)
