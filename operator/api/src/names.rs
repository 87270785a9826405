//! Names that follow from that of an instance.

/// The Secret that holds everything generated for an instance.
pub fn credentials(instance: &str) -> String {
    format!("{instance}-credentials")
}

/// The Secret that holds a copr-cli configuration.
pub fn client(instance: &str) -> String {
    format!("{instance}-client")
}
