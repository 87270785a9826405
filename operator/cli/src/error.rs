//! What can go wrong, as people read it: what, where, and what to do.

use std::{
    io::{self, Write as _},
    path::PathBuf,
};

use copr_operator_kernel::{apply, report};

/// On standard error. A terminal that was closed is no reason to stop in the middle, as `eprintln!` would.
pub fn tell(text: &str) {
    _ = writeln!(io::stderr(), "{text}");
}

/// Whether the API server is away or unwell, rather than that it says no.
pub fn passes(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(answer) => apply::is_unwell(answer),
        kube::Error::HyperError(_) | kube::Error::Service(_) | kube::Error::ReadEvents(_) => true,
        _ => false,
    }
}

/// A text without the users and passwords of URLs in it.
pub fn without_logins(text: &str) -> String {
    let mut parts = text.split("://");
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let authority =
            part.split(|c: char| c.is_whitespace() || "/?#'\"".contains(c)).next().unwrap_or_default();
        let rest = authority.rfind('@').map_or(part, |at| part.get(at + 1..).unwrap_or_default());
        clean.push_str("://");
        clean.push_str(rest);
    }
    clean
}

/// Why a command couldn't do its work. All of them exit with 2.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "failed to find a cluster: {0}; name a kubeconfig with --kubeconfig or $KUBECONFIG, and a context of it with --context"
    )]
    Kubeconfig(String),
    #[error("failed to {doing}")]
    Api {
        doing: String,
        #[source]
        source: Box<kube::Error>,
    },
    #[error(
        "there is no {kind} {name} in the namespace {namespace}; 'kubectl get {plural} --namespace {namespace}' lists those that there are, --namespace names another one"
    )]
    NotThere { kind: &'static str, plural: &'static str, name: String, namespace: String },
    #[error(
        "this cluster knows no {kind}: install the operator, or name another cluster with --context; 'kubectl copr preflight' says more"
    )]
    NotServed { kind: &'static str },
    #[error("{0}")]
    Said(String),
    #[error("failed to {doing} {}", path.display())]
    File {
        doing: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("failed to write the output")]
    Output(#[from] io::Error),
    #[error("failed to make {what} of the run: {why}")]
    Render { what: &'static str, why: String },
}

impl Error {
    pub fn file(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { doing, path, source }
    }

    /// What the API server, or the way to it, said while something was done.
    pub fn api(doing: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Api { doing, source: Box::new(source) }
    }

    /// The same of one object of a kind.
    pub fn of(
        (kind, plural): (&'static str, &'static str),
        doing: &str,
        name: &str,
        namespace: &str,
        source: kube::Error,
    ) -> Self {
        match &source {
            kube::Error::Api(status) if status.code == 404 && status.reason == "NotFound" => {
                Self::NotThere { kind, plural, name: name.into(), namespace: namespace.into() }
            }
            // Of a resource that it doesn't serve the API server says so in plain text.
            kube::Error::Api(status) if status.code == 404 => Self::NotServed { kind },
            _ => Self::api(format!("{doing} {kind} {name} in the namespace {namespace}"))(source),
        }
    }

    /// Whether the same may succeed a moment later.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Api { source, .. } if passes(source))
    }

    /// Whether the reader of the output has gone, as `head` does.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// On one line, with every cause.
    pub fn text(&self) -> String {
        report::chain(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_of_urls_are_left_out() {
        assert_eq!(
            without_logins("proxy http://me:p@ss@proxy:3128/a@b and https://r.example/"),
            "proxy http://proxy:3128/a@b and https://r.example/"
        );
        assert_eq!(without_logins("nothing@all"), "nothing@all");
    }
}
