//! Client required: how a run ended, in the format that is asked for.

use std::{collections::BTreeMap, io::Write};

use copr_operator_api::v1alpha1::CoprTestRun;
use kube::api::{DynamicObject, ListParams, LogParams};

use super::{
    logs::{self, LogError},
    say,
};
use crate::{
    args::{Results, ResultsFormat, VERSION},
    cluster::{Cluster, typed},
    error::Error,
    model::{
        html, tables, tmt,
        verdict::{self, Exit},
    },
};

/// So much of a log is on the page.
const LOG_LINES: i64 = 40;

pub async fn run(cluster: &Cluster, args: &Results, out: &mut dyn Write) -> Result<Exit, Error> {
    let whole = cluster.whole_run(&args.run).await?;
    let run: CoprTestRun = typed(whole.clone())?;
    let text = match args.output {
        ResultsFormat::Table => tables::results(&run, &[]),
        ResultsFormat::Json => json(&whole)?,
        ResultsFormat::Yaml => yaml(&whole)?,
        ResultsFormat::Junit => cluster.junit(&run).await?,
        ResultsFormat::Tmt => tmt::results(&run, &BTreeMap::new())
            .map_err(|error| Error::Render { what: "results.yaml", why: error.to_string() })?,
        ResultsFormat::Html => page(cluster, &run).await?,
    };
    say(out, &text)?;
    let phase = run.status.map(|status| status.phase).unwrap_or_default();
    Ok(if args.exit_code { verdict::exit(phase) } else { Exit::Fine })
}

/// With the last green run and the ends of the logs of red tests, where they can be had.
pub async fn page(cluster: &Cluster, run: &CoprTestRun) -> Result<String, Error> {
    let all = match cluster.runs().list(&ListParams::default()).await {
        Ok(list) => list.items,
        // Who may read a run and not list them sees no other one.
        Err(kube::Error::Api(status)) if status.code == 403 => Vec::new(),
        Err(error) => {
            let doing = format!(
                "list the CoprTestRuns of the namespace {}, for the last green one",
                cluster.namespace
            );
            return Err(Error::api(doing)(error));
        }
    };
    let logs = ends_of_logs(cluster, run).await;
    let green = html::last_green(run, &all);
    html::page(&html::Subject { run, green, logs: &logs, version: VERSION })
        .map_err(|error| Error::Render { what: "a page", why: error.to_string() })
}

/// The ends of the logs of red tests, as far as their pods are there. Why one can't be read stands in its place.
pub async fn ends_of_logs(cluster: &Cluster, run: &CoprTestRun) -> BTreeMap<String, String> {
    let mut ends = BTreeMap::new();
    let red = run.status.iter().flat_map(|status| &status.tests).filter(|test| test.outcome.is_red());
    for test in red {
        let Some(pod) = &test.pod else { continue };
        let params = LogParams {
            container: Some(logs::CONTAINER.into()),
            tail_lines: Some(LOG_LINES),
            ..LogParams::default()
        };
        let mut log = Vec::new();
        let end = match logs::copy(cluster, pod, &params, &mut log).await {
            Ok(()) => html::log_end(&String::from_utf8_lossy(&log)),
            // The page says what there is: a log goes with its pod.
            Err(LogError::Api(kube::Error::Api(status))) if matches!(status.code, 400 | 403 | 404) => {
                continue;
            }
            Err(error) => format!("({})", logs::gone(error, pod, run, cluster).text()),
        };
        ends.insert(test.name.clone(), end);
    }
    ends
}

/// Without what only the API server needs.
fn shown(object: &DynamicObject) -> DynamicObject {
    let mut object = object.clone();
    object.metadata.managed_fields = None;
    object
}

pub fn json(object: &DynamicObject) -> Result<String, Error> {
    serde_json::to_string_pretty(&shown(object))
        .map_err(|error| Error::Render { what: "JSON", why: error.to_string() })
}

pub fn yaml(object: &DynamicObject) -> Result<String, Error> {
    serde_saphyr::to_string(&shown(object))
        .map_err(|error| Error::Render { what: "YAML", why: error.to_string() })
}

#[cfg(test)]
mod tests {
    use copr_operator_kernel::testing::{ApiServer, Exchange, get};
    use serde_json::{Value, json};

    use super::*;
    use crate::{commands::testing, model::fixtures};

    const RUNS: &str = "/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/team/coprtestruns";

    async fn results(output: ResultsFormat, more: Vec<Exchange>) -> (Result<Exit, Error>, String) {
        let mut script = vec![get(format!("{RUNS}/pr-7")).answers(fixtures::red_object())];
        script.extend(more);
        let args = Results { run: "pr-7".into(), output, exit_code: true };
        testing::run(script, async |cluster, out| run(cluster, &args, out).await).await
    }

    #[tokio::test]
    async fn json_and_yaml_are_the_object() {
        let (exit, text) = results(ResultsFormat::Json, vec![]).await;
        assert_eq!(exit.unwrap(), Exit::Failed);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), fixtures::red_object());
        let (_, text) = results(ResultsFormat::Yaml, vec![]).await;
        assert_eq!(serde_saphyr::from_str::<Value>(&text).unwrap(), fixtures::red_object());
    }

    #[tokio::test]
    async fn junit_is_the_report_of_the_operator() {
        let map = json!({"metadata": {"name": "pr-7-junit"}, "data": {"junit.xml": "<testsuites/>\n"}});
        let there = get("/api/v1/namespaces/team/configmaps/pr-7-junit").answers(map);
        let (exit, text) = results(ResultsFormat::Junit, vec![there]).await;
        assert_eq!((exit.unwrap(), text.as_str()), (Exit::Failed, "<testsuites/>\n"));
    }

    #[tokio::test]
    async fn a_page_has_the_ends_of_logs_and_the_last_green_run() {
        let log = |pod: &str| get(format!("/api/v1/namespaces/team/pods/{pod}/log")).query("tailLines", "40");
        let mut green = fixtures::green_object();
        green["status"]["timestamps"] =
            json!({"started": "2026-11-25T10:00:00Z", "finished": "2026-11-25T10:07:00Z"});
        let script = vec![
            get(RUNS).lists(&[fixtures::red_object(), green]),
            log("pr-7-build-spec-1").says("error: no such spec\n"),
            log("pr-7-build-srpm-2").refuses(ApiServer::NOT_FOUND, "gone"),
            log("pr-7-signatures-1").says(""),
        ];
        let (exit, text) = results(ResultsFormat::Html, script).await;
        assert_eq!(exit.unwrap(), Exit::Failed);
        assert!(text.contains("error: no such spec") && text.contains("That was pr-6"), "{text}");
    }

    #[tokio::test]
    async fn what_is_not_there_is_said_with_what_to_do() {
        let refused = |exchange: Exchange| async move {
            let args = Results { run: "x".into(), output: ResultsFormat::Table, exit_code: false };
            let (result, _) =
                testing::run([exchange], async |cluster, out| run(cluster, &args, out).await).await;
            result.unwrap_err().text()
        };
        insta::assert_snapshot!(refused(get(format!("{RUNS}/x"))).await);
        insta::assert_snapshot!(refused(get(format!("{RUNS}/x")).is_no_path()).await);
        let forbidden = get(format!("{RUNS}/x")).refuses(ApiServer::FORBIDDEN, "you may not");
        insta::assert_snapshot!(refused(forbidden).await);
    }
}
