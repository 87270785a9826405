//! `/etc/gitconfig` of dist-git.

/// Renders the file. The repositories may belong to the uid of an earlier pod, hence `safe.directory`.
/// dist-git's scripts leave the first branch's name to git and then push the `default_branch` of their own
/// configuration, which is `master`.
pub fn render() -> String {
    "[user]\n\tname = Copr dist-git\n\temail = copr-dist-git@localhost\n[safe]\n\tdirectory = *\n[init]\n\tdefaultBranch = master\n".into()
}
