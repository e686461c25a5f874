# Every command that CI runs is a target here.
CARGO ?= cargo
RELEASE_TARGET ?= x86_64-unknown-linux-gnu
RELEASE_BINARY = $${CARGO_TARGET_DIR:-target}/$(RELEASE_TARGET)/release/tidegate

.PHONY: help demo test fmt lint fuzz control-plane tools deny release release-check bench-policy bench-latency

help: ## Lists the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

demo: ## Shows the main job on the embedded sandbox (needs Rust and git); KEEP=1 leaves it running
	@$(CARGO) build --locked --bin tidegate --bin demo
	@KEEP=$(KEEP) $(CARGO) run --quiet --locked --bin demo

test: ## Checks everything, on the real components too; installs what is missing
	@tests/run

fmt: ## Formats the sources
	$(CARGO) fmt --all

lint: ## Formatting and clippy, warnings are errors
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

tools: ## Installs the Debian packages that the tests need (root), or names them
	@tests/tools

control-plane: ## Builds the real Kubernetes binaries once, kept by the hash of their go.mod
	@tests/control-plane/build

deny: ## Checks licences, sources and banned crates (needs cargo-deny)
	$(CARGO) deny check bans licenses sources

release: ## Builds the static release binary
	RUSTFLAGS="-C target-feature=+crt-static" $(CARGO) build --release --locked --target $(RELEASE_TARGET) --bin tidegate
	@ls -l $(RELEASE_BINARY)

release-check: release ## Checks the release binary: static, small, and works in a bare chroot (root)
	@$(CARGO) build --quiet --locked --bin tidegate --bin demo
	@tests/release/check $(RELEASE_BINARY) $${CARGO_TARGET_DIR:-target}/debug/demo

fuzz: ## Fuzzes one target (needs cargo-fuzz and a nightly compiler); T=composer SECONDS=60
	@tests/fuzz/run $(T) $(SECONDS)

bench-policy: ## Deciding, reading and editing: times and memory
	@$(CARGO) bench --locked -p tidegate-tests --bench policy --bench tree

bench-latency: control-plane release ## Tag pushed to committed, applied and healthy, on the real parts; N=200
	@TIDEGATE_BINARY=$(CURDIR)/target/$(RELEASE_TARGET)/release/tidegate N=$(N) $(CARGO) run --quiet --locked --bin bench-latency
