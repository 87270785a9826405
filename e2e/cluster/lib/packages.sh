# shellcheck shell=bash
# What comes from Debian.

# To run pods, and the registry.
readonly RUN_PACKAGES=(containernetworking-plugins iproute2 iptables kmod procps docker-registry)
# To build runc and pause.
readonly BUILD_PACKAGES=(gcc libc6-dev libseccomp-dev pkg-config jq)
# What puts images into the registry.
readonly IMAGE_PACKAGES=(buildah jq skopeo)

# The file that forbids services to start, and what it has in it while it is ours.
readonly POLICY=/usr/sbin/policy-rc.d
readonly OUR_POLICY="e2e/kube has made this for as long as it installs packages"

# needed_packages: of a cluster on this machine. Where nothing is built, images come from where the parts came from.
needed_packages() {
	printf '%s\n' "${RUN_PACKAGES[@]}"
	[[ $PARTS ]] || printf '%s\n' "${BUILD_PACKAGES[@]}" "${IMAGE_PACKAGES[@]}"
}

# missing_packages PACKAGE...
missing_packages() {
	local package status
	for package in "$@"; do
		# dpkg-query fails for a package that dpkg never heard of.
		status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || status=unknown
		if [[ $status != installed ]]; then
			echo "$package"
		fi
	done
}

# install_packages PACKAGE...: those that are missing.
install_packages() {
	local missing
	mapfile -t missing < <(missing_packages "$@")
	if ((${#missing[@]} > 0)); then
		step "installed from Debian: ${missing[*]}" apt_install "${missing[@]}"
	fi
}

# apt_install installs without starting anything: the registry is the
# supervisor's to run. A policy-rc.d that forbids it is Debian's way to say so.
apt_install() {
	export DEBIAN_FRONTEND=noninteractive
	apt-get update
	(
		# One of ours may be there, of a call that was killed.
		if [[ ! -e $POLICY ]] || grep -q "$OUR_POLICY" "$POLICY"; then
			trap remove_policy EXIT
			printf '#!/bin/sh\n# %s\nexit 101\n' "$OUR_POLICY" >"$POLICY"
			chmod +x "$POLICY"
		fi
		# A machine that has just started may be busy with upgrades of its own.
		apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"
	)
}

remove_policy() {
	if [[ -e $POLICY ]] && grep -q "$OUR_POLICY" "$POLICY"; then
		rm "$POLICY"
	fi
}
