//! Client required: sees to it that every image of an instance is there, and says which they are.

mod hold;
mod look_anew;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use copr_operator_api::{
    images::{Image, pull_secrets},
    v1alpha1::{CoprInstance, Packages, PackagesStatus, ResolvedTag},
};
use copr_operator_kernel::{
    apply::{self, memory::Memory},
    conditions::Finding,
    platform::Platform,
    report,
};
use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use kube::{Client, Resource as _, ResourceExt as _};
use moka::{future::Cache, policy::EvictionPolicy};

use super::{
    Wanted,
    build::{
        builds::{Builds, images_of},
        condition,
        decide::{self, Seen, wake},
        failure::Error,
        heal, identity,
        kept::kept,
        look::{look, others},
        start,
    },
    http,
    registry::{
        Registries,
        access::{self, Target},
    },
    resolve::{
        expected::Expected,
        prebuilt::{Prebuilt, prebuilt},
        repository::Reader,
        spec_hash,
    },
};

/// What is remembered of inputs, in bytes.
const REMEMBERED: u64 = 4 << 20;

/// Makes images.
pub struct Provider {
    /// The image of the program that builds images.
    builder: Option<String>,
    reader: Reader,
    registries: Arc<Registries>,
    /// By the hashes of an instance's inputs, what they were made from.
    expected: Cache<String, Arc<Expected>>,
    /// When the repositories were last looked at for what an instance requires, by its uid and the hash of that.
    looked: Cache<String, Timestamp>,
    /// Held while a build is started, so that no two instances start the same one.
    starting: tokio::sync::Mutex<()>,
}

/// What is known of an instance's images.
#[derive(Clone, Debug)]
pub struct Provision {
    /// What became of `spec.packages`.
    pub packages: Option<PackagesStatus>,
    /// By key of `status.images` the image to run; complete if the finding is True.
    pub images: BTreeMap<String, String>,
    /// What the tags of prebuilt images were found to stand for, also where something else failed.
    pub resolved: BTreeMap<String, ResolvedTag>,
    /// The condition `ImagesReady`.
    pub finding: Finding,
    /// When to look again, if nothing happens before. After a failure it's as long as the other side wants to be left
    /// alone, and the pauses between failures grow beyond it.
    pub look_again: Option<Duration>,
    /// Whether something failed, so that it is tried again after a pause that grows.
    pub failed: bool,
    /// Objects that builds need beside their Jobs.
    pub identity: identity::Objects,
}

impl Provider {
    /// `builder` is the image of `images/image-builder`.
    pub fn new(builder: Option<String>) -> Result<Self, http::Error> {
        let weigh = |hashes: &String, expected: &Arc<Expected>| {
            u32::try_from(hashes.len() + expected.bytes()).unwrap_or(u32::MAX)
        };
        Ok(Self {
            builder,
            reader: Reader::new()?,
            registries: Arc::default(),
            expected: Cache::builder()
                .max_capacity(REMEMBERED)
                .eviction_policy(EvictionPolicy::lru())
                .weigher(weigh)
                .build(),
            looked: Cache::builder().max_capacity(hold::REMEMBERED).time_to_live(hold::FORGOTTEN).build(),
            starting: tokio::sync::Mutex::default(),
        })
    }

    /// The registries that it speaks to.
    pub fn registries(&self) -> Arc<Registries> {
        self.registries.clone()
    }

    /// Looks at the images of an instance, and starts the builds that are missing. `instance` is as the API server has it now: what
    /// a status says that was resolved isn't resolved again. `pull_failures` are images of its pods that kubelets can't pull.
    pub async fn provide(
        &self,
        client: &Client,
        instance: &CoprInstance,
        platform: &Platform,
        pull_failures: &[String],
        now: Timestamp,
    ) -> Provision {
        let status = instance.status.clone().unwrap_or_default();
        let mut packages = status.packages.clone().filter(|_| instance.spec.packages.is_some());
        let mut given = Prebuilt { images: BTreeMap::new(), resolved: status.resolved.clone() };
        let tried =
            self.try_provide(client, instance, platform, pull_failures, &mut given, &mut packages, now).await;
        match tried {
            Ok(provision) => provision,
            Err(error) => Provision {
                packages,
                images: BTreeMap::new(),
                resolved: given.resolved,
                finding: condition::of_failure(error.reason(), report::chain(&error)),
                look_again: error.retry_after(),
                failed: true,
                identity: identity::Objects::default(),
            },
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "what is known before, and what is to be known even after a failure"
    )]
    async fn try_provide(
        &self,
        client: &Client,
        instance: &CoprInstance,
        platform: &Platform,
        pull_failures: &[String],
        given: &mut Prebuilt,
        packages: &mut Option<PackagesStatus>,
        now: Timestamp,
    ) -> Result<Provision, Error> {
        let wanted = Wanted {
            client,
            name: instance.name_any(),
            namespace: instance.namespace().unwrap_or_default(),
            owner: instance.controller_owner_ref(&()).ok_or(Error::NoUid)?,
            generation: instance.metadata.generation,
            spec: &instance.spec,
        };
        *given = prebuilt(&self.registries, &wanted, instance).await?;
        let mut images = given.images.clone();
        let Some(spec) = &instance.spec.packages else {
            let mut message = format!("{} prebuilt images", images.len());
            if let Some(unresolved) = given.unresolved() {
                message = format!("{message}; {unresolved}");
            }
            return Ok(Provision {
                packages: None,
                images,
                resolved: given.resolved.clone(),
                finding: Finding::yes(condition::AVAILABLE, report::truncate(message, 2048)),
                look_again: None,
                failed: false,
                identity: identity::Objects::default(),
            });
        };
        let identity = identity::objects(
            (&wanted.name, &wanted.namespace),
            &wanted.owner,
            platform,
            spec.build.isolation,
            access::by_token(&instance.spec),
        );
        let is_of_spec = |known: &PackagesStatus| spec_hash::is_of(known, &instance.spec);
        let settled = |known: &PackagesStatus| {
            is_of_spec(known) && known.images.iter().all(|image| image.state.is_there())
        };
        if let Some((finding, look_again)) = self.hold(&wanted, spec, packages, now).await? {
            return Ok(Provision {
                packages: packages.clone(),
                images,
                resolved: given.resolved.clone(),
                finding,
                look_again,
                failed: false,
                identity: identity::Objects::default(),
            });
        }
        // An instance that has its images, and can pull them, needs neither registry nor repositories.
        let needs_some = !pull_failures.is_empty() || !packages.as_ref().is_some_and(settled);
        let made = if needs_some {
            self.make(&wanted, spec, &identity, pull_failures, packages, now).await
        } else {
            Ok(None)
        };
        let has_its_own = |known: &PackagesStatus| !kept(known, &instance.spec).is_empty();
        let (look_again, trouble) = match made {
            Ok(look_again) => (look_again, None),
            // It lacks nothing that its pods run.
            Err(error) if pull_failures.is_empty() && packages.as_ref().is_some_and(has_its_own) => {
                (error.retry_after(), Some(report::chain(&error)))
            }
            Err(error) => return Err(error),
        };
        let known = packages.get_or_insert_default();
        if is_of_spec(known) {
            // The same spec gave another hash in the version before: the status gets this version's.
            known.spec_hash = spec_hash::spec_hash(&instance.spec);
        }
        let mut finding = condition::of_all(spec, known);
        if let Some(trouble) = &trouble {
            finding.message = report::truncate(format!("{}; of suites: {trouble}", finding.message), 4096);
        }
        for image in known.images.iter().filter(|image| image.component != Image::Base.key()) {
            if let Some(reference) = &image.image {
                // Of a suite that the spec names an image of, one may be built for another suite to start from.
                images.entry(image.component.clone()).or_insert_with(|| reference.clone());
            }
        }
        let (packages, resolved) = (packages.clone(), given.resolved.clone());
        let failed = trouble.is_some();
        Ok(Provision { packages, images, resolved, finding, look_again, failed, identity })
    }

    /// Looks at what is missing, and starts its builds; returns when to look again.
    async fn make(
        &self,
        wanted: &Wanted<'_>,
        spec: &Packages,
        identity: &identity::Objects,
        pull_failures: &[String],
        packages: &mut Option<PackagesStatus>,
        now: Timestamp,
    ) -> Result<Option<Duration>, Error> {
        let is_of_spec = |known: &PackagesStatus| spec_hash::is_of(known, wanted.spec);
        let target = access::target(wanted.client, &wanted.namespace, wanted.spec.registry.as_ref()).await?;
        if let Some(known) = packages.as_mut().filter(|known| is_of_spec(known)) {
            heal::heal(wanted, &self.registries, &target.access, known, pull_failures).await?;
        }
        if !packages.as_ref().is_some_and(is_of_spec) {
            let wait = packages.as_ref().and_then(|known| known.wait.clone());
            let fresh = self.look_anew(wanted, spec, &target, packages.as_ref()).await?;
            *packages = Some(PackagesStatus { wait, ..fresh });
        }
        let known = packages.get_or_insert_default();
        self.build(wanted, spec, &target, identity, known, now).await
    }

    /// Looks at Jobs and registry, starts what is missing and ends what nobody wants; returns when to look again.
    async fn build(
        &self,
        wanted: &Wanted<'_>,
        spec: &Packages,
        target: &Target,
        identity: &identity::Objects,
        known: &mut PackagesStatus,
        now: Timestamp,
    ) -> Result<Option<Duration>, Error> {
        let builder = self.builder.as_deref().ok_or(Error::NoBuilder)?;
        let pull_secrets = pull_secrets(wanted.spec);
        let builds = Builds { wanted, spec, target, builder, pull_secrets: &pull_secrets };
        let names = builds.names(known);
        let seen = look(wanted, &self.registries, (spec, target), &known.images, names, now).await?;
        let plan = decide::decide(&mut known.images, &seen, now);
        for job in seen.jobs.iter().filter(|job| plan.delete.contains(&job.name_any())) {
            if decide::is_own(job, &seen) {
                start::delete(wanted.client, job).await?;
            }
        }
        if plan.changed {
            let kept = kept(known, wanted.spec);
            if kept.is_empty() {
                // An empty hash differs from the spec's, so the next reconcile reads the repositories again.
                known.spec_hash.clear();
            } else {
                let base_image = known.base_image.clone().unwrap_or_default();
                *known = self.resolve(wanted, spec, base_image, kept).await?.0;
            }
            return Ok(Some(wake::SOON));
        }
        let own = |image: Image| decide::own_job(&seen, image);
        let suspended = |job: &Job| start::is_suspended(job);
        let resumed: Vec<_> = images_of(known).filter(|image| own(*image).is_some_and(suspended)).collect();
        if !plan.build.is_empty() || !resumed.is_empty() {
            let Some(expected) = self.expected(wanted, spec, known).await? else {
                return Ok(Some(wake::SOON));
            };
            for image in resumed {
                if let Some(job) = own(image) {
                    let build = builds.build(known, image, Some(&expected));
                    start::resume(wanted.client, &build, job).await?;
                }
            }
            if !plan.build.is_empty() {
                let objects = identity.plan().map_err(Error::Identity)?;
                let owner =
                    apply::Owner { reference: wanted.owner.clone(), namespace: wanted.namespace.clone() };
                let applied = apply::apply_all(wanted.client, &owner, &objects, &Memory::default()).await;
                applied.result().map_err(Error::Identity)?;
                self.start(&builds, known, &plan.build, &expected, &seen, now).await?;
            }
        }
        Ok(wake::wake(&known.images, &seen, now))
    }

    /// Starts builds, unless another instance has just done so.
    async fn start(
        &self,
        builds: &Builds<'_>,
        known: &mut PackagesStatus,
        images: &[Image],
        expected: &Expected,
        seen: &Seen,
        now: Timestamp,
    ) -> Result<(), Error> {
        let _one_at_a_time = self.starting.lock().await;
        // Read again, now that no other reconcile can start a build: other instances may have started some since.
        let jobs = others(builds.wanted, builds.spec, &known.images, now).await?;
        let seen = Seen { jobs, ..seen.clone() };
        for image in images {
            let waited = known
                .images
                .iter()
                .any(|s| s.component == image.key() && decide::is_waited_for(&seen, s, *image, now));
            if waited {
                continue;
            }
            let build = builds.build(known, *image, Some(expected));
            let name = build.name();
            match start::start(builds.wanted.client, &build).await {
                Ok(true) => decide::started(&mut known.images, *image, &name, now),
                Ok(false) => {}
                Err(error) => {
                    decide::refused(&mut known.images, *image, &report::chain(&error));
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }
}
