# shellcheck shell=bash
# The rules of iptables that a cluster leaves behind.

# remove_rules COMMAND CHAINS: takes the chains that the regular expression CHAINS matches,
# and the jumps into them, out of every table in one transaction, and leaves everybody
# else's rules as they are.
remove_rules() {
	local ours
	# A first up that was cut before it had installed it has made no rules either.
	command -v "$1-save" >/dev/null || return 0
	ours=$("$1-save" | awk -v chains="^($2)\$" '
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
