//! `/etc/gitconfig` of dist-git.

/// Renders the file. The repositories may belong to the uid of an earlier pod, hence `safe.directory`.
pub fn render() -> String {
    "[user]\n\tname = Copr dist-git\n\temail = copr-dist-git@localhost\n[safe]\n\tdirectory = *\n[init]\n\tdefaultBranch = main\n".into()
}
