# shellcheck shell=bash
# What a host's file system is made of.

readonly CACHE=${COPR_E2E_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/copr-operator}/testhost
readonly MIRROR=${COPR_TESTHOST_MIRROR:-}

# make_debian FILE: what every new host starts from.
make_debian() {
	local packages
	need mmdebstrap=mmdebstrap zstd=zstd
	packages=$(grep -vE '^(#|$)' "$HERE/machine/packages.txt" | paste -sd,)
	tell "installing Debian $SUITE (once, a minute or two)"
	mmdebstrap --quiet --variant=minbase --include="$packages" "$SUITE" - ${MIRROR:+"$MIRROR"} | zstd -q -T2 -3 -f -o "$1.part"
	mv "$1.part" "$1"
}

# debian: the archive, made if it isn't there.
debian() {
	local hash archive lock
	hash=$({
		echo "$SUITE $MIRROR"
		declare -f make_debian
		cat "$HERE/machine/packages.txt"
	} | sha256sum)
	archive=$CACHE/debian-${hash:0:12}.tar.zst
	mkdir -p "$CACHE"
	exec {lock}>"$CACHE/lock"
	flock "$lock"
	[[ -f $archive ]] || make_debian "$archive" >&2
	exec {lock}>&-
	echo "$archive"
}

make_root() {
	local archive
	archive=$(debian)
	rm -rf "$HOST/root.part"
	mkdir -m 755 "$HOST/root.part"
	tar -C "$HOST/root.part" --numeric-owner --xattrs --xattrs-include='*' --zstd -xf "$archive"
	configure_root "$HOST/root.part"
	mv "$HOST/root.part" "$HOST/root"
}

# configure_root ROOT: who it is and who may log in.
configure_root() {
	echo "$NAME" >"$1/etc/hostname"
	printf '127.0.0.1 localhost\n%s %s\n' "$(address 2)" "$NAME" >"$1/etc/hosts"
	rm -f "$1/etc/resolv.conf"
	cp -L /etc/resolv.conf "$1/etc/resolv.conf"
	# The package has made some for the archive, and so for all hosts.
	rm -f "$1"/etc/ssh/ssh_host_*
	ssh-keygen -q -t ed25519 -N '' -C "root@$NAME" -f "$1/etc/ssh/ssh_host_ed25519_key"
	rm -f "$HOST"/key{,.pub}
	ssh-keygen -q -t ed25519 -N '' -C "test of $NAME" -f "$HOST/key"
	install -d -m 700 "$1/root/.ssh"
	install -m 600 "$HOST/key.pub" "$1/root/.ssh/authorized_keys"
}

write_ssh_config() {
	echo "$NAME,$(address 2) $(<"$HOST/root/etc/ssh/ssh_host_ed25519_key.pub")" >"$HOST/known_hosts"
	cat >"$HOST/ssh_config" <<-END
		Host $NAME
			HostName $(address 2)
			User root
			IdentityFile $HOST/key
			IdentitiesOnly yes
			UserKnownHostsFile $HOST/known_hosts
			StrictHostKeyChecking yes
	END
}
