# Sourced by the programs in this folder: where the repositories are.
conf=/etc/dist-git/dist-git.conf

# A value of the configuration; a missing one ends the program.
setting() {
    local value
    value=$(sed -nE "s/^$1 *= *//p" "$conf")
    [[ $value ]] || { echo "ERROR: $conf lacks $1" >&2; return 1; }
    printf '%s\n' "$value"
}

gitroot_dir=$(setting gitroot_dir)
git_author_name=$(setting git_author_name)
git_author_email=$(setting git_author_email)
export GIT_AUTHOR_NAME=$git_author_name GIT_AUTHOR_EMAIL=$git_author_email
export GIT_COMMITTER_NAME=$git_author_name GIT_COMMITTER_EMAIL=$git_author_email

# What callers understand as "it is there already".
export EXISTS=128

# The bare repository of a package.
repo_of() {
    printf '%s/%s.git\n' "$gitroot_dir" "$1"
}
