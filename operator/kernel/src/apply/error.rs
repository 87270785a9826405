//! What goes wrong while a plan is applied.

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server refused an object, or couldn't be reached.
    #[error("failed to apply {kind} {name}")]
    Apply {
        /// Kind of the object.
        kind: String,
        /// Its name.
        name: String,
        /// What kube says.
        #[source]
        source: Box<kube::Error>,
    },
    /// Somebody else's object has the name.
    #[error(
        "{kind} {name} exists and belongs to somebody else; delete or rename it, or hand it over with: \
         kubectl annotate {kind} {name} {annotation}={owner}",
        annotation = copr_operator_api::annotations::ADOPT
    )]
    NameTaken {
        /// Kind of the object.
        kind: String,
        /// Its name.
        name: String,
        /// Who wants it.
        owner: String,
    },
    /// An object of the name, of an owner before this one, is on its way out.
    #[error("{kind} {name} is still being deleted")]
    Terminating {
        /// Kind of the object.
        kind: String,
        /// Its name.
        name: String,
    },
    /// Another writer was faster; the next reconcile reads what it wrote.
    #[error("{kind} {name} was changed while it was being read")]
    Raced {
        /// Kind of the object.
        kind: String,
        /// Its name.
        name: String,
    },
    /// Objects of a kind couldn't be listed for deletion.
    #[error("failed to list {kind} of the instance")]
    List {
        /// Kind of the objects.
        kind: String,
        /// What kube says.
        #[source]
        source: Box<kube::Error>,
    },
    /// An object that is no longer wanted couldn't be deleted.
    #[error("failed to delete {kind} {name}, which is no longer wanted")]
    Delete {
        /// Kind of the object.
        kind: String,
        /// Its name.
        name: String,
        /// What kube says.
        #[source]
        source: Box<kube::Error>,
    },
    /// An object of a plan couldn't be serialized.
    #[error("failed to serialize {kind}")]
    Serialize {
        /// Kind of the object.
        kind: String,
        /// What serde says.
        #[source]
        source: serde_json::Error,
    },
}

impl Error {
    pub(super) fn apply(kind: &str, name: &str, source: kube::Error) -> Self {
        Self::Apply { kind: kind.to_owned(), name: name.to_owned(), source: Box::new(source) }
    }

    /// Whether trying again changes nothing: the API server said no, or the name is somebody else's.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Apply { source, .. } => {
                matches!(source.as_ref(), kube::Error::Api(answer) if is_refusal(answer))
            }
            Self::NameTaken { .. } => true,
            _ => false,
        }
    }
}

/// Whether the API server understood and said no, rather than being unwell or busy.
pub fn is_refusal(answer: &kube::core::Status) -> bool {
    (400..500).contains(&answer.code) && !matches!(answer.code, 401 | 408 | 409 | 429)
}

/// Whether the API server was unwell or busy: the same may be answered otherwise a moment later.
pub fn is_unwell(answer: &kube::core::Status) -> bool {
    answer.code == 429 || (500..600).contains(&answer.code)
}
