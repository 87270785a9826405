# shellcheck shell=bash
# A host's network, and this machine's end of it.

# For measurements of networks, so that nothing else is there (RFC 2544). Each host has four addresses of it.
readonly ADDRESSES=198.18
readonly SETTINGS=/proc/sys/net/ipv4

name_network() {
	readonly VETH=th-$NAME CHAIN=COPR-TESTHOST-$NAME
}

# address N: the first is this machine's, the second the host's.
address() {
	echo "$ADDRESSES.$(<"$HOST/number").$1"
}

# take_number: one that no other host has.
take_number() {
	local number taken
	[[ ! -s $HOST/number ]] || return 0
	taken=" $(cat "$STATE"/*/number | paste -sd' ') "
	for number in {1..99}; do
		if [[ $taken != *" $number "* ]]; then
			echo "$number" >"$HOST/number"
			return
		fi
	done
	die "there are 99 hosts in $STATE: take some down"
}

connect() {
	if ! ip link show "$VETH" >/dev/null 2>&1; then
		ip link add "$VETH" type veth peer name eth0 netns "$(process)"
		# A new network namespace has what this machine has, and a bare host forwards nothing.
		inside --net sysctl -q -w net.ipv4.ip_forward=0
	fi
	ip address replace "$(address 1)/30" dev "$VETH"
	ip link set "$VETH" up
	inside --net ip link set lo up
	inside --net ip address replace "$(address 2)/30" dev eth0
	inside --net ip link set eth0 up
	inside --net ip route replace default via "$(address 1)"
	let_out
}

# let_out: to wherever this machine can go. Its own rule for each host.
let_out() {
	local network
	network=$(address 0)/30
	iptables-restore --wait --noflush <<-END
		*filter
		:$CHAIN - [0:0]
		-A $CHAIN -s $network -j ACCEPT
		-A $CHAIN -d $network -j ACCEPT
		COMMIT
		*nat
		:$CHAIN - [0:0]
		-A $CHAIN -s $network ! -o $VETH -j MASQUERADE
		COMMIT
	END
	iptables --wait -t filter -C FORWARD -j "$CHAIN" 2>/dev/null || iptables --wait -t filter -I FORWARD -j "$CHAIN"
	iptables --wait -t nat -C POSTROUTING -j "$CHAIN" 2>/dev/null || iptables --wait -t nat -I POSTROUTING -j "$CHAIN"
	allow_forwarding "$VETH"
	allow_forwarding "$(ip -o route show default | awk '{ print $5; exit }')"
}

# allow_forwarding INTERFACE: of what comes in there. Whether this machine forwards by default is others' to decide: a cluster of
# e2e/kube puts that back to what it found.
allow_forwarding() {
	if [[ $(<"$SETTINGS/conf/$1/forwarding") != 1 ]]; then
		mkdir -p "$STATE/forwarding"
		touch "$STATE/forwarding/$1"
		echo 1 >"$SETTINGS/conf/$1/forwarding"
	fi
}

# forbid_forwarding: by then it may be this machine's default.
forbid_forwarding() {
	local interface
	for interface in "$STATE"/forwarding/*; do
		interface=${interface##*/}
		if [[ -e $SETTINGS/conf/$interface ]]; then
			cat "$SETTINGS/ip_forward" >"$SETTINGS/conf/$interface/forwarding"
		fi
	done
}

disconnect() {
	local table hook
	for table in filter nat; do
		hook=FORWARD
		[[ $table == filter ]] || hook=POSTROUTING
		if iptables --wait -t "$table" -S "$CHAIN" >/dev/null 2>&1; then
			while iptables --wait -t "$table" -C "$hook" -j "$CHAIN" 2>/dev/null; do
				iptables --wait -t "$table" -D "$hook" -j "$CHAIN"
			done
			iptables --wait -t "$table" -F "$CHAIN"
			iptables --wait -t "$table" -X "$CHAIN"
		fi
	done
	if ip link show "$VETH" >/dev/null 2>&1; then
		ip link delete "$VETH"
	fi
}

# network_snapshot: what isn't there before a host has packages for it, it needs none for.
network_snapshot() {
	local command
	inside --net ip -o address | awk '{ $1 = "interface"; sub(/ valid_lft .*/, ""); print }'
	inside --net ip -o link | awk '{ sub(/@.*/, ":", $2); print "interface", $2, $3 }'
	inside --net ip route show table all | sed 's/^/route /'
	for command in iptables ip6tables; do
		# Without the counters, and the empty tables that looking at them or using them once makes.
		inside --net "$command-save" | awk -v command="$command" '
			/^\*/ { table = $1 }
			/^-A/ || (/^:/ && $2 != "ACCEPT") { sub(/ \[[0-9:]*\]$/, ""); print "rule", command, table, $0 }'
	done
	# What counts and measures is no setting.
	inside --net sysctl --all --pattern '^net\.' 2>/dev/null | sed 's/^/sysctl /' | grep -vE 'nf_conntrack_(count|max|buckets)|fastopen_key|tcp_mem|\.neigh\.'
}
