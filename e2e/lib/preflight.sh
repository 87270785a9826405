# shellcheck shell=bash
# What is said of a host before anything of it is changed. Pure: from what e2e/host/facts printed, as FACTS.

# shellcheck disable=SC2034 # host.sh fills it
declare -A FACTS=()
# What is in the way of a cluster: there may be several.
OCCUPIED=()

# What Copr and a cluster of its own take (docs/hosts.md).
readonly MIN_CORES=4
readonly MIN_MEMORY_MIB=7500
readonly MIN_DISK_MIB=38000
# Volumes in memory of pods that have a user namespace.
readonly MIN_KERNEL=6.3

# read_facts: from standard input.
read_facts() {
	local name value
	FACTS=()
	OCCUPIED=()
	while read -r name value; do
		if [[ $name == occupied ]]; then
			OCCUPIED+=("$value")
		else
			FACTS[$name]=$value
		fi
	done
}

# choose_cluster WANTED: the kind of cluster that suits the host, or nothing.
choose_cluster() {
	if [[ $1 != auto ]]; then
		echo "$1"
		return
	fi
	case " ${FACTS[system]} " in
	*" debian "*) echo kube ;;
	*" fedora "* | *" rhel "*) echo kubeadm ;;
	esac
}

# older VERSION THAN
older() {
	[[ $1 != "$2" && $(printf '%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]
}

# preflight CLUSTER ARCHITECTURE: a line for everything that is to be said of the host: 'refused NAME: …' or 'noted NAME: …'.
preflight() {
	local cluster=$1 occupied
	if [[ ! $cluster ]]; then
		echo "refused UnknownSystem: ${FACTS[name]} is neither Debian-like nor Fedora-like: nothing here knows its packages; name the kind that it is like with --cluster"
	elif [[ $cluster == kube && " ${FACTS[system]} " != *" debian "* ]]; then
		echo "refused UnknownSystem: --cluster kube is for Debian-like hosts, and this is ${FACTS[name]}: leave the option out"
	elif [[ $cluster != kube && " ${FACTS[system]} " != *@(" fedora "|" rhel ")* ]]; then
		echo "refused UnknownSystem: --cluster $cluster is for Fedora-like hosts, and this is ${FACTS[name]}: leave the option out"
	fi
	if [[ ${FACTS[architecture]} != "$2" ]]; then
		echo "refused OtherArchitecture: the host is ${FACTS[architecture]} and this machine, which builds for it, $2"
	fi
	# A machine that was made with a Copr on it has what that takes.
	if [[ ! ${FACTS[copr]:-} ]] && ((FACTS[cores] < MIN_CORES)); then
		echo "refused TooFewCores: the host has ${FACTS[cores]}, and Copr with its builders takes $MIN_CORES"
	fi
	if [[ ! ${FACTS[copr]:-} ]] && ((FACTS[memory] < MIN_MEMORY_MIB)); then
		echo "refused TooLittleMemory: the host has ${FACTS[memory]} MiB, and Copr with its builders takes 8 GB ($MIN_MEMORY_MIB MiB; 16 GB are better)"
	fi
	if [[ ! ${FACTS[cluster]:-} ]] && ((FACTS[disk] < MIN_DISK_MIB)); then
		echo "refused TooLittleDisk: below /var/lib the host has ${FACTS[disk]} MiB free, and images and builds take 40 GB ($MIN_DISK_MIB MiB)"
	fi
	if older "${FACTS[kernel]%%-*}" "$MIN_KERNEL"; then
		echo "refused OldKernel: the host runs Linux ${FACTS[kernel]}; builders in user namespaces take $MIN_KERNEL (Debian 13, Fedora 39)"
	fi
	if [[ ${FACTS[cgroup]} == 1 ]]; then
		if [[ $cluster == kube ]]; then
			echo "noted Cgroup1: the host has cgroups v1, which still do"
		else
			echo "refused Cgroup1: the host has cgroups v1, and CRI-O takes v2: boot it with systemd.unified_cgroup_hierarchy=1"
		fi
	fi
	if ((FACTS[swap] > 0)); then
		echo "noted Swap: the host has ${FACTS[swap]} MiB of swap, which stays on; pods don't use it"
	fi
	if [[ ${FACTS[selinux]} == Enforcing ]]; then
		echo "noted SELinux: it is enforcing, and stays so"
	fi
	if [[ ${FACTS[cluster]:-} && ${FACTS[cluster]} != "$cluster" ]]; then
		echo "refused OtherCluster: the host has a cluster of the kind ${FACTS[cluster]} already: --cluster ${FACTS[cluster]} uses it, --reset removes it"
	fi
	for occupied in "${OCCUPIED[@]}"; do
		echo "refused Occupied: there is $occupied, which a cluster of ours would get in the way of"
	done
}

# judge CLUSTER ARCHITECTURE IGNORED: says all of it, and ends if something is refused whose name isn't among IGNORED, which
# commas separate.
judge() {
	local verdict name text refused=()
	while read -r verdict name text; do
		say "Host: $verdict $name $text"
		name=${name%:}
		if [[ $verdict == refused && ,$3, != *,"$name",* ]]; then
			refused+=("$name")
		fi
	done < <(preflight "$1" "$2")
	if ((${#refused[@]} > 0)); then
		refused=("$(IFS=, && echo "${refused[*]}")")
		die "the host is refused, and nothing of it was changed; --ignore-preflight ${refused[0]} tries it all the same"
	fi
}
