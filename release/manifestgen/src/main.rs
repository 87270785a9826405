//! Makes the Helm chart, the OLM bundle and the installation files from what kustomize makes of manifests/.

mod bundle;
mod chart;
mod compare;
mod csv;
mod image;
mod install;
mod object;
mod source;
mod template;

use std::{collections::BTreeMap, fs, path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::source::Source;

/// Makes the Helm chart, the OLM bundle and the installation files from what kustomize makes of manifests/.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Folder with default.yaml, openshift.yaml and samples.yaml: what kustomize makes of the folders of these names.
    #[arg(long, value_name = "FOLDER")]
    kustomized: PathBuf,
    /// The operator's image, instead of the one that is named there.
    #[arg(long, value_name = "REFERENCE")]
    operator: Option<String>,
    /// The image whose pods build images, likewise.
    #[arg(long, value_name = "REFERENCE")]
    image_builder: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes the Helm chart into a folder.
    Chart {
        /// The folder.
        folder: PathBuf,
    },
    /// Writes the OLM bundle into a folder.
    Bundle {
        /// The architecture that the images are made for, as Go calls it.
        #[arg(long, default_value = "amd64")]
        architecture: String,
        /// The folder.
        folder: PathBuf,
    },
    /// Writes the files for `kubectl apply` into a folder.
    Install {
        /// The folder.
        folder: PathBuf,
    },
    /// Fails where what Helm rendered isn't what kustomize makes, and says where.
    Compare {
        /// Which of both the chart was rendered for.
        #[arg(long)]
        openshift: bool,
        /// What `helm template` printed.
        rendered: PathBuf,
    },
}

/// Text by its path.
type Files = BTreeMap<String, String>;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("manifestgen: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> anyhow::Result<()> {
    let mut source = Source::read(&args.kustomized)?;
    source.pin(args.operator.as_deref(), args.image_builder.as_deref())?;
    let version = env!("CARGO_PKG_VERSION");
    let (files, folder) = match &args.command {
        Command::Chart { folder } => (chart::files(&source, version)?, folder),
        Command::Bundle { architecture, folder } => (bundle::files(&source, version, architecture)?, folder),
        Command::Install { folder } => (install::files(&source, version)?, folder),
        Command::Compare { openshift, rendered } => return compare::run(&source, *openshift, rendered),
    };
    for (name, text) in files {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("failed to make {}", parent.display()))?;
        }
        fs::write(&path, text).with_context(|| format!("failed to write {}", path.display()))?;
    }
    Ok(())
}
