# Tending, from a clean checkout: needs Python 3.11, 3.12 or 3.13 with its venv module, make and git; nothing else.
.DEFAULT_GOAL := help
.PHONY: help demo test check fix lock bench browser clean venv
SHELL := /bin/sh

PY := .venv/bin/python
READY := .venv/.stamp

# Zone data come from the locked tzdata package alone; nothing reports home; no other folder's packages leak in.
export PYTHONTZPATH :=
export DO_NOT_TRACK := 1
export PREFECT_SERVER_ANALYTICS_ENABLED := false
unexport PYTHONPATH PYTHONHOME

help: ## this list
	@echo "Tending looks after the work between sessions. What make can do here:"
	@sed -n 's/^\([a-z]*\):[^#]*## /\1|/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{ printf "  make %-7s %s\n", $$1, $$2 }'

demo: $(READY) ## a synthetic practice from calendar to mail; ONCE=1 ends by itself; Ctrl-C stops it
	@exec .venv/bin/tending demo $(if $(ONCE),--once) $(ARGS)

test: $(READY) ## everything that can run here; FULL=1 adds the long ones; ARGS="-k word" narrows
	@exec $(PY) -m pytest -n auto --dist worksteal $(if $(FULL),,-m "not long") $(ARGS)

check: $(READY) ## style, types and the one way of imports; changes nothing
	@failed=; \
	for step in "ruff check" "ruff format --check" mypy lint-imports; do \
		echo "== $$step"; .venv/bin/$$step || failed="$$failed [$$step]"; \
	done; \
	if [ -n "$$failed" ]; then echo "Not clean:$$failed. 'make fix' mends style; the rest is for a person." >&2; exit 1; fi

fix: $(READY) ## mend style and order of imports
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

lock: ## compute requirements.lock anew from pyproject.toml
	@$(find_python); \
	dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && "$$python" -m venv "$$dir/venv" && \
	"$$dir/venv/bin/pip" install --quiet --disable-pip-version-check uv && \
	"$$dir/venv/bin/uv" pip compile pyproject.toml --group dev --output-file requirements.lock --upgrade \
		--universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet && \
	printf 'playwright\naxe-playwright-python\n' | "$$dir/venv/bin/uv" pip compile - --constraints requirements.lock \
		--output-file requirements-browser.lock --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-package greenlet --no-emit-package typing-extensions --no-emit-package pyee --no-header --no-annotate --quiet && \
	echo "requirements.lock has $$(grep -c '==' requirements.lock) packages; 'make test' installs and tries them."

bench: $(READY) ## measure what we claim about speed
	@exec $(PY) -m benchmarks $(ARGS)

browser: $(READY) ## what the tests of the desk in a real browser need, besides Chromium itself
	@.venv/bin/pip --disable-pip-version-check --no-input --quiet install --no-deps --require-hashes -r requirements-browser.lock
	@command -v chromium >/dev/null || echo "Chromium is not installed: on Debian and Ubuntu, apt-get install chromium." >&2

clean: ## remove what make and the tools made; a practice's data are never touched
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

venv: $(READY) ## only set up the environment in .venv

# Sets $$python to the first usable Python. Names on PATH may be shims that fail when called, so each is tried.
# PYTHON=/path/to/python3.12 chooses one.
define find_python
python=; without_venv=; \
for name in $(if $(PYTHON),"$(PYTHON)",python3.13 python3.12 python3.11 python3); do \
	"$$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1 || continue; \
	if "$$name" -c 'import venv, ensurepip' >/dev/null 2>&1; then python=$$name; break; fi; \
	without_venv=$${without_venv:-$$name}; \
done; \
if [ -z "$$python" ] && [ -n "$$without_venv" ]; then \
	echo "$$without_venv cannot make virtual environments: install its venv module (Debian, Ubuntu: apt-get install python3-venv) and try again." >&2; exit 1; \
fi; \
if [ -z "$$python" ]; then \
	echo "Tending needs Python 3.11, 3.12 or 3.13 and found none$(if $(PYTHON), at $(PYTHON)): install one, or name it with make PYTHON=/path/to/python3.12 ..." >&2; exit 1; \
fi
endef

# A moved checkout, or a Python that is gone, leaves scripts that cannot run: then the environment is made anew.
ifneq ($(shell .venv/bin/python -c '' 2>/dev/null && cat .venv/.place),$(CURDIR))
$(shell rm -f .venv/.packages)
endif

.venv/.packages: requirements.lock
	@$(find_python); \
	total=$$(grep -c '==' requirements.lock); n=0; \
	echo "Setting up .venv with $$("$$python" --version) (once, about a minute) ..."; \
	rm -rf .venv && "$$python" -m venv .venv || exit 1; \
	{ .venv/bin/pip --disable-pip-version-check --no-input install --no-deps --progress-bar off \
		--require-hashes -r requirements.lock && echo "$(CURDIR)" > .venv/.place; } 2>&1 \
	| tee .venv/setup.log | while IFS= read -r line; do case $$line in \
		Collecting*|Processing*) n=$$((n + 1)); [ $$((n % 25)) -ne 0 ] || echo "  $$n of about $$total packages fetched";; \
		"Installing collected"*) echo "  installing them ...";; \
	esac; done; \
	if [ ! -e .venv/.place ]; then \
		grep -v '^WARNING' .venv/setup.log | tail -n 4 >&2; \
		echo "The packages could not be installed: the last lines are above, all of them in .venv/setup.log. Most often the package index cannot be reached; mend that and try again." >&2; exit 1; \
	fi; \
	touch $@; echo "  ready."

# pyproject.toml says what commands there are: installed again when it changes, without the packages.
$(READY): .venv/.packages pyproject.toml
	@.venv/bin/pip --disable-pip-version-check --no-input --quiet install --no-deps --no-build-isolation --editable .
	@touch $@
