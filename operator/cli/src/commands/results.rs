//! Client required: how a run ended, in the format that is asked for.

use std::{collections::BTreeMap, io::Write};

use copr_operator_api::v1alpha1::CoprTestRun;
use kube::api::DynamicObject;

use super::say;
use crate::{
    args::{Results, ResultsFormat},
    cluster::{Cluster, typed},
    error::Error,
    model::{
        tables, tmt,
        verdict::{self, Exit},
    },
};

pub async fn run(cluster: &Cluster, args: &Results, out: &mut dyn Write) -> Result<Exit, Error> {
    let whole = cluster.whole_run(&args.run).await?;
    let run: CoprTestRun = typed(whole.clone())?;
    let text = match args.output {
        ResultsFormat::Table => tables::results(&run),
        ResultsFormat::Json => json(&whole)?,
        ResultsFormat::Yaml => yaml(&whole)?,
        ResultsFormat::Junit => cluster.junit(&run).await?,
        ResultsFormat::Tmt => tmt::results(&run, &BTreeMap::new())
            .map_err(|error| Error::Render { what: "results.yaml", why: error.to_string() })?,
        ResultsFormat::Html => return Err(Error::Said("not yet".into())),
    };
    say(out, &text)?;
    let phase = run.status.map(|status| status.phase).unwrap_or_default();
    Ok(if args.exit_code { verdict::exit(phase) } else { Exit::Fine })
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
