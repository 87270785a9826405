# shellcheck shell=bash
# The options of run-sanity-tests, read and checked before anything is done.
# shellcheck disable=SC2034 # run-sanity-tests and the other files use these

packages=auto
base=
images=
instance=
kubeconfig=
registry=
registry_secret=
registry_insecure=0
# Of the run. Where the host has a Copr from the start, its namespace.
namespace=
keep=0
output=
set_up_only=0
host=
cluster=auto
ignore_preflight=
ssh_config=
kubeconfig_out=
reset=0
run=smoke-$(date +%s | tail -c 8)
# For kubectl copr run, as they are.
passed=()

usage_error() {
	echo "run-sanity-tests: $1; see --help" >&2
	exit "$EXIT_INFRASTRUCTURE"
}

check_value() {
	[[ ${2:-} ]] || usage_error "$1 needs a value"
}

parse() {
	local option tests=() of_hosts=()
	while (($#)); do
		case $1 in
		--packages | --base | --images | --instance | --kubeconfig | --registry | --registry-secret | --namespace | --output | \
			--cluster | --ignore-preflight | --ssh-config | --kubeconfig-out)
			check_value "$@"
			option=${1#--}
			printf -v "${option//-/_}" '%s' "$2"
			[[ $1 != @(--cluster|--ignore-preflight|--ssh-config|--kubeconfig-out) ]] || of_hosts+=("$1")
			shift
			;;
		--parallelism | --timeout | --test-timeout)
			check_value "$@"
			passed+=("$1" "$2")
			shift
			;;
		--tests)
			check_value "$@"
			IFS=, read -r -a tests <<<"$2"
			passed+=("${tests[@]/#/--test=}")
			shift
			;;
		--)
			passed+=("${@:2}")
			break
			;;
		--registry-insecure) registry_insecure=1 ;;
		--reset)
			reset=1
			of_hosts+=("$1")
			;;
		--keep) keep=1 ;;
		--set-up-only) set_up_only=1 ;;
		-h | --help)
			usage
			exit 0
			;;
		-*) usage_error "unknown argument '$1'" ;;
		*)
			[[ ! $host ]] || usage_error "one host at a time: '$host' or '$1'?"
			host=$1
			;;
		esac
		shift
	done
	check_options
	if [[ ! $host && ${#of_hosts[@]} -gt 0 ]]; then
		usage_error "${of_hosts[0]} is about a host: name one, such as root@192.0.2.7"
	fi
}

check_options() {
	if [[ $images && $packages != auto ]]; then
		usage_error "--images are tested instead of packages: give either --images or --packages"
	fi
	if [[ $instance && ($images || $packages != auto || $base || $registry) ]]; then
		usage_error "--instance is tested as it is: give either --instance, or --images, --packages, --base and --registry"
	fi
	if [[ $base ]]; then
		[[ $base == @(dnf4|dnf5) ]] || usage_error "--base is dnf4 or dnf5, not '$base'"
		[[ ! $images && $packages != fedora ]] || usage_error "--base is of stand-ins: it goes with --packages standin or a folder"
		export COPR_STANDIN_BASE=$base
	fi
	if [[ $packages != @(auto|fedora|standin) ]]; then
		[[ -d $packages ]] || usage_error "--packages is fedora, standin, auto or a folder of RPMs, and there is no folder '$packages'"
		overlay=$(realpath "$packages")
	fi
	[[ $cluster == @(auto|kube|kubeadm|microshift) ]] || usage_error "--cluster is kube, kubeadm or microshift, not '$cluster'"
	if [[ $host && $kubeconfig ]]; then
		usage_error "give either a host or --kubeconfig"
	fi
	if [[ $kubeconfig ]]; then
		[[ $registry || $images || $instance ]] || usage_error "--kubeconfig needs --registry: where does that cluster pull images from?"
	elif [[ $registry ]]; then
		usage_error "--registry is for a cluster given with --kubeconfig; the one on this machine has its own"
	fi
	if [[ ! $registry ]] && [[ $registry_secret || $registry_insecure == 1 ]]; then
		usage_error "--registry-secret and --registry-insecure say something of --registry, which isn't given"
	fi
	if [[ $registry == *://* || $images == *://* ]]; then
		usage_error "--registry and --images are a host and a path without a scheme, such as quay.io/you"
	fi
	registry=${registry%/}
	# The results of two runs in one folder would be those of neither.
	if [[ $output && -e $output ]] && [[ ! -d $output || $(ls -A "$output") ]]; then
		usage_error "--output is a folder that is empty or not there, and there is something in '$output'"
	fi
}

# The parts of --images; a host may have a port.
images_prefix() {
	local last=${images##*/}
	if [[ $last == *:* && ! ($images == "$last" && ${last##*:} == +([0-9])) ]]; then
		echo "${images%:*}"
	else
		echo "${images%/}"
	fi
}

images_tag() {
	local prefix
	prefix=$(images_prefix)
	if [[ $images == "$prefix":* ]]; then
		echo "${images##*:}"
	else
		echo latest
	fi
}
