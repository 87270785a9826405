//! Command line.

mod run;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

pub use run::{
    Create, DryRun, Expected, Followed, GroupPolicy, Keep, ObjectFormat, Registries, RegistryAddress,
    ReportArgs, RepositoryArg, Rerun, Run, SuiteArgs, Tested,
};

/// A release names the commit that it was built from.
pub const VERSION: &str = match option_env!("COPR_OPERATOR_VERSION") {
    Some(version) => version,
    None => concat!(env!("CARGO_PKG_VERSION"), " (no release)"),
};

/// One with python3 and tar that everybody may pull.
const PACKAGES_IMAGE: &str = "registry.access.redhat.com/ubi9/python-312:latest";

const EXIT_CODES: &str = "Exit codes: 0 if the run passed (or, of a command that waits for no run, if it did its work), 1 if a \
     test failed: then Copr is broken; 2 for everything else, such as a run without a verdict: then nothing is known of Copr.";

/// Runs Copr's sanity suite on a cluster with the Copr operator, and tells of runs and instances.
#[derive(Parser, Debug)]
#[command(name = "kubectl-copr", bin_name = "kubectl copr", version = VERSION, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Args {
    #[command(flatten)]
    pub place: Place,

    #[command(subcommand)]
    pub command: Command,
}

/// Which cluster, and where in it.
#[derive(clap::Args, Debug, Default)]
#[command(next_help_heading = "Cluster")]
pub struct Place {
    /// Namespace of the run or instance [default: that of the kubeconfig's context]
    #[arg(short, long, global = true, value_name = "NAME")]
    pub namespace: Option<String>,

    /// Context of the kubeconfig [default: its current one]
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,

    /// The kubeconfig [default: $KUBECONFIG, else ~/.kube/config, else a pod's own account]
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    Run(Box<Run>),
    Rerun(Rerun),
    Watch(Watch),
    Results(Results),
    Logs(Logs),
    Artifacts(Artifacts),
    Cancel(Cancel),
    Serve(Serve),
    Compare(Compare),
    Describe(Describe),
    Login(Login),
    Preflight(Preflight),
    Completion(Completion),
    #[command(hide = true)]
    Man(Man),
}

/// Follow a run until it has ended
///
/// On a terminal: a bar, and what is under way. Elsewhere: a line for everything that starts or ends, and once a minute what still goes on.
/// Exits with the run's verdict: 0 Passed, 1 Failed, 2 Error or Cancelled.
#[derive(clap::Args, Debug)]
pub struct Watch {
    /// Name of the CoprTestRun
    pub run: String,

    /// Plain lines, on a terminal too
    #[arg(long)]
    pub plain: bool,

    #[command(flatten)]
    pub followed: Followed,
}

/// Show how a run ended, or how far it is
#[derive(clap::Args, Debug)]
pub struct Results {
    /// Name of the CoprTestRun
    pub run: String,

    /// How to show it
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: ResultsFormat,

    /// With the run's verdict as exit code, instead of 0
    #[arg(long)]
    pub exit_code: bool,
}

#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResultsFormat {
    /// Tables for people
    #[default]
    Table,
    /// The CoprTestRun
    Json,
    /// The CoprTestRun
    Yaml,
    /// JUnit XML, as the operator writes it at the end of a run
    Junit,
    /// One page that needs nothing else
    Html,
    /// results.yaml of a tmt test with `result: custom`
    Tmt,
}

/// Show the log of a test
#[derive(clap::Args, Debug)]
pub struct Logs {
    /// Name of the CoprTestRun
    pub run: String,

    /// Name of the test
    pub test: String,

    /// Wait for the test to start, and show lines as they come
    #[arg(short, long)]
    pub follow: bool,
}

/// Write what is left of a run into a folder
///
/// The run, its instance, its JUnit report, a results page, results.yaml for tmt, events, pods, the log of each test whose pod is still
/// there, and its evidence, if this machine reaches the registry: as whom skopeo, podman or docker are logged in.
#[derive(clap::Args, Debug)]
pub struct Artifacts {
    /// Name of the CoprTestRun
    pub run: String,

    /// The folder, which is made, or is empty
    pub dir: PathBuf,

    #[command(flatten)]
    pub registries: Registries,
}

/// End a run early, as Cancelled
#[derive(clap::Args, Debug)]
pub struct Cancel {
    /// Name of the CoprTestRun
    pub run: String,
}

/// Serve packages of this machine to the cluster
///
/// Prints the URL of a dnf repository of the RPMs in and below a folder, for packages.repositories of a CoprInstance. It stays until it is
/// deleted. 'run' has --packages, which serves them as long as there are runs that read them.
#[derive(clap::Args, Debug)]
pub struct Serve {
    /// The folder
    pub dir: PathBuf,

    /// Image that serves it, with python3, tar and sh
    #[arg(long, value_name = "IMAGE", default_value = PACKAGES_IMAGE)]
    pub packages_image: String,

    /// Secret (kubernetes.io/dockerconfigjson) to pull that with
    #[arg(long, value_name = "NAME")]
    pub pull_secret: Option<String>,
}

/// Compare a run with an earlier one
///
/// What got red, what got green, and which packages, images and suite differ. Exits with 1 if a test got red, with 2 if one of the runs
/// has no verdict yet.
#[derive(clap::Args, Debug)]
pub struct Compare {
    /// Name of the earlier CoprTestRun
    pub before: String,

    /// Name of the later CoprTestRun
    pub after: String,
}

/// Say in words how an instance is, and what it waits for
#[derive(clap::Args, Debug)]
pub struct Describe {
    /// Name of the CoprInstance
    pub instance: String,
}

/// Write a copr-cli configuration of an instance's administrator
///
/// The file holds an API token, so only its owner may read it.
#[derive(clap::Args, Debug)]
pub struct Login {
    /// Name of the CoprInstance
    pub instance: String,

    /// Where to write it [default: ~/.config/copr]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Replace what is there
    #[arg(long)]
    pub force: bool,

    /// With the URL that only pods of the cluster reach, although the instance has one for people
    #[arg(long)]
    pub internal: bool,
}

/// Say what this cluster can and can't, and what mends it
///
/// Looks at the API, the operator, your rights, user namespaces, network policies, Pod Security, volumes and the registry. Nothing is
/// changed: what would have to be created is tried as a dry run. Exits with 2 if something is missing that runs need.
#[derive(clap::Args, Debug)]
pub struct Preflight {
    /// Namespace of the operator
    #[arg(long, value_name = "NAME", default_value = "copr-operator")]
    pub operator_namespace: String,

    /// Secret that images are pushed and pulled with, to be looked at
    #[arg(long, value_name = "NAME")]
    pub registry_secret: Option<String>,
}

/// Print what completes this command in a shell
///
/// bash:  source <(kubectl copr completion bash)
/// zsh:   source <(kubectl copr completion zsh)
/// fish:  kubectl copr completion fish | source
///
/// That is for the command written as kubectl-copr. kubectl itself completes 'kubectl copr' if a link to kubectl-copr that is
/// called kubectl_complete-copr is on the PATH.
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub struct Completion {
    #[arg(value_enum)]
    pub shell: Shell,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// Write man pages
#[derive(clap::Args, Debug)]
pub struct Man {
    /// The folder
    pub dir: PathBuf,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    /// The whole help, as people read it.
    #[test]
    fn help() {
        let mut command = Args::command().term_width(100);
        command.build();
        let mut text = command.render_long_help().to_string();
        for subcommand in command.get_subcommands_mut().filter(|c| c.get_name() != "help") {
            text.push_str("\n----\n");
            text.push_str(&subcommand.clone().term_width(100).render_long_help().to_string());
        }
        insta::assert_snapshot!(text);
    }
}
