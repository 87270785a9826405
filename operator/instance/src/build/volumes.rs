//! Claims, and what pods mount. Pure.

use std::collections::BTreeMap;

use copr_operator_api::component::Component;
use k8s_openapi::{
    api::core::v1::{
        ConfigMapVolumeSource, EmptyDirVolumeSource, PersistentVolumeClaim, PersistentVolumeClaimSpec,
        PersistentVolumeClaimVolumeSource, SecretVolumeSource, Volume, VolumeResourceRequirements,
    },
    apimachinery::pkg::{api::resource::Quantity, apis::meta::v1::ObjectMeta},
};

use super::workload::metadata;
use crate::validate::Instance;

/// The claim of a component's volume.
pub(super) fn claim(instance: &Instance, component: Component) -> PersistentVolumeClaim {
    let workload = instance.workloads.of(component);
    PersistentVolumeClaim {
        metadata: ObjectMeta {
            owner_references: instance.owner_of_data(),
            ..metadata(instance, component.name(), component.name())
        },
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(vec!["ReadWriteOnce".into()]),
            storage_class_name: workload.class_name.clone(),
            resources: Some(VolumeResourceRequirements {
                requests: Some(BTreeMap::from([("storage".into(), workload.size.clone())])),
                limits: None,
            }),
            ..PersistentVolumeClaimSpec::default()
        }),
        status: None,
    }
}

/// Size of a folder for a few small files.
pub(super) const SMALL: &str = "256Mi";
/// Size of a folder for a few files that may each be many MiB.
pub(super) const MEDIUM: &str = "2Gi";

/// A volume that lives as long as the pod. When it reaches the size, the kubelet ends the pod, so that what goes wrong in one pod
/// can't fill the disk of its node. Nothing is reserved for it.
pub(super) fn bounded_dir(name: &str, size: &str) -> Volume {
    let source = EmptyDirVolumeSource { size_limit: Some(Quantity(size.into())), medium: None };
    Volume { name: name.into(), empty_dir: Some(source), ..Volume::default() }
}

/// The volume of a component's claim.
pub(super) fn claim_volume(instance: &Instance, component: Component) -> Volume {
    Volume {
        name: "data".into(),
        persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
            claim_name: instance.object(component.name()),
            read_only: None,
        }),
        ..Volume::default()
    }
}

/// A ConfigMap as a volume.
pub(super) fn config_map_volume(instance: &Instance, volume: &str, name: &str) -> Volume {
    Volume {
        name: volume.into(),
        config_map: Some(ConfigMapVolumeSource {
            name: instance.object(name),
            ..ConfigMapVolumeSource::default()
        }),
        ..Volume::default()
    }
}

/// A Secret as a volume. Group-readable: the containers run as users of the volume's group.
pub(super) fn secret_volume(instance: &Instance, volume: &str, name: &str) -> Volume {
    Volume {
        name: volume.into(),
        secret: Some(SecretVolumeSource {
            secret_name: Some(instance.object(name)),
            default_mode: Some(0o440),
            ..SecretVolumeSource::default()
        }),
        ..Volume::default()
    }
}
