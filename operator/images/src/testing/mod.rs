//! What unit tests of more than one crate need: an HTTP server, and a registry.
#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    missing_docs,
    reason = "it is called by tests only"
)]

mod content;

pub use content::Content;
pub use copr_operator_kernel::testing::{
    HttpRequest as Request, HttpResponse as Response, HttpServer as Server, response,
};
