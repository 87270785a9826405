//! Client required: sees to it that every image of an instance is there, and says which they are.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::future::try_join_all;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client, Resource as _, ResourceExt as _, api::ListParams};
use tokio::time::Instant;

use super::{
    Image, Wanted,
    access::{self, Target},
    decide::{self, Seen},
    heal, identity,
    inputs::{self, Inputs},
    job::{self, Build},
    prebuilt::{Prebuilt, prebuilt},
    registry::{self, Registries},
    repository::{self, Reader},
    start, verdict,
};
use crate::{
    api::v1alpha1::{CoprInstance, CoprInstanceSpec, ImageStatus, Packages, PackagesStatus, ResolvedTag},
    apply,
    backoff::Backoff,
    conditions::Verdict,
    instance::{dereference::Platform, validate},
    labels, report,
};

/// How soon builds are looked at again; those of other instances aren't watched.
const LOOK_AGAIN: Duration = Duration::from_secs(3);

/// Makes images.
pub struct Provider {
    /// The image of the program that builds images.
    builder: Option<String>,
    reader: Reader,
    registries: Arc<Registries>,
    /// Failures in a row, per instance.
    backoff: Backoff,
    /// Held while a build is started, so that no two instances start the same one.
    starting: tokio::sync::Mutex<()>,
}

/// What is known of an instance's images.
#[derive(Clone, Debug)]
pub struct Provision {
    /// What became of `spec.packages`.
    pub packages: Option<PackagesStatus>,
    /// By field of `spec.images` the image to run; complete if the verdict is True.
    pub images: BTreeMap<String, String>,
    /// What the tags of prebuilt images were found to stand for, also where something else failed.
    pub resolved: BTreeMap<String, ResolvedTag>,
    /// The condition `ImagesReady`.
    pub verdict: Verdict,
    /// When to look again, if nothing happens before.
    pub look_again: Option<Duration>,
    /// Objects that builds need beside their Jobs.
    pub identity: identity::Objects,
}

/// Why images can't be had now.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something that the spec refers to.
    #[error(transparent)]
    Access(#[from] access::Error),
    /// A repository.
    #[error(transparent)]
    Repository(#[from] repository::Error),
    /// A registry.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// There is no such base image.
    #[error("packages.baseImage: there is no image {0}")]
    NoBaseImage(String),
    /// The operator doesn't know what to build with.
    #[error("the operator was started without --image-builder, so it can't build images from packages")]
    NoBuilder,
    /// A Job.
    #[error(transparent)]
    Start(#[from] start::Error),
    /// What builds run as.
    #[error("failed to apply what builds run as")]
    Identity(#[source] apply::Error),
    /// The pods of builds couldn't be listed.
    #[error("failed to list the pods of builds")]
    Pods(#[source] kube::Error),
    /// The API server returned an object without a uid.
    #[error("the instance has no uid")]
    NoUid,
}

impl Error {
    fn reason(&self) -> &'static str {
        match self {
            Self::Access(error) => error.reason(),
            Self::Repository(_) => verdict::REPOSITORY_UNREADABLE,
            Self::Registry(registry::Error::Reference { .. }) | Self::NoBaseImage(_) | Self::NoUid => {
                "InvalidSpec"
            }
            Self::Registry(registry::Error::Credentials { .. } | registry::Error::Denied { .. }) => {
                verdict::REGISTRY_REFUSED
            }
            Self::Registry(_) => verdict::REGISTRY_UNREACHABLE,
            Self::NoBuilder => verdict::NO_BUILDER,
            Self::Start(_) | Self::Identity(_) => "ApplyFailed",
            Self::Pods(_) => "DependencyUnreadable",
        }
    }

    /// How long whoever failed wants to be left alone.
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Registry(error) => error.retry_after(),
            _ => None,
        }
    }
}

impl Provider {
    /// `builder` is the image of `images/image-builder`.
    pub fn new(builder: Option<String>) -> Result<Self, super::http::Error> {
        Ok(Self {
            builder,
            reader: Reader::new()?,
            registries: Arc::default(),
            backoff: Backoff::default(),
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
        let uid = instance.uid().unwrap_or_default();
        let tried =
            self.try_provide(client, instance, platform, pull_failures, &mut given, &mut packages, now).await;
        match tried {
            Ok(provision) => {
                self.backoff.succeeded(&uid);
                provision
            }
            Err(error) => Provision {
                packages,
                images: BTreeMap::new(),
                resolved: given.resolved,
                look_again: Some(self.backoff.failed(&uid).max(error.retry_after().unwrap_or_default())),
                verdict: verdict::of_failure(error.reason(), report::chain(&error)),
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
                verdict: Verdict::yes(verdict::AVAILABLE, report::truncate(message, 2048)),
                look_again: None,
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
        let spec_hash = inputs::spec_hash(&instance.spec);
        let settled = |known: &PackagesStatus| {
            known.spec_hash == spec_hash && known.images.iter().all(|image| image.state.is_there())
        };
        // An instance that has its images, and can pull them, needs neither registry nor repositories.
        if !pull_failures.is_empty() || !packages.as_ref().is_some_and(settled) {
            let target = access::target(client, &wanted.namespace, instance.spec.registry.as_ref()).await?;
            if let Some(known) = packages.as_mut().filter(|known| known.spec_hash == spec_hash) {
                heal::heal(&wanted, &self.registries, &target.access, known, pull_failures).await?;
            }
            if packages.as_ref().is_none_or(|known| known.spec_hash != spec_hash) {
                let (base_image, images) = self.resolve(&wanted, spec, &target).await?;
                *packages = Some(PackagesStatus { spec_hash, base_image: Some(base_image), images });
            }
            let known = packages.get_or_insert_default();
            self.build(&wanted, spec, &target, &identity, known, now).await?;
        }
        let known = packages.get_or_insert_default();
        let verdict = verdict::of_all(spec, known);
        for image in known.images.iter().filter(|image| image.component != Image::Base.field()) {
            images.extend(image.image.clone().map(|reference| (image.component.clone(), reference)));
        }
        let look_again = (verdict.reason == verdict::BUILDING).then_some(LOOK_AGAIN);
        // A failed build is looked at again when its Job has expired, and then tried again.
        let look_again =
            look_again.or((verdict.reason == verdict::BUILD_FAILED).then_some(Duration::from_secs(60)));
        let resolved = given.resolved.clone();
        Ok(Provision { packages: packages.clone(), images, resolved, verdict, look_again, identity })
    }

    /// What the images are to be built from: the base image by digest, and the hash of every image's inputs.
    async fn resolve(
        &self,
        wanted: &Wanted<'_>,
        spec: &Packages,
        target: &Target,
    ) -> Result<(String, Vec<ImageStatus>), Error> {
        let base_image = self.base_image(wanted, &spec.base_image, target).await?;
        let contents = try_join_all(spec.repositories.iter().map(async |repository| {
            let source = access::source(wanted.client, &wanted.namespace, repository).await?;
            Ok::<_, Error>(self.reader.read(&source).await?)
        }))
        .await?;
        let hashes = inputs::hashes(Inputs {
            base_image: &base_image,
            repositories: &spec.repositories,
            contents: &contents,
            arch: job::rpm_arch(),
        });
        let images = needed(wanted.spec)
            .into_iter()
            .map(|image| ImageStatus {
                component: image.field().into(),
                input_hash: hashes.get(&image).cloned().unwrap_or_default(),
                ..ImageStatus::default()
            })
            .collect();
        Ok((base_image, images))
    }

    async fn base_image(&self, wanted: &Wanted<'_>, image: &str, target: &Target) -> Result<String, Error> {
        if image.contains('@') {
            return Ok(image.to_owned());
        }
        let same = registry::host(image) == registry::host_of_prefix(&target.registry.url);
        let access = if same {
            target.access.clone()
        } else {
            access::of_prebuilt(wanted.client, &wanted.namespace, wanted.spec, image).await?
        };
        let digest = self.registries.of(image, &access)?.digest(image).await?;
        let digest = digest.ok_or_else(|| Error::NoBaseImage(image.to_owned()))?;
        let name =
            image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).map_or(image, |(name, _)| name);
        Ok(format!("{name}@{digest}"))
    }

    /// Looks at registry and Jobs, and starts what is missing.
    async fn build(
        &self,
        wanted: &Wanted<'_>,
        spec: &Packages,
        target: &Target,
        identity: &identity::Objects,
        known: &mut PackagesStatus,
        now: Timestamp,
    ) -> Result<(), Error> {
        let builder = self.builder.as_deref().ok_or(Error::NoBuilder)?;
        let seen = self.look(wanted, target, &known.images).await?;
        let to_build = decide::decide(&mut known.images, &seen, now);
        let pull_secrets = validate::pull_secrets(wanted.spec);
        let base = known.images.iter().find(|image| image.component == Image::Base.field());
        let from_base = base.and_then(|base| base.image.clone()).unwrap_or_default();
        let base_image = known.base_image.clone().unwrap_or_default();
        let hashes: BTreeMap<_, _> =
            known.images.iter().map(|image| (image.component.clone(), image.input_hash.clone())).collect();
        let build = |image: Image| Build {
            image,
            hash: hashes.get(image.field()).map_or("", String::as_str),
            from: if image == Image::Base { &base_image } else { &from_base },
            instance: (&wanted.name, &wanted.namespace),
            owner: &wanted.owner,
            packages: spec,
            registry: &target.registry,
            builder,
            pull_secrets: &pull_secrets,
            authority_key: target.authority_key,
            token_auth: access::by_token(wanted.spec),
        };
        for job in seen.jobs.iter().filter(|job| decide::is_own(job, &seen) && start::is_suspended(job)) {
            let of_job = Image::ALL.into_iter().map(&build).find(|build| job.name_any() == build.name());
            if let Some(of_job) = of_job {
                start::resume(wanted.client, &of_job, job).await?;
            }
        }
        if to_build.is_empty() {
            return Ok(());
        }
        let plan = identity.plan().map_err(Error::Identity)?;
        apply::apply_all(wanted.client, &wanted.namespace, &plan).await.map_err(Error::Identity)?;
        let _one_at_a_time = self.starting.lock().await;
        for image in to_build {
            if start::start(wanted.client, &build(image)).await? {
                decide::started(&mut known.images, image, now);
            }
        }
        Ok(())
    }

    /// Jobs first: one that is seen to have ended well has pushed before the registry is asked.
    async fn look(
        &self,
        wanted: &Wanted<'_>,
        target: &Target,
        images: &[ImageStatus],
    ) -> Result<Seen, Error> {
        let missing: Vec<_> = images
            .iter()
            .filter(|image| !image.state.is_there())
            .filter_map(|image| Some((Image::of_field(&image.component)?, image)))
            .collect();
        let references: BTreeMap<_, _> = missing
            .iter()
            .map(|(image, status)| (*image, job::reference(&target.registry.url, *image, &status.input_hash)))
            .collect();
        let hashes: Vec<_> = missing.iter().map(|(_, status)| status.input_hash.as_str()).collect();
        let jobs = if hashes.is_empty() { Vec::new() } else { start::jobs(wanted.client, &hashes).await? };
        let pods: Api<Pod> = Api::namespaced(wanted.client.clone(), &wanted.namespace);
        let query = format!("{}={}", labels::COMPONENT, job::COMPONENT);
        let pods = pods.list(&ListParams::default().labels(&query)).await.map_err(Error::Pods)?.items;
        let found = try_join_all(references.iter().map(async |(image, reference)| {
            // A registry is asked when there is reason to think that it has something new.
            let ended = decide::ended(&jobs, reference);
            if !self.registries.asks.is_due(reference, &ended, Instant::now()) {
                return Ok::<_, Error>((*image, None));
            }
            let found = self.registries.of(reference, &target.access)?.describe_own(reference).await?;
            self.registries.asks.answered(reference, found.is_some(), &ended, Instant::now());
            Ok((*image, found))
        }))
        .await?;
        let found = found.into_iter().filter_map(|(image, found)| Some((image, found?))).collect();
        Ok(Seen {
            namespace: wanted.namespace.clone(),
            instance: wanted.name.clone(),
            jobs,
            pods,
            found,
            references,
        })
    }
}

/// The images that have to be built: those that the spec doesn't name, and what they start from.
fn needed(spec: &CoprInstanceSpec) -> Vec<Image> {
    let given: Vec<_> = validate::given_images(spec).into_iter().map(|(image, _)| image).collect();
    let is_needed = |image: &Image| match image {
        Image::Base => true,
        image => validate::runs(spec, *image) && !given.contains(image),
    };
    let needed: Vec<_> = Image::ALL.into_iter().filter(is_needed).collect();
    if needed == [Image::Base] { Vec::new() } else { needed }
}
