//! What version 0.1 reported. Pure.

use copr_operator_api::{status::AVAILABLE, v1alpha1::CoprInstanceStatus};
use copr_operator_kernel::conditions::{self, READY};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::TYPES;

/// The generation of the spec that was applied completely. Version 0.1 said so by Ready alone.
pub fn applied_generation(status: &CoprInstanceStatus) -> Option<i64> {
    let by_ready = || {
        conditions::get(&status.conditions, READY)
            .filter(|ready| ready.status == "True")
            .and_then(|ready| ready.observed_generation)
    };
    status.applied_generation.or_else(by_ready)
}

/// Makes conditions what this version calls them: what is Available was Ready in version 0.1, which had also conditions for each
/// component and each image.
pub fn take_over(conditions: &mut Vec<Condition>) {
    if conditions::get(conditions, AVAILABLE).is_none() {
        for ready in conditions.iter_mut().filter(|condition| condition.type_ == READY) {
            AVAILABLE.clone_into(&mut ready.type_);
        }
    }
    conditions.retain(|condition| TYPES.contains(&condition.type_.as_str()));
}
