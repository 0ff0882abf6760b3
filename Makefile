# Everything works on a fresh Debian or Ubuntu machine that has Python 3.11, git and make.
PYTHON_ENVIRONMENT := .venv
BIN := $(PYTHON_ENVIRONMENT)/bin

.DEFAULT_GOAL := help
.PHONY: help demo test engines conformance lint format presets bench soak fuzz audit sbom coverage image lock clean protocols chaos

help: ## Say what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

demo: ## Install, and run the main job on a small repository with a scripted model
	@scripts/bootstrap all
	@scripts/demo

test: ## Install all that the tests need, and run the whole suite
	@scripts/bootstrap dev
	@scripts/test

engines: ## Run the drivers' contract on every kind of engine: TCP, TLS, ssh, Podman, rootless, a runtime (minutes, root)
	@scripts/bootstrap dev
	@scripts/test-engines

conformance: ## Compare with the results of other systems, if their cases lie beside the project
	@scripts/bootstrap dev
	@$(BIN)/python scripts/conformance.py

protocols: ## Solve the demo over each provider's wire format, with answers that stream and answers that don't
	@scripts/bootstrap dev
	@AY_EVERY_PROTOCOL=1 $(BIN)/python -m pytest -q tests/end_to_end/test_wire_protocols.py tests/gateway/test_wire_formats.py

chaos: ## Let a model misbehave in every way we know of, a run each; prints a table
	@scripts/bootstrap dev
	@$(BIN)/python -m chaos --workers 2

lint: ## Run ruff, mypy and the import contracts
	@scripts/bootstrap dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: ## Let ruff rewrite what it can
	@scripts/bootstrap dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

presets: ## See every package manager work through the proxy under its preset, those that are installed here
	@scripts/bootstrap dev
	AY_PRESETS=all $(BIN)/python -m pytest -q -s tests/host/presets

bench: ## Measure speed, memory and tokens in an environment as a user has it; prints one table
	@scripts/bootstrap all build/bench-environment
	build/bench-environment/bin/python -m benchmarks

soak: ## Kill SOAK_RUNS runs (1000) at random moments, and look at what is left after the next command
	@scripts/bootstrap all build/bench-environment
	build/bench-environment/bin/python -m benchmarks.soak --runs $(or $(SOAK_RUNS),1000)

fuzz: ## Feed every parser FUZZ_INPUTS (10000) broken inputs, and print a table; FUZZ_TARGETS names some of them
	@scripts/bootstrap dev
	$(BIN)/python -m fuzz --inputs $(or $(FUZZ_INPUTS),10000) $(FUZZ_TARGETS)

audit: ## Look for known vulnerabilities in what is locked (needs the network), and for weaknesses in the workflows
	@scripts/bootstrap dev
	@scripts/audit

sbom: ## Write what the packages and the images hold, as CycloneDX, into dist/sbom
	@scripts/bootstrap dev
	$(BIN)/python scripts/sbom.py dist/sbom

coverage: ## Run the suite with branch coverage
	@scripts/bootstrap dev
	@scripts/test --cov --cov-report=term-missing:skip-covered

image: ## Build the box image (installs a Docker engine when root)
	@scripts/bootstrap all
	@scripts/prepare-engine

lock: ## Resolve requirements/*.txt again (needs uv on the PATH)
	@scripts/lock

clean: ## Remove what the targets above made inside this directory
	rm -rf $(PYTHON_ENVIRONMENT) build/bench-environment .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage out
