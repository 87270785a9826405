//! What controllers have in common: how objects are applied and conditions set, how pods are judged, and what the process needs
//! beside. It knows nothing of images, instances or tests.

pub mod apply;
pub mod backoff;
pub mod conditions;
pub mod dependency;
pub mod disruption;
pub mod event;
pub mod exchange;
pub mod forge;
pub mod http;
pub mod isolation;
pub mod lease;
pub mod malformed;
pub mod openshift;
pub mod platform;
pub mod pods;
pub mod quantity;
pub mod report;
pub mod resources;
pub mod scheduling;
pub mod served;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
