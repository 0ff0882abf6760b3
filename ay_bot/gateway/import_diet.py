"""The import diet: litellm without the parts of it that a chat completion never touches.

`import litellm` runs some 3,000 modules (proxy, router, callbacks, batches, images, the whole openai SDK with all of
its types). What the gateway needs is its translation layer: the classes that turn a conversation into a provider's
request and a provider's stream into chunks. The diet changes *when* modules run, never what they say:

- a package in `SHELLS` starts empty. A name that is asked of it is imported from the one module that its own
  `__init__` names for it, so `from openai.types.chat import X` runs one file and not nine hundred;
- a module in `DEFERRED` runs when a name that it defines itself is asked for;
- `litellm/__init__.py` runs without its imports of feature modules; their names are resolved as in a shell;
- a package in `INERT` is never imported: any use of it beyond an annotation raises `DietTooThin`;
- the data files of a package in `WITHOUT_DATA` are empty objects, and the names in `DROPPED`, which `litellm.utils`
  makes of them, are gone after the import: a tokenizer, which only a count of tokens on this machine would need.

Measured with litellm 1.106.2 on two cores, Python 3.11, medians: `import litellm` takes 3.9 s of CPU and 197 MB, and
its first `completion` 1.5 to 2.2 s more (258 MB by then). On the diet a gateway process sends its first request after
0.7 s on an idle machine, start of Python included, and stays at 83 MB. What is left are pydantic, httpx, litellm's
types and `litellm.utils`.

Nothing is copied or patched; `undo()` forgets all of it, and a plain `import litellm` then behaves as ever.
"""

import ast
import importlib.abc
import importlib.machinery
import importlib.readers
import importlib.util
import io
import sys
import threading
import types
from collections.abc import Sequence
from pathlib import Path

SHELLS = ("openai", "openai.types", "openai.lib.streaming", "litellm.caching", "litellm.llms.base_llm")
DEFERRED = ("litellm.caching.caching",)
INERT = ("aiohttp", "litellm.llms.bedrock_mantle.chat.claude_transformation")
OPTIONAL = ("httpx._main",)  # httpx's command line: httpx itself copes without it

KEPT_IN_LITELLM = frozenset(
    {
        "litellm.litellm_core_utils.core_helpers",
        "litellm._logging",
        "litellm.constants",
        "litellm.litellm_core_utils.get_model_cost_map",
        "litellm.types.secret_managers.main",
    }
)
STAR_SOURCES = ("litellm.utils", "litellm.types.utils", "litellm.exceptions")  # behind `from .main import *`
WITHOUT_DATA = ("litellm.litellm_core_utils.tokenizers",)  # Anthropic's takes 0.1 s and 16 MB
DROPPED = {"litellm.utils": ("json_data", "claude_json_str")}

_filling = threading.RLock()


class DietTooThin(ImportError):
    """Something beyond chat completions was used while the diet is on."""


def apply() -> None:
    """Put the diet on. Must happen before anything imports litellm or openai."""
    if "litellm" in sys.modules or "openai" in sys.modules:
        msg = "litellm is imported already"
        raise DietTooThin(msg)
    sys.meta_path.insert(0, _Finder())
    for name in INERT:
        sys.modules[name] = _InertModule(name)
    for name in OPTIONAL:
        sys.modules[name] = None  # type: ignore[assignment]


def drop() -> None:
    """Forget what nobody on the direct route reads; whoever does gets an ImportError or a NameError."""
    for name, dropped in DROPPED.items():
        for one in dropped:
            vars(sys.modules[name]).pop(one, None)


def undo() -> None:
    """Take the diet off and forget every module that was imported under it."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Finder)]
    touched = ("litellm", "openai", "aiohttp")
    for name in list(sys.modules):
        if name.partition(".")[0] in touched or name in OPTIONAL:
            del sys.modules[name]


# ----------------------------------------------------------------- shells and deferred modules


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        listed = name in SHELLS or name in DEFERRED or name in WITHOUT_DATA
        if not (listed or name == "litellm" or name.startswith("openai.types.")):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or not isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            return None
        if name == "litellm":
            spec.loader = _LitellmLoader(name, spec.loader.path)
        elif name in WITHOUT_DATA:
            spec.loader = _DatalessLoader(name, spec.loader.path)
        elif name in DEFERRED or spec.submodule_search_locations is not None:
            spec.loader = _LazyLoader(name, spec.loader.path)
        return spec


class _LazyLoader(importlib.machinery.SourceFileLoader):
    """Leaves a module empty until a name of it is asked for."""

    def exec_module(self, module: types.ModuleType) -> None:
        """Give `module` a `__getattr__` in place of a body."""
        _Promise(module, importlib.machinery.SourceFileLoader(self.name, self.path))


class _Promise:
    """The `__getattr__` of an empty module."""

    def __init__(self, module: types.ModuleType, real: importlib.machinery.SourceFileLoader) -> None:
        self.module = module
        self.real = real
        self.outline: _Outline | None = None
        module.__getattr__ = self.resolve  # type: ignore[method-assign]

    def resolve(self, name: str) -> object:
        if self.outline is None:
            source = Path(self.real.path).read_bytes()
            self.outline = _Outline(ast.parse(source), self.module.__package__ or "")
        if name in self.outline.imported:
            value = _import_name(*self.outline.imported[name], asking=self.module.__name__)
            setattr(self.module, name, value)
            return value
        if name in self.outline.own or name == "__all__" or self.outline.has_star:
            return self._fill(name)
        msg = f"module {self.module.__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)

    def _fill(self, name: str) -> object:
        with _filling:
            if self.module.__dict__.pop("__getattr__", None) is not None:
                self.real.exec_module(self.module)
        return getattr(self.module, name)


class _Outline:
    """Which names a module imports from where, and which it defines itself."""

    def __init__(self, tree: ast.Module, package: str) -> None:
        self.imported: dict[str, tuple[str, str]] = {}
        self.own: set[str] = set()
        self.has_star = False
        for node in tree.body:
            if isinstance(node, ast.ImportFrom):
                self._add_import(node, package)
            elif not isinstance(node, ast.Import):
                self.own |= _names_bound_in(node)

    def _add_import(self, node: ast.ImportFrom, package: str) -> None:
        source = absolute_name(node, package)
        for alias in node.names:
            if alias.name == "*":
                self.has_star = True
            else:
                self.imported[alias.asname or alias.name] = (source, alias.name)


def absolute_name(node: ast.ImportFrom, package: str) -> str:
    """Return the full name of the module that `node` imports from."""
    name = "." * node.level + (node.module or "")
    return importlib.util.resolve_name(name, package) if node.level else name


def _names_bound_in(node: ast.stmt) -> set[str]:
    names: set[str] = set()
    for child in ast.walk(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(child.name)
        elif isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            names.add(child.id)
        elif isinstance(child, ast.ImportFrom | ast.Import):
            names |= {alias.asname or alias.name.partition(".")[0] for alias in child.names}
    return names


def _import_module(name: str) -> types.ModuleType:
    __import__(name)
    return sys.modules[name]


def _import_name(source: str, name: str, *, asking: str) -> object:
    if source == asking:  # `from . import submodule`
        return _import_module(f"{source}.{name}")
    module = _import_module(source)
    try:
        return getattr(module, name)
    except AttributeError:
        return _import_module(f"{source}.{name}")


# ----------------------------------------------------------------- packages without their data


class _DatalessLoader(importlib.machinery.SourceFileLoader):
    """Loads a package whose data files all say `{}`."""

    def get_resource_reader(self, name: str | None = None) -> "_EmptyFiles":  # noqa: ARG002 - its own name
        """Return what `importlib.resources` reads the files with."""
        return _EmptyFiles(self)


class _EmptyFiles(importlib.readers.FileReader):
    def files(self) -> "_EmptyFile":
        return _EmptyFile(self.path)


class _EmptyFile(type(Path())):  # type: ignore[misc]
    def open(self, *_: object, **__: object) -> io.StringIO:
        return io.StringIO("{}")


# ----------------------------------------------------------------- litellm itself


class _LitellmLoader(importlib.machinery.SourceFileLoader):
    """Runs litellm's `__init__` (settings, price table, model lists) without its imports of feature modules."""

    def exec_module(self, module: types.ModuleType) -> None:
        """Run what is left of the body, then answer for the names that were left out."""
        path = Path(self.path)
        tree = ast.parse(path.read_bytes())
        deferred = _take_feature_imports(tree)
        code = compile(tree, str(path), "exec")
        resolver = _LitellmNames(module, deferred)
        module.__getattr__ = resolver.resolve  # type: ignore[method-assign]
        exec(code, module.__dict__)  # noqa: S102 - litellm's own source, as the import system would run it
        resolver.own_resolve = module.__dict__["__getattr__"]
        module.__getattr__ = resolver.resolve  # type: ignore[method-assign]


def _take_feature_imports(tree: ast.Module) -> dict[str, tuple[str, str]]:
    """Remove from `tree` the imports of feature modules, and return the names that they would have bound."""
    deferred: dict[str, tuple[str, str]] = {}
    kept: list[ast.stmt] = []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and _is_feature(source := absolute_name(node, "litellm")):
            deferred |= {alias.asname or alias.name: (source, alias.name) for alias in node.names}
        elif isinstance(node, ast.Import) and any(alias.name.startswith("litellm.") for alias in node.names):
            continue
        elif isinstance(node, ast.Assign) and _calls(node.value) & deferred.keys():
            continue  # an instance of a class that is not there
        else:
            kept.append(node)
    tree.body = kept
    deferred.pop("*", None)
    return deferred


def _is_feature(module: str) -> bool:
    return module.partition(".")[0] == "litellm" and module not in KEPT_IN_LITELLM


def _calls(node: ast.expr) -> set[str]:
    return {n.func.id for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}


class _LitellmNames:
    """The `__getattr__` of litellm on a diet: feature names, then litellm's own lazy names, then star imports."""

    def __init__(self, module: types.ModuleType, deferred: dict[str, tuple[str, str]]) -> None:
        self.module = module
        self.deferred = deferred
        self.own_resolve: types.FunctionType | None = None

    def resolve(self, name: str) -> object:
        if name in self.deferred:
            value = _import_name(*self.deferred[name], asking="litellm")
            setattr(self.module, name, value)
            return value
        try:
            if self.own_resolve is not None and not name.startswith("__"):
                return self.own_resolve(name)
        except AttributeError:
            pass
        return self._from_star_sources(name)

    def _from_star_sources(self, name: str) -> object:
        for source in STAR_SOURCES:
            loaded = sys.modules.get(source)
            if loaded is not None and name in loaded.__dict__:
                return loaded.__dict__[name]
        msg = f"module 'litellm' has no attribute {name!r} (on the import diet)"
        raise AttributeError(msg)


# ----------------------------------------------------------------- packages that never run


class _InertModule(types.ModuleType):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__ = []

    def __getattr__(self, name: str) -> "_InertName":
        if name.startswith("__"):
            raise AttributeError(name)
        return _InertName(f"{self.__name__}.{name}")


class _InertName:
    """Good for an annotation and nothing else."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __or__(self, other: object) -> object:
        return object

    __ror__ = __or__

    def __getattr__(self, name: str) -> "_InertName":
        if name.startswith("__"):
            raise AttributeError(name)
        return _InertName(f"{self._name}.{name}")

    def __call__(self, *_: object, **__: object) -> object:
        msg = f"{self._name} is not there: the gateway imports litellm on a diet"
        raise DietTooThin(msg)
