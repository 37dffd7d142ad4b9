# Everything a newcomer needs, one line each. `make` alone prints them; ARGS="..." goes on to the command.
.DEFAULT_GOAL := help
.PHONY: help demo test torture check bench safety lock

EXTRAS := --extra postgres --extra demo --extra fhir --extra hl7 --extra sparkplug --extra report

help: ## print this
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## a clinic of six simulated beds, until Ctrl-C      ARGS="--beds 2 --speed 10"
	@scripts/set-up requirements.lock
	@.venv/bin/chairside demo $(ARGS)

test: ## every test; installs what real parts need        ARGS="tests/core"
	@scripts/set-up requirements-dev.lock
	@scripts/parts
	@.venv/bin/pytest -n 2 --dist loadscope $(ARGS)

torture: ## long runs that break things, with figures        ARGS="twins" runs those of one name
	@scripts/set-up requirements-dev.lock
	@scripts/parts
	@.venv/bin/pytest -m torture -s $(if $(ARGS),-k "$(ARGS)")

check: ## format, lint, types, floors, and every test
	@scripts/set-up requirements-dev.lock
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache
	@$(MAKE) --no-print-directory test

bench: ## measure, and write docs/performance.md           ARGS="engine" measures one and writes nothing
	@scripts/set-up requirements-dev.lock
	@.venv/bin/python -m benchmarks $(ARGS)

safety: ## draw the pages of docs/safety from data and tests
	@scripts/set-up requirements-dev.lock
	@.venv/bin/python -m tests.safety

lock: ## resolve the dependencies anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes $(EXTRAS) \
		pyproject.toml scripts/build.in -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes $(EXTRAS) --extra dev \
		-c requirements.lock pyproject.toml scripts/build.in -o requirements-dev.lock
