#!/usr/bin/env bash
# A run of the sanity suite as a tmt test with `result: custom`: `kubectl copr` writes results.yaml, with the logs that it names.
set -euo pipefail

flags=()
# On as many lines as somebody likes; read ends with 1 as there is no NUL.
read -r -d '' -a flags <<<"${COPR_FLAGS:-}" || [[ $? == 1 ]]
if [[ ${PACKIT_COMMIT_SHA:-} ]]; then
	flags+=(--source "$PACKIT_FULL_REPO_NAME" --commit "$PACKIT_COMMIT_SHA")
fi
if [[ ${PACKIT_PR_ID:-} ]]; then
	flags+=(--pr "$PACKIT_PR_ID")
	export COPR_GROUP=${COPR_GROUP:-pull-request-$PACKIT_PR_ID}
fi
if [[ ${COPR_KUBECONFIG_BASE64:-} ]]; then
	KUBECONFIG=$(mktemp)
	export KUBECONFIG
	trap 'rm -f "$KUBECONFIG"' EXIT
	base64 --decode <<<"$COPR_KUBECONFIG_BASE64" >"$KUBECONFIG"
	unset COPR_KUBECONFIG_BASE64
fi
export COPR_ARTIFACTS=$TMT_TEST_DATA

status=0
PATH=${COPR_CLI_DIR:-/usr/local/bin}:$PATH copr-sanity "${flags[@]}" || status=$?
if [[ ! -e $TMT_TEST_DATA/results.yaml ]]; then
	cat >"$TMT_TEST_DATA/results.yaml" <<-END
		- name: /
		  result: error
		  note:
		  - there is no run, or it can't be read; the output of the test says why
	END
fi
exit "$status"
