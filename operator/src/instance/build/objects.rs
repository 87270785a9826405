//! The plan of an instance, by kind, and the order in which it is applied.

use k8s_openapi::{
    Metadata,
    api::{
        apps::v1::StatefulSet,
        batch::v1::Job,
        core::v1::{ConfigMap, PersistentVolumeClaim, Secret, Service, ServiceAccount},
        networking::v1::NetworkPolicy,
        rbac::v1::{Role, RoleBinding},
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::api::ApiResource;

use crate::apply::{self, Planned, planned};

/// Objects of an instance.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    /// Identities of pods.
    pub service_accounts: Vec<ServiceAccount>,
    /// Rights of identities.
    pub roles: Vec<Role>,
    /// Who has which rights.
    pub role_bindings: Vec<RoleBinding>,
    /// Configuration with secrets in it.
    pub secrets: Vec<Secret>,
    /// Configuration without.
    pub config_maps: Vec<ConfigMap>,
    /// Volumes.
    pub claims: Vec<PersistentVolumeClaim>,
    /// Names on the network.
    pub services: Vec<Service>,
    /// Who may talk to whom.
    pub network_policies: Vec<NetworkPolicy>,
    /// Workloads.
    pub stateful_sets: Vec<StatefulSet>,
    /// Looks into images.
    pub jobs: Vec<Job>,
}

impl Objects {
    /// Adds the objects of another part.
    pub fn extend(&mut self, other: Self) {
        let Self {
            service_accounts,
            roles,
            role_bindings,
            secrets,
            config_maps,
            claims,
            services,
            network_policies,
            stateful_sets,
            jobs,
        } = other;
        self.service_accounts.extend(service_accounts);
        self.roles.extend(roles);
        self.role_bindings.extend(role_bindings);
        self.secrets.extend(secrets);
        self.config_maps.extend(config_maps);
        self.claims.extend(claims);
        self.services.extend(services);
        self.network_policies.extend(network_policies);
        self.stateful_sets.extend(stateful_sets);
        self.jobs.extend(jobs);
    }

    /// The objects in the order of apply: what is mounted or referred to exists before what mounts it.
    pub fn plan(&self) -> Result<Vec<Planned>, apply::Error> {
        // Destructured without `..`: a new kind can't be forgotten here.
        let Self {
            service_accounts,
            roles,
            role_bindings,
            secrets,
            config_maps,
            claims,
            services,
            network_policies,
            stateful_sets,
            jobs,
        } = self;
        let mut plan = Vec::new();
        add(&mut plan, service_accounts)?;
        add(&mut plan, roles)?;
        add(&mut plan, role_bindings)?;
        add(&mut plan, secrets)?;
        add(&mut plan, config_maps)?;
        add(&mut plan, claims)?;
        add(&mut plan, services)?;
        add(&mut plan, network_policies)?;
        add(&mut plan, stateful_sets)?;
        add(&mut plan, jobs)?;
        Ok(plan)
    }

    /// The kinds that orphans are looked for in. Not Jobs: the builds of images are the instance's Jobs, too.
    pub fn kinds() -> [ApiResource; 9] {
        [
            ApiResource::erase::<StatefulSet>(&()),
            ApiResource::erase::<Service>(&()),
            ApiResource::erase::<NetworkPolicy>(&()),
            ApiResource::erase::<RoleBinding>(&()),
            ApiResource::erase::<Role>(&()),
            ApiResource::erase::<ServiceAccount>(&()),
            ApiResource::erase::<ConfigMap>(&()),
            ApiResource::erase::<Secret>(&()),
            ApiResource::erase::<PersistentVolumeClaim>(&()),
        ]
    }
}

fn add<K>(plan: &mut Vec<Planned>, objects: &[K]) -> Result<(), apply::Error>
where
    K: kube::Resource<DynamicType = ()> + Metadata<Ty = ObjectMeta> + serde::Serialize,
{
    for object in objects {
        plan.push(planned(object)?);
    }
    Ok(())
}
