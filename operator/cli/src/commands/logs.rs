//! Client required: the log of a test.

use std::{io::Write, time::Duration};

use copr_operator_api::v1alpha1::{CoprTestRun, TestStatus};
use futures::AsyncReadExt as _;
use kube::api::LogParams;
use tokio::time::Instant;

use crate::{
    args::Logs,
    cluster::Cluster,
    error::{self, Error},
    model::{condition, one_line, verdict::Exit},
};

/// The container of a test's pod that runs the test.
pub const CONTAINER: &str = "test";
/// After this a pod that isn't there, or hasn't started, is looked at again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long the API server may be away while a log is followed.
const AWAY: Duration = Duration::from_secs(120);
const CHUNK: usize = 1 << 14;

pub async fn run(cluster: &Cluster, args: &Logs, out: &mut dyn Write) -> Result<Exit, Error> {
    let run = cluster.run(&args.run).await?;
    if !args.follow {
        let test = find(&run, &args.test)?;
        let Some(pod) = &test.pod else { return Err(not_started(&run, test)) };
        show(cluster, pod, false, out).await.map_err(|error| gone(error, pod, &run, cluster))?;
        return Ok(Exit::Fine);
    }
    follow(cluster, run, &args.test, out).await
}

/// Every attempt, until the last one has ended.
async fn follow(
    cluster: &Cluster,
    mut run: CoprTestRun,
    name: &str,
    out: &mut dyn Write,
) -> Result<Exit, Error> {
    let mut shown = None;
    let mut answered = Instant::now();
    loop {
        let ended = run.status.as_ref().is_some_and(|status| status.phase.is_final());
        // The list of a suite comes first.
        let listed = run.status.as_ref().is_some_and(|status| !status.tests.is_empty());
        if listed || ended {
            let test = find(&run, name)?;
            match &test.pod {
                Some(pod) if shown.as_ref() != Some(pod) => {
                    match show(cluster, pod, true, out).await {
                        Ok(()) => shown = Some(pod.clone()),
                        // 400: its container hasn't started; 404: the pod isn't there yet.
                        Err(LogError::Api(kube::Error::Api(status)))
                            if matches!(status.code, 400 | 404) && !test.outcome.is_final() => {}
                        Err(LogError::Read(why)) => {
                            error::tell(&format!(
                                "the log was cut off ({why}): once more, from its beginning"
                            ));
                        }
                        Err(LogError::Api(why)) if error::passes(&why) && answered.elapsed() < AWAY => {}
                        Err(error) => return Err(gone(error, pod, &run, cluster)),
                    }
                }
                Some(_) if test.outcome.is_final() => return Ok(Exit::Fine),
                None if test.outcome.is_final() || ended => return Err(not_started(&run, test)),
                _ => {}
            }
        }
        tokio::time::sleep(AGAIN).await;
        match cluster.run(run.metadata.name.as_deref().unwrap_or_default()).await {
            Ok(seen) => {
                run = seen;
                answered = Instant::now();
            }
            Err(error) if error.passes() && answered.elapsed() < AWAY => {}
            Err(error) => return Err(error),
        }
    }
}

pub enum LogError {
    Api(kube::Error),
    Read(std::io::Error),
    Write(std::io::Error),
}

pub async fn show(cluster: &Cluster, pod: &str, follow: bool, out: &mut dyn Write) -> Result<(), LogError> {
    let params = LogParams { container: Some(CONTAINER.into()), follow, ..LogParams::default() };
    copy(cluster, pod, &params, out).await
}

/// The bytes of a log, as they come: a test may print what is no text.
pub async fn copy(
    cluster: &Cluster,
    pod: &str,
    params: &LogParams,
    out: &mut dyn Write,
) -> Result<(), LogError> {
    let mut stream = Box::pin(cluster.pods().log_stream(pod, params).await.map_err(LogError::Api)?);
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = stream.read(&mut chunk).await.map_err(LogError::Read)?;
        if read == 0 {
            return Ok(());
        }
        let bytes = chunk.get(..read).unwrap_or_default();
        out.write_all(bytes).and_then(|()| out.flush()).map_err(LogError::Write)?;
    }
}

fn find<'a>(run: &'a CoprTestRun, name: &str) -> Result<&'a TestStatus, Error> {
    let tests = run.status.as_ref().map(|status| status.tests.as_slice()).unwrap_or_default();
    let run = run.metadata.name.as_deref().unwrap_or_default();
    tests.iter().find(|test| test.name == name).ok_or_else(|| {
        let names: Vec<_> = tests.iter().map(|test| test.name.as_str()).collect();
        Error::Said(match names.as_slice() {
            [] => format!("the run {run} has no tests yet; --follow waits for {name}, 'kubectl copr watch {run}' says what it waits for"),
            names => format!("the run {run} has no test {name}; it has {}", names.join(", ")),
        })
    })
}

fn not_started(run: &CoprTestRun, test: &TestStatus) -> Error {
    let run = run.metadata.name.as_deref().unwrap_or_default();
    let why = test.message.as_ref().map(|message| format!(" ({})", one_line(message))).unwrap_or_default();
    let wait = if test.outcome.is_final() { "" } else { "; --follow waits for it" };
    Error::Said(format!(
        "the test {} of the run {run} is {:?}{why} and has had no pod, so it has no log{wait}",
        test.name, test.outcome
    ))
}

/// A log goes with its pod; where else it may be.
pub fn gone(error: LogError, pod: &str, run: &CoprTestRun, cluster: &Cluster) -> Error {
    let source = match error {
        LogError::Write(source) => return Error::Output(source),
        LogError::Read(source) => {
            return Error::Said(format!("the log of the pod {pod} was cut off: {source}"));
        }
        LogError::Api(source) => source,
    };
    match source {
        kube::Error::Api(status) if status.code == 404 => {
            Error::Said(format!("the pod {pod} is gone, and its log with it; {}", elsewhere(run)))
        }
        source => {
            Error::api(format!("read the log of the pod {pod} in the namespace {}", cluster.namespace))(
                source,
            )
        }
    }
}

/// What was kept of a run.
pub fn elsewhere(run: &CoprTestRun) -> String {
    let status = run.status.clone().unwrap_or_default();
    if let Some(artifact) = status.evidence.and_then(|evidence| evidence.artifact) {
        return format!("the run's evidence has it: oras pull {artifact}");
    }
    match condition(&status.conditions, copr_operator_api::evidence::CONDITION) {
        Some(c) => format!("no evidence was kept ({}: {})", c.reason, one_line(&c.message)),
        None => "no evidence was kept of this run (spec.evidence)".into(),
    }
}

#[cfg(test)]
mod tests {
    use copr_operator_kernel::testing::{ApiServer, Exchange, get};
    use serde_json::{Value, json};

    use super::*;
    use crate::{commands::testing, model::fixtures};

    const RUN: &str = "/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/team/coprtestruns/pr-7";
    const LOG: &str = "/api/v1/namespaces/team/pods/pr-7-build-spec-1/log";

    async fn logs(test: &str, follow: bool, script: Vec<Exchange>) -> (Result<Exit, Error>, String) {
        let args = Logs { run: "pr-7".into(), test: test.into(), follow };
        testing::run(script, async |cluster, out| run(cluster, &args, out).await).await
    }

    fn red() -> Exchange {
        get(RUN).answers(fixtures::red_object())
    }

    #[tokio::test]
    async fn a_log_is_that_of_the_test_s_own_container() {
        let log = get(LOG).query("container", "test").says("one\ntwo\n");
        let (exit, text) = logs("build-spec", false, vec![red(), log]).await;
        assert_eq!((exit.unwrap(), text.as_str()), (Exit::Fine, "one\ntwo\n"));
    }

    #[tokio::test]
    async fn what_is_no_text_is_shown_as_it_is() {
        let args = Logs { run: "pr-7".into(), test: "build-spec".into(), follow: false };
        let server = ApiServer::expects([red(), get(LOG).says("one\r\ntwo without an end")]);
        let cluster = Cluster { client: server.client(), namespace: "team".into() };
        let mut out = Vec::new();
        run(&cluster, &args, &mut out).await.unwrap();
        assert_eq!(out, b"one\r\ntwo without an end");
    }

    #[tokio::test]
    async fn where_there_is_none_it_is_said_why() {
        let said = async |test: &str, more: Vec<Exchange>| {
            let script = std::iter::once(red()).chain(more).collect();
            logs(test, false, script).await.0.unwrap_err().text()
        };
        let gone = get(LOG).refuses(ApiServer::NOT_FOUND, "no such pod");
        insta::assert_snapshot!(said("build-spec", vec![gone]).await);
        insta::assert_snapshot!(said("no-such", vec![]).await);
    }

    fn state(outcome: &str, pod: Option<&str>, attempts: i32) -> Exchange {
        let mut test = json!({"name": "build-spec", "outcome": outcome, "attempts": attempts});
        if let Some(pod) = pod {
            test["pod"] = Value::from(pod);
        }
        get(RUN).answers(fixtures::run_object(
            "pr-7",
            fixtures::spec(),
            json!({"phase": "Running", "tests": [test]}),
        ))
    }

    #[tokio::test(start_paused = true)]
    async fn following_waits_for_the_test_and_goes_on_with_the_next_attempt() {
        let waiting = (400, "BadRequest");
        let second = "/api/v1/namespaces/team/pods/pr-7-build-spec-2/log";
        let script = vec![
            get(RUN).answers(fixtures::run_object("pr-7", fixtures::spec(), json!({"phase": "Pending"}))),
            state("Pending", None, 0),
            state("Running", Some("pr-7-build-spec-1"), 1),
            get(LOG).query("follow", "true").refuses(waiting, "ContainerCreating"),
            state("Running", Some("pr-7-build-spec-1"), 1),
            get(LOG).query("follow", "true").says("one\n"),
            state("Running", Some("pr-7-build-spec-2"), 2),
            get(second).says("two\n"),
            state("Passed", Some("pr-7-build-spec-2"), 2),
        ];
        let (exit, text) = logs("build-spec", true, script).await;
        assert_eq!((exit.unwrap(), text.as_str()), (Exit::Fine, "one\ntwo\n"));
    }
}
