# shellcheck shell=bash
# What the cluster changes on the machine outside of its own folders, and how
# that is undone.

readonly SYSCTLS=(net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1)
# Those that the kubelet changes.
readonly KUBELET_SYSCTLS=(vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops
	kernel.keys.root_maxkeys kernel.keys.root_maxbytes)
readonly SAVED_SYSCTLS=$STATE/sysctls
readonly NAMESPACES=/run/netns
# The chains that hold our own rules, and the prefixes of those that kube-proxy,
# the kubelet and the network plugins make.
readonly OWN_CHAIN=COPR-E2E
readonly CHAINS="$OWN_CHAIN|KUBE-[A-Z0-9-]+|CNI-[A-Za-z0-9-]+"

prepare_host() {
	set_sysctls
	share_namespaces
	make_bridge
	add_rules
}

restore_host() {
	remove_namespaces
	remove_bridge
	remove_rules iptables
	remove_rules ip6tables
	restore_sysctls
	remove_policy
}

set_sysctls() {
	local setting name
	if [[ ! -e /proc/sys/net/bridge ]]; then
		modprobe br_netfilter
	fi
	for setting in "${SYSCTLS[@]}"; do
		name=${setting%%=*}
		if [[ $(sysctl -n "$name") != "${setting#*=}" ]]; then
			save_sysctl "$name"
			sysctl -w "$setting"
		fi
	done
	for name in "${KUBELET_SYSCTLS[@]}"; do
		save_sysctl "$name"
	done
}

# save_sysctl NAME: as it was before the cluster's first up.
save_sysctl() {
	touch "$SAVED_SYSCTLS"
	grep -q "^$1 = " "$SAVED_SYSCTLS" || sysctl "$1" >>"$SAVED_SYSCTLS"
}

# restore_sysctls writes only what isn't so already: not every machine lets everything be written.
restore_sysctls() {
	local name value
	[[ -e $SAVED_SYSCTLS ]] || return 0
	while read -r name _ value; do
		if [[ $(sysctl -n "$name") != "$value" ]]; then
			sysctl -w "$name=$value"
		fi
	done <"$SAVED_SYSCTLS"
	rm "$SAVED_SYSCTLS"
}

# make_bridge makes the network that pods are plugged into. It is there before
# the first pod, because the API server and the others listen on its address.
make_bridge() {
	if ! ip link show "$BRIDGE" >/dev/null 2>&1; then
		ip link add "$BRIDGE" type bridge
	fi
	ip address replace "$ADDRESS/${POD_CIDR#*/}" dev "$BRIDGE"
	ip link set "$BRIDGE" up
	# So that this machine reaches Services even if it has no default route.
	ip route replace "$SERVICE_CIDR" dev "$BRIDGE" src "$ADDRESS"
}

remove_bridge() {
	if ip link show "$BRIDGE" >/dev/null 2>&1; then
		ip link delete "$BRIDGE"
	fi
}

# add_rules lets pods out to wherever the machine itself can go.
add_rules() {
	iptables-restore --wait --noflush <<-END
		*filter
		:$OWN_CHAIN - [0:0]
		-A $OWN_CHAIN -s $POD_CIDR -j ACCEPT
		-A $OWN_CHAIN -d $POD_CIDR -j ACCEPT
		COMMIT
		*nat
		:$OWN_CHAIN - [0:0]
		-A $OWN_CHAIN -s $POD_CIDR ! -d $POD_CIDR -j MASQUERADE
		COMMIT
	END
	ensure_jump filter FORWARD
	ensure_jump nat POSTROUTING
}

ensure_jump() {
	if ! iptables --wait -t "$1" -C "$2" -j $OWN_CHAIN 2>/dev/null; then
		iptables --wait -t "$1" -A "$2" -j $OWN_CHAIN
	fi
}

# remove_rules COMMAND: takes the cluster's chains, and the jumps into them, out
# of every table in one transaction, and leaves everybody else's rules as they are.
remove_rules() {
	local ours
	# A first up that was cut before it had installed it has made no rules either.
	command -v "$1-save" || return 0
	ours=$("$1-save" | awk -v chains="^($CHAINS)\$" '
		/^\*/ { table = $0; next }
		/^:/ { name = substr($1, 2); if (name ~ chains) { flush[table] = flush[table] "-F " name "\n"; drop[table] = drop[table] "-X " name "\n" } next }
		/^-A/ && $2 !~ chains {
			for (i = 3; i < NF; i++) if ($i == "-j" && $(i + 1) ~ chains) { sub(/^-A/, "-D"); unhook[table] = unhook[table] $0 "\n"; break }
		}
		END { for (table in flush) printf "%s\n%s%s%sCOMMIT\n", table, unhook[table], flush[table], drop[table] }')
	if [[ $ours ]]; then
		"$1-restore" --wait --noflush <<<"$ours"
	fi
}

# kill_leftovers ends what a dead supervisor or containerd could not: the pods'
# processes and the shims that hold them.
kill_leftovers() {
	local process
	while read -r process; do
		kill_if_there "$process"
	done < <(pgrep -f -- "containerd-shim-runc-v2 .*-address $CONTAINERD_SOCKET" || [[ $? == 1 ]]) # 1: there is none
	while read -r process; do
		kill_if_there "$process"
	done < <(find_pod_cgroups -exec cat {}/cgroup.procs \; | sort -u)
}

kill_if_there() {
	if [[ -d /proc/$1 ]]; then
		kill -KILL "$1" || [[ ! -d /proc/$1 ]]
	fi
}

find_pod_cgroups() {
	local top tops=(/sys/fs/cgroup/kubepods /sys/fs/cgroup/*/kubepods)
	for top in "${tops[@]}"; do
		if [[ -d $top ]]; then
			find "$top" -depth -type d "$@"
		fi
	done
}

# Cgroups of processes that were just killed stay busy for a moment.
remove_cgroups() {
	[[ ! $(find_pod_cgroups -exec rmdir {} \; 2>&1) && ! $(find_pod_cgroups) ]]
}

remove_mounts() {
	local target
	while read -r target; do
		umount --lazy "$target"
	done < <(our_mounts | tac)
}

our_mounts() {
	awk -v state="$STATE/" 'index($5, state) == 1 { print $5 }' /proc/self/mountinfo
}

# share_namespaces does what ip netns does at its first use: it mounts the folder
# of named network namespaces onto itself. Done later, with pods running, that
# would bury their namespaces, and nothing could remove them.
share_namespaces() {
	mkdir -p "$NAMESPACES"
	if ! mountpoint -q "$NAMESPACES"; then
		mount --bind "$NAMESPACES" "$NAMESPACES"
		mount --make-shared "$NAMESPACES"
	fi
}

remove_namespaces() {
	local name
	for name in "$NAMESPACES"/cni-*; do
		if mountpoint -q "$name"; then
			umount "$name"
		fi
		rm "$name"
	done
	if [[ -d $NAMESPACES && ! $(ls "$NAMESPACES") ]] && mountpoint -q "$NAMESPACES"; then
		umount "$NAMESPACES"
		rmdir "$NAMESPACES"
	fi
}
