# The two commands of the README are `make demo` and `make test`; `make setup` installs what both need on Debian 12.
GO ?= go
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
APT = gcc libc6-dev fuse3 samba smbclient openssh-server openssh-client rsync git vim sqlite3 attr dbus gnome-keyring libsecret-tools curl jq procps \
	util-linux libcap2-bin ca-certificates systemd
# For the C library and its tests: on Linux and musl, for Windows, and in Wine.
APT += clang libclang-rt-14-dev pkg-config musl-tools valgrind gcc-mingw-w64-x86-64 gcc-mingw-w64-i686 wine wine64 wine32:i386
# For the browsing of the local network: who answers to it, and a network in which nobody else does.
APT += avahi-daemon wsdd iproute2
# For the tests of Kerberos: a KDC, and a domain controller.
APT += krb5-kdc krb5-admin-server krb5-user samba-ad-provision samba-dsdb-modules samba-vfs-modules winbind
APT_BENCH = gvfs gvfs-backends gvfs-fuse rclone

# What a Go program on Windows may import.
WINDOWS = . ./win32 ./client

.PHONY: setup build capi capi-linux capi-wine man install install-capi demo test vet contract bench

setup:
	@.ci/setup $(APT)
	@[ ! -w /dev/fuse ] || chmod a+rw /dev/fuse # as fuse3 does where it is installed, and nobody where a container starts without udev

build:
	$(GO) build -o build/wnet ./cmd/wnet

# The C library: libmpr.so for Linux (CC=musl-gcc for musl), mpr.dll for 64-bit and 32-bit programs in Wine. CAPI is where they go.
CAPI ?= build
CAPI_CFLAGS ?= -O2 -g
CAPI_WARN = -std=c99 -Wall -Wextra -Wshadow -DWNET_BUILDING
CAPI_SO = $(filter-out %_wine.c,$(wildcard capi/*.c))
CAPI_DLL = $(filter-out %_unix.c,$(wildcard capi/*.c))
capi: capi-linux capi-wine

capi-linux: $(CAPI)/libmpr.so.1
$(CAPI)/libmpr.so.1: $(CAPI_SO) $(wildcard capi/*.h) capi/libmpr.map
	@mkdir -p $(CAPI)
	$(CC) $(CAPI_WARN) $(CAPI_CFLAGS) -fPIC -fvisibility=hidden -shared -Wl,-soname,libmpr.so.1 -Wl,--version-script=capi/libmpr.map \
		-Wl,-z,relro,-z,now -o $@ $(CAPI_SO) -lpthread
	ln -sf libmpr.so.1 $(CAPI)/libmpr.so

capi-wine: $(CAPI)/wine64/mpr.dll $(CAPI)/wine32/mpr.dll $(CAPI)/wine64/wnetagent.exe $(CAPI)/wine32/wnetagent.exe
$(CAPI)/wine64/mpr.dll: MINGW = x86_64-w64-mingw32-gcc
$(CAPI)/wine32/mpr.dll: MINGW = i686-w64-mingw32-gcc -Wl,--enable-stdcall-fixup,--kill-at
$(CAPI)/wine64/mpr.dll $(CAPI)/wine32/mpr.dll: $(CAPI_DLL) $(wildcard capi/*.h) capi/mpr.def
	@mkdir -p $(@D)
	$(MINGW) $(CAPI_WARN) $(CAPI_CFLAGS) -s -shared -static-libgcc -o $@ $(CAPI_DLL) capi/mpr.def -ladvapi32

# What `wnet wine` and the daemon run in a prefix.
$(CAPI)/wine64/wnetagent.exe: MINGW = x86_64-w64-mingw32-gcc
$(CAPI)/wine32/wnetagent.exe: MINGW = i686-w64-mingw32-gcc
$(CAPI)/wine64/wnetagent.exe $(CAPI)/wine32/wnetagent.exe: wine/agent/wnetagent.c
	@mkdir -p $(@D)
	$(MINGW) -std=c99 -Wall -Wextra -O2 -s -static-libgcc -o $@ $<

man: build
	build/wnet man build/man

# PREFIX and DESTDIR as usual; what is installed is the program, its manual pages and shell completions, and the user units. It takes
# what `make build` built, so that root needs no Go. The C library is installed too where it was built (`make capi-linux`) or cc is there.
PREFIX ?= /usr/local
LIBMPR = $(or $(wildcard build/libmpr.so.1),$(if $(shell command -v $(firstword $(CC))),build/libmpr.so.1))
install: $(if $(wildcard build/wnet),,build) $(if $(LIBMPR),install-capi)
	install -D -m 755 build/wnet $(DESTDIR)$(PREFIX)/bin/wnet
	for d in wine64 wine32; do for f in mpr.dll wnetagent.exe; do \
		[ ! -f build/$$d/$$f ] || install -D -m 644 build/$$d/$$f $(DESTDIR)$(PREFIX)/lib/wnet/$$d/$$f || exit 1; done; done
	build/wnet man $(DESTDIR)$(PREFIX)/share/man/man1
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/site-functions \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	build/wnet completion bash >$(DESTDIR)$(PREFIX)/share/bash-completion/completions/wnet
	build/wnet completion zsh >$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_wnet
	build/wnet completion fish >$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/wnet.fish
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/user
	sed 's|/usr/bin/wnet|$(PREFIX)/bin/wnet|' systemd/wnet.service >$(DESTDIR)$(PREFIX)/lib/systemd/user/wnet.service
	install -m 644 systemd/wnet.socket $(DESTDIR)$(PREFIX)/lib/systemd/user/

install-capi: $(if $(wildcard build/libmpr.so.1),,capi-linux)
	install -D -m 755 build/libmpr.so.1 $(DESTDIR)$(PREFIX)/lib/libmpr.so.1
	ln -sf libmpr.so.1 $(DESTDIR)$(PREFIX)/lib/libmpr.so
	install -d $(DESTDIR)$(PREFIX)/include/wnet $(DESTDIR)$(PREFIX)/lib/pkgconfig
	install -m 644 capi/winnetwk.h capi/npapi.h capi/wnnc.h capi/wintypes.h $(DESTDIR)$(PREFIX)/include/wnet/
	sed 's|@PREFIX@|$(PREFIX)|' capi/libmpr.pc.in >$(DESTDIR)$(PREFIX)/lib/pkgconfig/libmpr.pc

# The main job, each step printed as the command that a person would type. Who is not root and has no fuse3 is told so by wnet.
demo: build
	@command -v fusermount3 >/dev/null || [ "$$(id -u)" != 0 ] || .ci/setup fuse3
	@build/wnet demo

vet:
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	GOOS=windows GOARCH=amd64 $(GO) vet $(WINDOWS)
	GOOS=windows GOARCH=386 $(GO) vet $(WINDOWS)

# All tests, with the race detector, and then the contract's table against what passed. A skipped test is a failure.
test: setup vet
	@mkdir -p build
	$(GO) test -race -count=1 -timeout 40m -json ./... | $(GO) run ./test/summary -noskip -o build/test.json
	$(GO) run ./test/contract -q -results build/test.json

# The contract, row by row, with the tests that prove it.
contract:
	$(GO) run ./test/contract

bench: setup
	@.ci/setup $(APT_BENCH)
	$(GO) test ./bench -run '^$$' -bench . -benchtime 1x
