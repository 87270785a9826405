//! The container `evidence` of a test's pod: waits until the test has ended, and pushes what it left in its folder. It is a sidecar, which
//! the kubelet ends after the test; the digest goes into its termination message, where the operator finds it.
//!
//! The credentials that it pushes with are mounted into it alone, and it speaks to the registry only when no code of the test runs
//! any more.

use std::{fs, path::Path, time::Duration};

use copr_operator_api::evidence::{
    AUTHORITY, CLIENT, FOLDER, FOLDER_MAX, INSECURE_VARIABLE, PUSH, REPOSITORY_VARIABLE,
};
use copr_operator_images::{Access, Keyring, Name, Registries};
use copr_operator_kernel::report;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::{error::Error, folder, layer::Tar, scrub::Secrets};

/// The kubelet's patience is 60 s.
const TIME: Duration = Duration::from_secs(50);
const PAUSE: Duration = Duration::from_secs(2);
const MESSAGE: &str = "/dev/termination-log";
/// The kubelet takes 4096 bytes.
const WHY_MAX: usize = 1024;

/// What became of a test's folder.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The blob in the registry; nothing if the folder was empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Its size.
    #[serde(default)]
    pub size: u64,
    /// How many files aren't in it: too large, no regular files, or not to be read.
    #[serde(default)]
    pub left_out: usize,
    /// Why nothing was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What a folder is kept with.
pub struct Settings<'a> {
    /// The folder.
    pub folder: &'a Path,
    /// So much of it.
    pub max: u64,
    /// Where it goes.
    pub repository: String,
    /// How its registry is spoken to.
    pub access: Access,
    /// What is not to be in it.
    pub secrets: Secrets,
    /// How long that may take.
    pub time: Duration,
}

/// Waits for `ended`, keeps the folder, and reports it. What goes wrong is in the report: a pod isn't to fail for it.
pub async fn run(ended: impl Future<Output = ()>) -> std::io::Result<()> {
    ended.await;
    let repository = std::env::var(REPOSITORY_VARIABLE).unwrap_or_default();
    let report = match settings(repository) {
        Ok(settings) => keep(&settings, &Registries::default()).await,
        Err(why) => Report { error: Some(why), ..Report::default() },
    };
    let text = serde_json::to_string(&report)?;
    tracing::info!(report = text, "The test's folder is kept");
    fs::write(MESSAGE, text)
}

fn settings(repository: String) -> Result<Settings<'static>, String> {
    let mut access = Access {
        insecure: std::env::var(INSECURE_VARIABLE).is_ok_and(|value| value == "true"),
        authority: fs::read_to_string(Path::new(AUTHORITY).join("ca.crt")).ok(),
        keyring: Keyring::default(),
    };
    let mut secrets = Secrets::default();
    if let Ok(file) = fs::read_to_string(Path::new(PUSH).join(".dockerconfigjson")) {
        access
            .keyring
            .add(&file, "the Secret of registry.pushSecret")
            .map_err(|at| format!("the Secret of registry.pushSecret is malformed at {at}"))?;
        secrets.add_logins(&file);
    }
    let client = fs::read_to_string(CLIENT).map_err(|error| format!("failed to read {CLIENT}: {error}"))?;
    secrets.add_settings(&client);
    Ok(Settings { folder: Path::new(FOLDER), max: FOLDER_MAX, repository, access, secrets, time: TIME })
}

/// Keeps a folder. A registry that is away for a moment is asked again.
pub async fn keep(settings: &Settings<'_>, registries: &Registries) -> Report {
    let until = Instant::now() + settings.time;
    let mut last = None;
    loop {
        match tokio::time::timeout_at(until, push(settings, registries)).await {
            Ok(Ok(report)) => return report,
            Ok(Err(error)) if error.passes() && Instant::now() + PAUSE < until => {
                last = Some(error);
                tokio::time::sleep(PAUSE).await;
            }
            Ok(Err(error)) => return failed(&error),
            Err(_) => return failed(&last.unwrap_or(Error::TooSlow)),
        }
    }
}

async fn push(settings: &Settings<'_>, registries: &Registries) -> Result<Report, Error> {
    let choice = folder::choose(settings.folder, settings.max);
    if choice.entries.is_empty() {
        return Ok(Report { left_out: choice.left_out, ..Report::default() });
    }
    let registry = registries.of(&settings.repository, &settings.access)?;
    let name = Name::parse(&settings.repository)?;
    let scrubber = settings.secrets.scrubber()?;
    let (blob, kept, unread) = folder::send(&choice, &scrubber, Tar::new(&registry, &name)).await?;
    let left_out = choice.left_out + unread;
    if kept == 0 {
        return Ok(Report { left_out, ..Report::default() });
    }
    Ok(Report { digest: Some(blob.digest), size: blob.size, left_out, error: None })
}

fn failed(error: &Error) -> Report {
    let why = report::truncate(format!("{}: {}", error.reason(), report::chain(error)), WHY_MAX);
    Report { error: Some(why), ..Report::default() }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::PathBuf,
        sync::atomic::{AtomicBool, Ordering},
    };

    use copr_operator_images::testing::{Content, Request, Response, Server, response};
    use flate2::read::GzDecoder;

    use super::*;

    /// A folder that a test has left; it goes with the test of this module.
    struct Left(PathBuf);

    impl Left {
        fn new(name: &str, files: &[(&str, &[u8])]) -> Self {
            let path = std::env::temp_dir().join(format!("copr-keep-{}-{name}", std::process::id()));
            fs::create_dir_all(path.join("logs")).unwrap();
            for (name, content) in files {
                fs::write(path.join(name), content).unwrap();
            }
            Self(path)
        }
    }

    impl Drop for Left {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    async fn keep_in(
        left: &Left,
        seconds: u64,
        answer: impl Fn(&Content, &Request) -> Response + Send + Sync + 'static,
    ) -> (Report, Content) {
        let content = Content::default();
        let has = content.clone();
        let server = Server::start(move |request| answer(&has, request)).await;
        let mut secrets = Secrets::default();
        secrets.add_settings("[copr-cli]\nlogin = loginlogin\ntoken = tokentoken\n");
        let settings = Settings {
            folder: &left.0,
            max: 1 << 20,
            repository: format!("{}/team/copr-evidence", server.host),
            access: Access { insecure: true, ..Access::default() },
            secrets,
            time: Duration::from_secs(seconds),
        };
        (keep(&settings, &Registries::default()).await, content)
    }

    #[tokio::test]
    async fn what_a_test_left_is_in_the_registry_without_secrets_and_of_the_same_length() {
        let large = vec![b'x'; 2 << 20];
        let left = Left::new(
            "whole",
            &[
                ("junit.xml", b"<testsuites/>"),
                ("logs/cli.log", b"Authorization: tokentoken of loginlogin\n"),
                ("core", &large),
            ],
        );
        let (report, content) = keep_in(&left, 30, Content::answer).await;
        assert_eq!((report.error.as_deref(), report.left_out), (None, 1), "{report:?}");
        let blob = content.blob(&report.digest.unwrap()).unwrap();
        assert_eq!(report.size, blob.len() as u64);
        let mut archive = tar::Archive::new(GzDecoder::new(&blob[..]));
        let files: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let path = entry.path().unwrap().display().to_string();
                (path, std::io::read_to_string(entry).unwrap())
            })
            .collect();
        assert_eq!(
            files,
            [
                ("junit.xml".into(), "<testsuites/>".into()),
                ("logs/cli.log".into(), "Authorization: ********** of **********\n".into()),
            ]
        );
    }

    #[tokio::test]
    async fn of_an_empty_folder_nothing_is_pushed() {
        let (report, _) = keep_in(&Left::new("empty", &[]), 30, |_, _| response(500)).await;
        assert_eq!(report, Report::default());
    }

    #[tokio::test]
    async fn a_registry_that_is_away_is_waited_for_and_one_that_refuses_is_not() {
        let left = Left::new("refused", &[("a", b"b")]);
        let ill = AtomicBool::new(true);
        let (report, _) = keep_in(&left, 30, move |content, request| {
            if ill.swap(false, Ordering::SeqCst) { response(503) } else { content.answer(request) }
        })
        .await;
        assert!(report.digest.is_some(), "{report:?}");
        let denied = |content: &Content, request: &Request| {
            if request.method == "POST" { response(403).error("DENIED") } else { content.answer(request) }
        };
        let (report, _) = keep_in(&left, 30, denied).await;
        assert!(report.error.unwrap().starts_with("Denied: "));
        let (report, _) = keep_in(&left, 3, |_, _| response(503)).await;
        let why = report.error.unwrap();
        assert!(why.starts_with("RegistryUnreachable: ") || why.starts_with("TooSlow: "), "{why}");
    }

    #[test]
    fn the_report_fits_into_a_termination_message() {
        let error = Error::NoRegistry("x");
        let report = failed(&error);
        assert!(serde_json::to_string(&report).unwrap().len() <= 4096);
        assert_eq!(serde_json::from_str::<Report>("{}").unwrap(), Report::default());
    }
}
