# Every target makes what it needs, with visible progress, and again only when that has changed.
# Needed on the machine: make, git and Python 3.11 or newer. `make help` lists the targets.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV   := .venv/bin
SOURCE := $(wildcard operator sync simulator hack tests benchmarks)
ifdef PYTHON
export PYTHON
endif

.PHONY: help
help: ## List the targets
	@echo "make TARGET, where TARGET is one of:"
	@sed -n 's/^\([a-z][a-z0-9-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14
	@echo "PYTHON=python3.13 chooses the interpreter; CIRAHUB_TEST_KUBECONFIG=FILE tests on a"
	@echo "cluster of yours; PYTEST_ARGS='-k throttle' reaches pytest."

.PHONY: demo
demo: venv control-plane ## See it work, on this machine alone (KEEP=1 stays up, DATA=people.jsonl)
	@PYTHONPATH=hack $(VENV)/python -m demo $(if $(KEEP),--keep) $(if $(DATA),--data '$(DATA)')

.PHONY: test
test: venv control-plane helm kstatus ## Run all tests, also those on a real control plane (PYTEST_ARGS)
	@$(VENV)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile \
		--no-loadscope-reorder $(PYTEST_ARGS)

.PHONY: e2e
e2e: venv helm ## Play the whole of it on real pods (CLUSTER=kind; CLUSTER=existing KUBECONFIG=f IMAGE=name)
	@$(if $(filter existing,$(CLUSTER)),$(if $(KUBECONFIG),CIRAHUB_TEST_KUBECONFIG='$(KUBECONFIG)')) \
		PYTHONPATH=hack $(VENV)/python -m e2e \
		$(if $(CLUSTER),--cluster '$(CLUSTER)') $(if $(IMAGE),--image '$(IMAGE)') $(if $(BEFORE),--before '$(BEFORE)') \
		$(if $(IF_POSSIBLE),--if-possible)

.PHONY: soak
soak: venv helm ## Kill pods, the API server and PostgreSQL while people change things (SECONDS=120, SEED=n)
	@PYTHONPATH=hack $(VENV)/python -m e2e.soak $(if $(SECONDS),--seconds '$(SECONDS)') $(if $(SEED),--seed '$(SEED)') \
		$(if $(IF_POSSIBLE),--if-possible)

.PHONY: chaos
chaos: venv ## Kill the worker at hundreds of moments, play thousands of bad days (CHAOS_ARGS=--help)
	@PYTHONPATH=hack:. $(VENV)/python -m tests.chaos $(CHAOS_ARGS)

.PHONY: prove
prove: venv control-plane helm kstatus ## Break the code of each promise on purpose, and see that a test fails (ONLY=trust)
	@$(VENV)/python hack/prove $(if $(ONLY),--only '$(ONLY)')

.PHONY: lint
lint: venv ## Check style, types and who imports whom
	@$(VENV)/ruff check $(SOURCE)
	@$(VENV)/ruff format --check $(SOURCE)
	@$(VENV)/mypy $(SOURCE)
	@$(VENV)/lint-imports

.PHONY: generate
generate: venv ## Write CRDs, roles, pages, dashboards and seed from their sources (CHECK=1: compare)
	@$(VENV)/python -m cirahub_operator.api.generate $(if $(CHECK),--check)
	@$(VENV)/python -m cirahub_operator.permissions.generate $(if $(CHECK),--check)
	@$(VENV)/python -m cirahub_simulator.seed.generate $(if $(CHECK),--check)
	@PYTHONPATH=. $(VENV)/python -m tests.contract.ews_digest $(if $(CHECK),--check)
	@PYTHONPATH=hack:. $(VENV)/python -m tests.failures.page $(if $(CHECK),--check)
	@PYTHONPATH=hack:. $(VENV)/python -m tests.chart.page $(if $(CHECK),--check)
	@$(VENV)/python hack/dashboards $(if $(CHECK),--check)

.PHONY: pictures
pictures: venv control-plane ## Draw docs/pictures: the dashboards, of a real run of five minutes
	@PYTHONPATH=hack $(VENV)/python -m pictures

.PHONY: bench
bench: venv control-plane ## Measure, and compare with what was aimed for (ONLY=fanout,engine; FULL=1: large sizes)
	@PYTHONPATH=hack $(VENV)/python benchmarks/run.py $(if $(ONLY),--only '$(ONLY)') $(if $(FULL),--full)

.PHONY: cluster
cluster: venv ## Run a control plane in the foreground, for trying things out (NODE=1: and pods)
	@$(VENV)/python hack/cluster up $(if $(NODE),--node)

.PHONY: image
image: venv ## Build the image, with or without Docker, and list its parts (BASE=image: on another one; ARCH=arm64)
	@$(VENV)/python hack/image $(if $(BASE),--base '$(BASE)') $(if $(ARCH),--arch '$(ARCH)')

.PHONY: lock
lock: ## Resolve the locks anew (UPGRADE=1: take the newest of everything)
	@hack/bootstrap/run lock $(if $(UPGRADE),--upgrade)

.PHONY: clean
clean: ## Remove what the other targets made here; the control plane's binaries and images stay in their cache
	rm -rf .venv .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	rm -rf build dist
	find $(SOURCE) -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: venv
venv: ## Make .venv from requirements.lock, or bring it up to date
	@hack/bootstrap/run

# Not by a fixture: no test's time limit runs, and the progress of a first build is seen.
.PHONY: control-plane
control-plane: venv
	@test -n "$$CIRAHUB_TEST_KUBECONFIG" || $(VENV)/python hack/cluster build >/dev/null

.PHONY: helm
helm: venv
	@$(VENV)/python hack/cluster helm >/dev/null

.PHONY: kstatus
kstatus: venv
	@$(VENV)/python hack/cluster kstatus >/dev/null
