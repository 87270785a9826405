//! The images of an instance, and what its spec says of them.

use crate::v1alpha1::CoprInstanceSpec;

/// An image that the operator can build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Image {
    /// What the others start from.
    Base,
    /// PostgreSQL.
    Database,
    /// Redis.
    Redis,
    /// Keygen.
    Keygen,
    /// Frontend.
    Frontend,
    /// Dist-git.
    DistGit,
    /// Resalloc.
    Resalloc,
    /// Backend.
    Backend,
    /// Results web server.
    BackendHttpd,
    /// Builder pods.
    Builder,
    /// The sanity suite.
    Sanity,
}

impl Image {
    /// In the order in which they are built and reported.
    pub const ALL: [Self; 11] = [
        Self::Base,
        Self::Database,
        Self::Redis,
        Self::Keygen,
        Self::Frontend,
        Self::DistGit,
        Self::Resalloc,
        Self::Backend,
        Self::BackendHttpd,
        Self::Builder,
        Self::Sanity,
    ];

    /// Its folder below `images/`, and the end of its name in a registry.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Database => "database",
            Self::Redis => "redis",
            Self::Keygen => "keygen",
            Self::Frontend => "frontend",
            Self::DistGit => "dist-git",
            Self::Resalloc => "resalloc",
            Self::Backend => "backend",
            Self::BackendHttpd => "backend-httpd",
            Self::Builder => "builder",
            Self::Sanity => "sanity",
        }
    }

    /// Its field in `spec.images`, and its key in `status.images`.
    pub const fn field(self) -> &'static str {
        match self {
            Self::DistGit => "distGit",
            Self::BackendHttpd => "backendHttpd",
            other => other.folder(),
        }
    }

    /// The type of its condition.
    pub const fn condition(self) -> &'static str {
        match self {
            Self::Base => "BaseImageReady",
            Self::Database => "DatabaseImageReady",
            Self::Redis => "RedisImageReady",
            Self::Keygen => "KeygenImageReady",
            Self::Frontend => "FrontendImageReady",
            Self::DistGit => "DistGitImageReady",
            Self::Resalloc => "ResallocImageReady",
            Self::Backend => "BackendImageReady",
            Self::BackendHttpd => "BackendHttpdImageReady",
            Self::Builder => "BuilderImageReady",
            Self::Sanity => "SanityImageReady",
        }
    }

    /// What the operator does when it builds it, as events say.
    pub const fn action(self) -> &'static str {
        match self {
            Self::Base => "BuildBaseImage",
            Self::Database => "BuildDatabaseImage",
            Self::Redis => "BuildRedisImage",
            Self::Keygen => "BuildKeygenImage",
            Self::Frontend => "BuildFrontendImage",
            Self::DistGit => "BuildDistGitImage",
            Self::Resalloc => "BuildResallocImage",
            Self::Backend => "BuildBackendImage",
            Self::BackendHttpd => "BuildBackendHttpdImage",
            Self::Builder => "BuildBuilderImage",
            Self::Sanity => "BuildSanityImage",
        }
    }

    /// The image of that field.
    pub fn of_field(field: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|image| image.field() == field)
    }
}

/// The images that the spec names, tags as they are: those of the components that the instance has, and the suite's if it is
/// named.
pub fn given_images(spec: &CoprInstanceSpec) -> Vec<(Image, String)> {
    let images = &spec.images;
    let of = |image: Image| match image {
        Image::Base => &None,
        Image::Database => &images.database,
        Image::Redis => &images.redis,
        Image::Keygen => &images.keygen,
        Image::Frontend => &images.frontend,
        Image::DistGit => &images.dist_git,
        Image::Resalloc => &images.resalloc,
        Image::Backend => &images.backend,
        Image::BackendHttpd => &images.backend_httpd,
        Image::Builder => &images.builder,
        Image::Sanity => &images.sanity,
    };
    let by_registry = |image: Image| {
        let registry = images.registry.as_ref().filter(|_| image != Image::Sanity)?;
        Some(format!("{registry}/copr-{}:{}", image.folder(), images.tag))
    };
    Image::ALL
        .into_iter()
        .filter(|image| *image != Image::Base && runs(spec, *image))
        .filter_map(|image| Some((image, of(image).clone().or_else(|| by_registry(image))?)))
        .collect()
}

/// Whether the instance runs the image: of an external PostgreSQL or Redis there is no pod.
pub fn runs(spec: &CoprInstanceSpec, image: Image) -> bool {
    match image {
        Image::Database => spec.database.external_secret.is_none(),
        Image::Redis => spec.redis.external_secret.is_none(),
        _ => true,
    }
}

/// Names of the Secrets that the images are pulled with. What may push built ones may pull them.
pub fn pull_secrets(spec: &CoprInstanceSpec) -> Vec<String> {
    let push = spec.registry.iter().filter(|_| spec.packages.is_some()).flat_map(|r| &r.push_secret);
    spec.images.pull_secrets.iter().chain(push.map(|secret| &secret.name)).cloned().collect()
}
