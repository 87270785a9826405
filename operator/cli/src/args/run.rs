//! Command line of what creates runs.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

use clap::ValueEnum;
use copr_operator_api::v1alpha1::SuiteName;

use crate::error;

/// Create a run
///
/// Without --instance the run makes a Copr of its own: from the packages of @copr/copr-dev, of a pull request over them (--pr), of
/// repositories of yours (--repo), or of images that exist (--images).
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Run {
    #[command(flatten)]
    pub tested: Tested,
    #[command(flatten)]
    pub suite: SuiteArgs,
    #[command(flatten)]
    pub report: ReportArgs,
    #[command(flatten)]
    pub create: Create,
    /// Name of the run: at most 36 letters, digits and '-' [default: made up]
    #[arg(long)]
    pub name: Option<String>,

    /// What is tested, in words: 'watch' and 'results' repeat them (annotation kubernetes.io/description)
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,

    /// Keep the run's instance when it has ended
    #[arg(long, value_enum, value_name = "WHEN", num_args = 0..=1, default_missing_value = "always")]
    pub keep: Option<Keep>,

    /// Group of runs that are about the same, such as pull-request-4305: one of them goes on at a time
    #[arg(long, value_name = "NAME")]
    pub group: Option<String>,

    /// What this run does to older ones of its group that haven't ended [default: cancel-older]
    #[arg(long, value_enum, value_name = "POLICY", requires = "group")]
    pub group_policy: Option<GroupPolicy>,
}

/// What is tested.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "What is tested")]
pub struct Tested {
    /// Pull request of Copr: its packages over those of main, unless --repo says otherwise
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i64).range(1..))]
    pub pr: Option<i64>,

    /// Commit that is tested, for those who read the run
    #[arg(long, value_name = "HASH", value_parser = commit)]
    pub commit: Option<String>,

    /// Repository of --pr and --commit
    #[arg(long, value_name = "OWNER/NAME", default_value = "fedora-copr/copr")]
    pub source: String,

    /// Look up which package must carry which commit of --pr or --commit, and wait until the repositories have them; a Secret with the
    /// key token may say as whom GitHub is asked. --commit needs all of its digits then
    #[arg(long, value_name = "SECRET", num_args = 0..=1, require_equals = true, conflicts_with_all = ["images", "instance"])]
    #[expect(clippy::option_option, reason = "the flag, and its value, which can be left out")]
    pub wait_for_packages: Option<Option<String>>,

    /// Your packages: the RPMs in and below a folder of this machine, over those that there are otherwise. They are served in the namespace
    /// until the last run that reads them is gone. A run that is followed has no verdict if it tested none of them
    #[arg(long, value_name = "DIR", conflicts_with_all = ["images", "instance"])]
    pub packages: Option<PathBuf>,

    /// Image that serves folders, with python3, tar and sh
    #[arg(long, value_name = "IMAGE", default_value = super::PACKAGES_IMAGE)]
    pub packages_image: String,

    /// dnf repository with Copr's packages, or a folder of this machine with RPMs; can be repeated, and the first one that has a package
    /// gives it
    #[arg(long, value_name = "NAME=URL|DIR", conflicts_with_all = ["images", "instance"])]
    pub repo: Vec<RepositoryArg>,

    /// The same over those that there are otherwise: packages that it has are taken from it, whatever their versions; can be
    /// repeated
    #[arg(long, value_name = "NAME=URL|DIR", conflicts_with_all = ["images", "instance"])]
    pub overlay: Vec<RepositoryArg>,

    /// Images that exist, PREFIX/copr-COMPONENT:TAG, instead of packages [TAG: latest]
    #[arg(long, value_name = "PREFIX[:TAG]", conflicts_with = "instance")]
    pub images: Option<String>,

    /// CoprInstance that exists, instead of one of the run's own
    #[arg(long, value_name = "NAME")]
    pub instance: Option<String>,

    /// Chroot that the instance offers; can be repeated [default: fedora-44-x86_64]
    #[arg(long, value_name = "NAME", conflicts_with = "instance")]
    pub chroot: Vec<String>,

    /// Image that images are built on [default: the operator's]
    #[arg(long, value_name = "IMAGE", conflicts_with_all = ["images", "instance"])]
    pub base_image: Option<String>,

    /// PersistentVolumeClaim that keeps what builds of images need again
    #[arg(long, value_name = "CLAIM", conflicts_with_all = ["images", "instance"])]
    pub build_cache: Option<String>,

    /// Host and path that built images are pushed to and pulled from; on OpenShift its own without this
    #[arg(long, value_name = "PREFIX", conflicts_with_all = ["images", "instance"])]
    pub registry: Option<String>,

    /// Secret (kubernetes.io/dockerconfigjson) to push with
    #[arg(long, value_name = "NAME", requires = "registry")]
    pub registry_secret: Option<String>,

    /// The registry speaks plain HTTP
    #[arg(long, requires = "registry")]
    pub registry_insecure: bool,
}

/// By which tests.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Tests")]
pub struct SuiteArgs {
    /// The suite
    #[arg(long, value_name = "NAME", default_value = "smoke", value_parser = suite)]
    pub suite: SuiteName,

    /// Only this test of the suite; can be repeated
    #[arg(long, value_name = "NAME")]
    pub test: Vec<String>,

    /// How many tests run at a time [default: 4]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i32).range(1..=64))]
    pub parallelism: Option<i32>,

    /// How long all tests may take [default: 1h]
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<String>,

    /// How long each test may take [default: what the suite says of it]
    #[arg(long, value_name = "DURATION")]
    pub test_timeout: Option<String>,
}

/// What the forge is told.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Report to the forge")]
pub struct ReportArgs {
    /// Set a status of --commit (all of its digits), with the token of this Secret (key token)
    #[arg(long = "report-secret", id = "report-secret", value_name = "NAME", requires = "commit")]
    pub secret: Option<String>,

    /// Comment on the pull request, too
    #[arg(long = "report-comment", requires_all = ["report-secret", "pr"])]
    pub comment: bool,

    /// Where status and comment lead people
    #[arg(long = "report-url", value_name = "URL", requires = "report-secret")]
    pub url: Option<String>,
}

/// How a run is created.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "And then")]
pub struct Create {
    /// Follow the run until it has ended, and exit with its verdict
    #[arg(short, long, conflicts_with = "dry_run")]
    pub watch: bool,

    #[command(flatten)]
    pub followed: Followed,

    /// Create nothing: show the object (client), or what the API server says to it (server)
    #[arg(long, value_enum, value_name = "WHERE")]
    pub dry_run: Option<DryRun>,

    /// Show the object that was, or would be, created
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    pub output: Option<ObjectFormat>,
}

/// What is done about a run that is followed. Each of `run` and `rerun` needs --watch.
#[derive(clap::Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct Followed {
    /// Of a followed run: show in the end what 'results' shows, the images, and the ends of the logs of red tests
    #[arg(long)]
    pub results: bool,

    /// Of a followed run: write in the end what 'artifacts' writes into this folder, which is made, or is empty
    #[arg(long, value_name = "DIR")]
    pub artifacts: Option<PathBuf>,

    #[command(flatten)]
    pub registries: Registries,

    /// Of a followed run: package that is to be tested. Told which of them no image has; if that is all of them, there is no verdict; can
    /// be repeated
    #[arg(long, value_name = "REPOSITORY=NEVRA")]
    pub expect: Vec<Expected>,

    /// Of a followed run: delete it, and all that belongs to it, when it has ended or this command is interrupted
    #[arg(long)]
    pub rm: bool,
}

/// Where registries are reached from this machine.
#[derive(clap::Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct Registries {
    /// Where a registry is that the cluster calls otherwise, for the evidence among the artifacts; it may speak plain HTTP there; can be
    /// repeated
    #[arg(long, value_name = "REGISTRY=HOST:PORT")]
    pub registry_address: Vec<RegistryAddress>,
}

/// Create a run like one that has ended
///
/// It has the same instance or template and the same suite. With --failed of the suite only the tests run that the other run left red.
#[derive(clap::Args, Debug)]
pub struct Rerun {
    /// Name of the CoprTestRun
    pub run: String,

    /// Only the tests that it left red
    #[arg(long)]
    pub failed: bool,

    #[command(flatten)]
    pub create: Create,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum DryRun {
    Client,
    Server,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectFormat {
    Name,
    Yaml,
    Json,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    Always,
    /// If it ended as Failed or Error
    OnFailure,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupPolicy {
    /// They end as Cancelled
    CancelOlder,
    /// Nothing: this run waits until they have ended
    Queue,
}

/// A repository, as `--repo` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryArg {
    pub name: String,
    /// Or a folder of this machine, until it is served.
    pub url: String,
}

impl RepositoryArg {
    pub fn folder(&self) -> Option<&Path> {
        (!is_url(&self.url)).then(|| Path::new(&self.url))
    }

    pub fn has_credentials(&self) -> bool {
        has_credentials(&self.url)
    }
}

fn has_credentials(text: &str) -> bool {
    error::without_logins(text) != text
}

fn is_url(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

impl FromStr for RepositoryArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted =
            "give NAME=URL or NAME=DIR, such as main=https://example.org/fedora-44-x86_64/ or mine=./rpms";
        let (name, url) = text.split_once('=').unwrap_or_default();
        // clap repeats what is refused here, so this is refused later.
        if has_credentials(text) {
            return Ok(Self { name: name.into(), url: text.into() });
        }
        if name.is_empty() || url.is_empty() || (url.contains("://") && !is_url(url)) {
            return Err(wanted.into());
        }
        Ok(Self { name: name.into(), url: url.into() })
    }
}

/// A registry of the cluster, and where it is reached from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryAddress {
    /// Its host, as names of images have it.
    pub registry: String,
    pub address: String,
}

impl FromStr for RegistryAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_host = |host: &str| !host.is_empty() && !host.contains('/');
        let parts = text.split_once('=').filter(|(registry, address)| is_host(registry) && is_host(address));
        let (registry, address) =
            parts.ok_or("give REGISTRY=HOST:PORT, such as registry.kube-registry.svc:5000=127.0.0.1:5000")?;
        Ok(Self { registry: registry.into(), address: address.into() })
    }
}

/// A package that is to come from a repository, as `--expect` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    pub repository: String,
    /// An epoch may be left out, as names of files do.
    pub nevra: String,
}

impl FromStr for Expected {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts =
            text.split_once('=').filter(|(repository, nevra)| !repository.is_empty() && !nevra.is_empty());
        let (repository, nevra) =
            parts.ok_or("give REPOSITORY=NEVRA, such as mine=copr-keygen-2.2-1.fc44.noarch")?;
        Ok(Self { repository: repository.into(), nevra: nevra.into() })
    }
}

fn commit(text: &str) -> Result<String, String> {
    let is_one = (7..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_one.then(|| text.to_lowercase()).ok_or_else(|| "a commit has 7 to 64 hexadecimal digits".into())
}

fn suite(text: &str) -> Result<SuiteName, String> {
    serde_json::from_value(text.into()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_a_name_and_a_folder_or_a_url_without_credentials() {
        let read = |text: &str| text.parse::<RepositoryArg>();
        let repository = read("pr=https://r.example/a=b/").unwrap();
        assert_eq!((repository.name.as_str(), repository.url.as_str()), ("pr", "https://r.example/a=b/"));
        assert_eq!(repository.folder(), None);
        assert_eq!(read("mine=../a=b").unwrap().folder(), Some(Path::new("../a=b")));
        for wrong in ["pr", "pr=", "=https://r.example/", "pr=ftp://r.example/"] {
            assert!(read(wrong).unwrap_err().contains("NAME=URL"), "{wrong}");
        }
        assert!(!repository.has_credentials());
        for secret in
            ["pr=https://me:hunter2@r.example/", "https://me:hunter2@r.example/", "pr=ftp://me:a=b@r.example"]
        {
            assert!(read(secret).unwrap().has_credentials(), "{secret}");
        }
    }

    #[test]
    fn a_registry_is_a_host_without_a_path() {
        let address = "r.svc:5000=127.0.0.1:30500".parse::<RegistryAddress>().unwrap();
        assert_eq!((address.registry.as_str(), address.address.as_str()), ("r.svc:5000", "127.0.0.1:30500"));
        for wrong in ["r.svc:5000", "r.svc/copr=localhost", "=localhost", "r=http://localhost"] {
            assert!(wrong.parse::<RegistryAddress>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_commit_is_hexadecimal() {
        assert_eq!(commit("5D37CD8").unwrap(), "5d37cd8");
        assert!(commit("main").is_err());
    }

    #[test]
    fn every_suite_of_the_api_is_known_and_no_other() {
        assert_eq!(suite("upstream"), Ok(SuiteName::Upstream));
        assert!(suite("nightly").unwrap_err().contains("smoke"));
    }
}
