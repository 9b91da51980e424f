# Verbs, each with a line of help. Logic lives in .ci/ and in Go.

CGO_ENABLED ?= 0
export CGO_ENABLED

FUZZTIME ?= 5s
GOTEST   ?=

# ST1005 wants errors in lower case; those that scripts grep for begin as NUT wrote them.
STATICCHECK = go tool staticcheck -checks inherit,-ST1005

.PHONY: help build demo test race check bench versus attack fuzz interop clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

build: ## build every program into bin/, with each driver under its NUT name
	@.ci/build "$(origin CGO_ENABLED)"
	@cd bin && names=$$(./upsdrv --list) && for name in $$names; do ln -sf upsdrv $$name; done

demo: build ## one outage, rehearsed in virtual time and with real processes
	bin/rehearse demo

test: ## vet, staticcheck and all tests, but those beside Debian's NUT: make interop
	go vet ./...
	$(STATICCHECK) ./...
	go test $(GOTEST) $$(go list ./... | grep -v /scenarios/interop)
	BLACKSTART_PROC=1 go test -count=1 -timeout 20m -run WithRealProcesses $(GOTEST) ./scenarios

race: ## the short tests under the race detector (needs a C compiler and libusb)
	@.ci/need gcc pkg-config /usr/include/libusb-1.0/libusb.h
	CGO_ENABLED=1 go test -race -short $(GOTEST) ./...

check: ## formatting, vet, staticcheck, go.mod: what must hold before a commit
	@.ci/formatted
	go vet ./...
	$(STATICCHECK) ./...
	go mod tidy -diff

bench: ## all benchmarks, without the tests
	go test -run '^$$' -bench . -benchmem ./...

versus: ## our upsd beside Debian's under the same load: speed, delays, memory
	go run ./scenarios/interop/load $(LOADFLAGS) bench

attack: ## hostile clients against our upsd and Debian's, on loopback, side by side
	@.ci/need upsd certutil
	go run ./scenarios/interop/load -n 3 $(LOADFLAGS) attack

fuzz: ## every fuzz target for FUZZTIME (5s) each
	@.ci/fuzz $(FUZZTIME)

interop: ## our programs against Debian's NUT, both ways, and the clients of others
	@.ci/need upsd upsc certutil pk12util openssl gcc g++ pkg-config /usr/include/libusb-1.0/libusb.h prove \
		/usr/bin/python3 node npm
	BLACKSTART_INTEROP=required go test -count=1 -timeout 25m -parallel 16 $(GOTEST) ./scenarios/interop/...

clean: ## remove what was built
	rm -rf bin
