//! Whether each volume has the size that its claim asks for. Pure.

use copr_operator_api::status::volumes::{PENDING, RESIZE_REFUSED, RESIZING};
use copr_operator_kernel::{apply, conditions::Finding, quantity::is_less, report::truncate};
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::ResourceExt as _;

use crate::observe::Seen;

/// Every volume has its size.
const AVAILABLE: &str = "Available";
/// Reasons of events by which provisioners and resizers say what is in their way.
const OBSTACLES: [&str; 4] =
    ["ProvisioningFailed", "VolumeResizeFailed", "FileSystemResizeFailed", "ExternalExpanding"];

/// How the volumes are; nothing where there are none. `refusals` are what the API server says of claims that it would not change.
pub fn assess(seen: &Seen, refusals: &[String]) -> Option<Finding> {
    let claims = &seen.claims;
    if claims.is_empty() {
        return None;
    }
    if !refusals.is_empty() {
        // Told before all else: the volume stays as it is until somebody changes its size in the spec. It goes on serving
        // meanwhile.
        let message = format!("stays as it is, and the size may be taken back: {}", refusals.join("; "));
        return Some(Finding::no(RESIZE_REFUSED, truncate(message, super::MESSAGE_MAX)));
    }
    let said = |claim: &PersistentVolumeClaim, state: String| {
        let warning = seen.warning(claim.metadata.uid.as_ref(), &OBSTACLES);
        match warning.and_then(|event| event.message.clone()) {
            Some(message) => format!("{state}: {message}"),
            None => state,
        }
    };
    let unbound = claims.iter().filter(|claim| phase(claim) != "Bound");
    let pending: Vec<_> = unbound.map(|claim| said(claim, name_and_class(claim))).collect();
    if !pending.is_empty() {
        let message = format!("not bound to a volume yet: {}", pending.join("; "));
        return Some(Finding::no(PENDING, truncate(message, super::MESSAGE_MAX)));
    }
    let growing: Vec<_> = claims.iter().filter_map(|claim| Some(said(claim, growth(claim)?))).collect();
    Some(if growing.is_empty() {
        Finding::yes(AVAILABLE, "every volume has its size")
    } else {
        Finding::no(RESIZING, truncate(growing.join("; "), super::MESSAGE_MAX))
    })
}

/// Whether a claim that exists can't be changed as the spec says, for instance because its StorageClass can't grow volumes.
pub fn is_refused_volume(failure: &apply::Error, seen: &Seen) -> bool {
    let apply::Error::Apply { kind, name, .. } = failure else { return false };
    kind == "PersistentVolumeClaim"
        && failure.is_final()
        && seen.claims.iter().any(|claim| claim.name_any() == *name)
}

/// The claim with its StorageClass: a claim without one, or of one that no provisioner serves, waits for ever.
fn name_and_class(claim: &PersistentVolumeClaim) -> String {
    let class = claim.spec.as_ref().and_then(|spec| spec.storage_class_name.as_deref());
    match class {
        Some(class) if !class.is_empty() => format!("{} (StorageClass {class})", claim.name_any()),
        _ => format!("{} (no StorageClass)", claim.name_any()),
    }
}

fn phase(claim: &PersistentVolumeClaim) -> &str {
    claim.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default()
}

/// What a claim that has less than it asks for says of it.
fn growth(claim: &PersistentVolumeClaim) -> Option<String> {
    let status = claim.status.as_ref()?;
    let steps = status.conditions.iter().flatten().filter(|condition| condition.status == "True");
    let steps: Vec<_> = steps
        .map(|condition| match condition.message.as_deref().unwrap_or_default() {
            "" => condition.type_.clone(),
            message => format!("{}: {message}", condition.type_),
        })
        .collect();
    let wants = claim.spec.as_ref()?.resources.as_ref()?.requests.as_ref()?.get("storage")?;
    let has = status.capacity.as_ref()?.get("storage")?;
    if steps.is_empty() && !is_less(&has.0, &wants.0) {
        return None;
    }
    let steps = if steps.is_empty() { "waits for its StorageClass".to_owned() } else { steps.join(", ") };
    Some(format!("{} has {} of {}: {steps}", claim.name_any(), has.0, wants.0))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn claim(wants: &str, status: &Value) -> PersistentVolumeClaim {
        serde_json::from_value(json!({
            "metadata": {"name": "copr-backend"},
            "spec": {"resources": {"requests": {"storage": wants}}},
            "status": status,
        }))
        .unwrap()
    }

    fn assess(claims: &[PersistentVolumeClaim]) -> Option<Finding> {
        super::assess(&Seen { claims: claims.to_vec(), ..Seen::default() }, &[])
    }

    #[test]
    fn a_volume_that_grows_is_told_of_until_it_has_its_size() {
        let bound = |size: &str| json!({"phase": "Bound", "capacity": {"storage": size}});
        assert!(assess(&[]).is_none());
        assert!(assess(&[claim("10Gi", &bound("10Gi"))]).unwrap().is_true());
        // A provisioner may round up.
        assert!(assess(&[claim("10Gi", &bound("11G"))]).unwrap().is_true());
        let growing = assess(&[claim("20Gi", &bound("10Gi"))]).unwrap();
        assert_eq!(growing.reason, RESIZING);
        assert!(growing.message.contains("copr-backend has 10Gi of 20Gi"), "{}", growing.message);
        let mut waits = bound("10Gi");
        waits["conditions"] = json!([{"type": "FileSystemResizePending", "status": "True",
            "message": "Waiting for user to (re-)start a pod"}]);
        assert!(assess(&[claim("20Gi", &waits)]).unwrap().message.contains("(re-)start a pod"));
    }

    #[test]
    fn a_volume_that_nobody_makes_names_its_class() {
        let mut waits = claim("1Gi", &json!({"phase": "Pending"}));
        let pending = assess(std::slice::from_ref(&waits)).unwrap();
        assert_eq!(pending.reason, PENDING);
        assert!(pending.message.ends_with("copr-backend (no StorageClass)"), "{}", pending.message);
        waits.spec.as_mut().unwrap().storage_class_name = Some("nobodys".into());
        let pending = assess(&[waits]).unwrap();
        assert!(pending.message.ends_with("copr-backend (StorageClass nobodys)"), "{}", pending.message);
    }

    #[test]
    fn quantities_are_compared_by_what_they_mean() {
        assert!(is_less("1G", "1Gi") && is_less("1023Mi", "1Gi") && is_less("9e8", "1G"));
        assert!(!is_less("1Gi", "1Gi") && !is_less("lots", "1Gi"));
    }
}
