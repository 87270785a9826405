# shellcheck shell=bash
# Packages of the distribution, installed when they are missing.

# need COMMAND=DEBIAN-PACKAGE[=FEDORA-PACKAGE]...: installs the packages of the commands that aren't there.
need() {
	local entry command debian fedora missing=()
	for entry in "$@"; do
		IFS='=' read -r command debian fedora <<<"$entry"
		if command -v "$command" >/dev/null; then
			continue
		fi
		if command -v apt-get >/dev/null; then
			missing+=("$debian")
		else
			missing+=("${fedora:-$debian}")
		fi
	done
	if ((${#missing[@]} > 0)); then
		say "installing packages: ${missing[*]}"
		step "packages" install_packages "${missing[@]}"
	fi
}

# need_static_libc: what the operator is linked with. cc prints a path if there is one.
need_static_libc() {
	if [[ $(cc -print-file-name=libc.a) == /* ]]; then
		return
	fi
	if command -v apt-get >/dev/null; then
		step "packages" install_packages libc6-dev
	else
		step "packages" install_packages glibc-static
	fi
}

install_packages() {
	local sudo=()
	if ((EUID != 0)); then
		sudo=(sudo)
	fi
	if command -v apt-get >/dev/null; then
		"${sudo[@]}" apt-get update
		"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
	elif command -v dnf >/dev/null; then
		"${sudo[@]}" dnf install -y "$@"
	else
		echo "neither apt-get nor dnf is here: install ${*} yourself"
		return 1
	fi
}

need_rust() {
	local wanted have
	wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml")
	if ! command -v cargo >/dev/null; then
		die "Rust $wanted or newer is needed, and there is no cargo on the PATH: install it with rustup (https://rustup.rs) or from your distribution"
	fi
	if ! have=$(cd "$ROOT" && cargo --version | awk '{ print $2 }'); then
		die "cargo doesn't run. If rustup lacks the Rust of rust-toolchain.toml: run 'rustup toolchain install' in $ROOT, or set RUSTUP_TOOLCHAIN to one that it has, $wanted or newer"
	fi
	if [[ $(printf '%s\n' "$wanted" "${have%%-*}" | sort -V | head -n 1) != "$wanted" ]]; then
		die "Rust $wanted or newer is needed, and this is $have: run 'rustup update'"
	fi
}
