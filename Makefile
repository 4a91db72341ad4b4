# Every target does its own set-up: `make demo` in a fresh clone is enough. `make help` lists them.
#
# The command, the tests (numerics without optimisation are slow) and the examples are built with the same options in one
# scratch folder, so nothing is compiled twice; that is why the tests do without testable imports.
# Documentation and the static program need other options, hence folders of their own.

CONFIG ?= release
PREFIX ?= /usr/local
SCRATCH ?= .build
PYTHON ?= python3
THREADS ?= 1,2
REPEAT ?= 3
SWIFT_FILES := $(wildcard Sources Tests Examples Package.swift)
DOCUMENTED := TarnCore TarnData TarnInterop TarnExchange TarnModels TarnNN TarnPlot TarnText TarnTrain TarnVision Tarn
BUILD := swift build -c $(CONFIG) --scratch-path $(SCRATCH)

ifeq ($(shell uname),Linux)
STATIC := --static-swift-stdlib
endif

.PHONY: help demo build test lint format size docs examples fuzz bench static install clean setup
.DEFAULT_GOAL := help

help:       ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:      ## see that everything needed is here; install what is missing where possible
	@Tools/setup

build: setup ## build the library and the command
	$(BUILD) --product tarn

demo: build ## train on handwritten digits and show what was learned, in under a minute
	@"$$($(BUILD) --show-bin-path)/tarn" demo
	@echo; echo "tarn is $(SCRATCH)/$(CONFIG)/tarn here; make install puts it into $(PREFIX)/bin"

test: setup ## run all tests (CONFIG=debug for a debugger)
	$(BUILD) --product tarn
	$(BUILD) --product TarnPackageTests
	swift test -c $(CONFIG) --scratch-path $(SCRATCH) --parallel --disable-testable-imports --skip-build

fuzz: setup ## feed damaged files to the readers under the sanitizers (ROUNDS=10000 SECONDS=600 READERS="npz jpeg")
	Tools/fuzz/run $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SECONDS),--seconds $(SECONDS)) $(READERS)

lint: setup ## check the style
	swift format lint -r --strict $(SWIFT_FILES)

format: setup ## put the style right
	swift format format -r -i $(SWIFT_FILES)

size:       ## lines per target; fails if a file has more than 600
	@Tools/size

docs: setup ## build the documentation
	Tools/docs .build-docs $(DOCUMENTED)

examples: setup ## build the examples and run each on a small task
	Tools/examples $(SCRATCH) $(CONFIG)

bench: build ## measure speed, beside the peers that PYTHON has (ONLY=name,name THREADS=1,2 REPEAT=3)
	$(firstword $(PYTHON)) Benchmarks/compare.py --tarn "$$($(BUILD) --show-bin-path)/tarn" \
	  $(foreach python,$(PYTHON),--python $(python)) --results $(SCRATCH)/benchmarks.jsonl \
	  $(if $(ONLY),--only $(ONLY)) --threads $(THREADS) --repeat $(REPEAT)

static: setup ## one stripped program that needs no Swift on the machine it runs on
	swift build -c release --scratch-path .build-static $(STATIC) --product tarn
	@program="$$(swift build -c release --scratch-path .build-static $(STATIC) --show-bin-path)/tarn"; \
	strip -o .build-static/tarn "$$program"; \
	ls -l .build-static/tarn | awk '{ printf "%s: %.1f MB\n", $$NF, $$5 / 1e6 }'

install: static ## install the command under PREFIX (/usr/local)
	install -d "$(DESTDIR)$(PREFIX)/bin"
	install -m 755 .build-static/tarn "$(DESTDIR)$(PREFIX)/bin/tarn"

clean:      ## remove everything that was built
	rm -rf .build .build-* Examples/.build
