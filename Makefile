# The two commands of the README are `make demo` and `make test`; `make setup` installs what both need on Debian 12.
GO ?= go
APT = samba smbclient fuse3 openssh-server openssh-client rsync git vim sqlite3 attr dbus gnome-keyring curl jq procps util-linux

.PHONY: setup build test vet
setup:
	@for p in $(APT); do dpkg -s $$p >/dev/null 2>&1 || missing=1; done; \
	if [ -n "$$missing" ]; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(APT) >/dev/null; \
	fi

build:
	$(GO) build -o build/wnet ./cmd/wnet

vet:
	$(GO) vet ./...

test: setup vet
	$(GO) test -race ./...
