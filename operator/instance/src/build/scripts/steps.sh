# shellcheck shell=bash
# What the steps before httpd share. Conditions repeat the end of a log, so a step that fails says why in its last line.

# step COMMAND [ARGUMENT...]: runs it, and if it fails ends the script.
step() {
    local log
    log=$(mktemp)
    if ! "$@" 2>&1 | tee "$log"; then
        echo "${0##*/}: ${*:1:2} failed: $(reason "$log")" >&2
        exit 1
    fi
    rm "$log"
}

# reason LOG: the last exception, as Python names it at the start of a line (SQLAlchemy writes the statement and a link
# behind it), else the last line.
reason() {
    local exception last
    exception=$(sed -nE '/^([A-Za-z_][A-Za-z0-9_]*\.)+[A-Za-z_][A-Za-z0-9_]*: |^[A-Za-z_]*(Error|Exception|Exit): /p' "$1" | tail -n 1)
    last=$(sed -n '/[^[:space:]]/p' "$1" | tail -n 1)
    last=${exception:-${last:-it said nothing}}
    echo "${last:0:400}"
}
