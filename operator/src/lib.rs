//! The Copr operator: complete Copr instances and verdicts of the sanity suite on Kubernetes.

pub mod api;
pub mod apply;
pub mod conditions;
pub mod labels;
pub mod report;
