//! The Copr operator: complete Copr instances and verdicts of the sanity suite on Kubernetes.
//!
//! Map: [`api`] the resources; [`instance`] and [`test_run`] one controller each, as the five steps
//! dereference → validate → build → apply → status; [`images`] how packages become images; [`app`] wires them to the process; the rest is shared.

pub mod api;
pub mod app;
pub mod apply;
pub mod args;
pub mod backoff;
pub mod conditions;
pub mod disruption;
pub mod images;
pub mod instance;
pub mod isolation;
pub mod labels;
pub mod lease;
pub mod openshift;
pub mod platform;
pub mod probes;
pub mod report;
pub mod served;
pub mod telemetry;
pub mod test_run;
