//! Names that more than one module of an instance must agree on, beside those of the table of components.

pub use crate::api::component::{BACKEND_HTTPD, BUILDER, Component, port};

/// The Secret that holds everything generated for an instance.
pub fn credentials(instance: &str) -> String {
    format!("{instance}-credentials")
}

/// The Secret that holds a copr-cli configuration.
pub fn client(instance: &str) -> String {
    format!("{instance}-client")
}
