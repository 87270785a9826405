//! Client required: what is left of a run, as files.

use std::{
    collections::{BTreeMap, HashSet},
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use copr_operator_api::{
    evidence::CONDITION,
    v1alpha1::{CoprInstance, CoprTestRun},
};
use copr_operator_kernel::{conditions, report};
use kube::api::ListParams;

use super::{
    evidence,
    logs::{self, LogError},
    results, say,
};
use crate::{
    args::{Artifacts, RegistryAddress},
    cluster::{Cluster, typed},
    error::Error,
    model::{count, files, surroundings, tmt, verdict::Exit},
};

/// Where evidence goes.
const EVIDENCE: &str = "evidence";

pub async fn run(cluster: &Cluster, args: &Artifacts, out: &mut dyn Write) -> Result<Exit, Error> {
    let addresses = &args.registries.registry_address;
    write(cluster, &args.run, &Folder::new(&args.dir)?, None, addresses, out).await?;
    Ok(Exit::Fine)
}

/// With the instance as it was last seen: it may be gone.
pub async fn write(
    cluster: &Cluster,
    name: &str,
    folder: &Folder,
    seen: Option<&CoprInstance>,
    addresses: &[RegistryAddress],
    out: &mut dyn Write,
) -> Result<(), Error> {
    let whole = cluster.whole_run(name).await?;
    let run: CoprTestRun = typed(whole.clone())?;
    folder.write("run.yaml", &results::yaml(&whole)?)?;
    let status = run.status.clone().unwrap_or_default();
    if status.junit.is_some() {
        folder.write("junit.xml", &cluster.junit(&run).await?)?;
    }
    let logs = logs_of(cluster, &run, folder).await?;
    let entries = tmt::results(&run, &logs.there)
        .map_err(|error| Error::Render { what: "results.yaml", why: error.to_string() })?;
    folder.write("results.yaml", &entries)?;
    folder.write("results.html", &results::page(cluster, &run).await?)?;
    let hidden = surroundings(cluster, &run, folder, seen).await?;
    say(out, &format!("wrote {}, with {}", folder.path.display(), count(logs.there.len(), "log")))?;
    if !hidden.is_empty() {
        say(out, &format!("Not there, because you may not see them: {}.", hidden.join(", ")))?;
    }
    if !logs.gone.is_empty() {
        say(out, &format!("The pods of {} are gone, and their logs with them.", logs.gone.join(", ")))?;
    }
    for (test, why) in &logs.unread {
        say(out, &format!("The log of {test} isn't there, or not whole: {why}."))?;
    }
    if !status.phase.is_final() {
        say(out, &format!("The run is {}: this is what there was until now.", status.phase))?;
    } else if let Some(artifact) = status.evidence.and_then(|evidence| evidence.artifact) {
        say(out, &evidence(&artifact, addresses, folder).await)?;
    } else if !logs.gone.is_empty() || conditions::get(&status.conditions, CONDITION).is_some() {
        say(out, &format!("And {}.", logs::elsewhere(&run)))?;
    }
    Ok(())
}

/// What came of getting the evidence. Without it there is enough to look at.
async fn evidence(artifact: &str, addresses: &[RegistryAddress], folder: &Folder) -> String {
    match Box::pin(evidence::fetch(artifact, addresses, &folder.path.join(EVIDENCE))).await {
        Ok(got) => {
            let left_out = match got.left_out {
                0 => String::new(),
                number => format!(
                    "; {} left out, which are links or devices, or would lie elsewhere",
                    count(number, "file")
                ),
            };
            format!("and {EVIDENCE}/ out of the registry, with {}{left_out}", count(got.files, "file"))
        }
        Err(error) => format!(
            "More is in the registry, with the logs of the instance, and can't be had from here ({}); from where it can: oras pull {artifact}",
            report::chain(&error)
        ),
    }
}

/// The instance, events and pods; which of them may not be seen.
async fn surroundings(
    cluster: &Cluster,
    run: &CoprTestRun,
    folder: &Folder,
    seen: Option<&CoprInstance>,
) -> Result<Vec<&'static str>, Error> {
    let names = surroundings::Names::of(run);
    let params = ListParams::default();
    let mut hidden = Vec::new();
    let instance = match (seen, run.status.as_ref().and_then(|status| status.instance.as_ref())) {
        (Some(seen), _) => Some(seen.clone()),
        (None, Some(name)) => {
            may_see("instance.yaml", cluster.instances().get_opt(name).await, &mut hidden)?.flatten()
        }
        (None, None) => None,
    };
    if let Some(mut instance) = instance {
        instance.metadata.managed_fields = None;
        let text = serde_saphyr::to_string(&instance)
            .map_err(|error| Error::Render { what: "instance.yaml", why: error.to_string() })?;
        folder.write("instance.yaml", &text)?;
    }
    if let Some(list) = may_see("events.txt", cluster.events().list(&params).await, &mut hidden)? {
        folder.write("events.txt", &surroundings::events(&names, &list.items))?;
    }
    if let Some(list) = may_see("pods.txt", cluster.pods().list(&params).await, &mut hidden)? {
        folder.write("pods.txt", &surroundings::pods(&names, &list.items))?;
    }
    Ok(hidden)
}

fn may_see<T>(
    what: &'static str,
    answer: kube::Result<T>,
    hidden: &mut Vec<&'static str>,
) -> Result<Option<T>, Error> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(kube::Error::Api(status)) if status.code == 403 => {
            hidden.push(what);
            Ok(None)
        }
        Err(error) => Err(Error::api(format!("read what {what} is made of"))(error)),
    }
}

/// The logs of a run's tests, by the names of the tests.
#[derive(Default)]
struct Logs {
    /// Where they are in the folder.
    there: BTreeMap<String, String>,
    /// Which pods are gone.
    gone: Vec<String>,
    /// Why others can't be read, such as those of a node that is down.
    unread: Vec<(String, String)>,
}

/// Each in a folder of its own.
async fn logs_of(cluster: &Cluster, run: &CoprTestRun, folder: &Folder) -> Result<Logs, Error> {
    let mut logs = Logs::default();
    let mut taken = HashSet::from([EVIDENCE.to_owned()]);
    for test in run.status.iter().flat_map(|status| &status.tests) {
        let Some(pod) = &test.pod else { continue };
        let path = format!("{}/output.txt", files::name(&test.name, &mut taken));
        let mut file = BufWriter::new(folder.create(&path)?);
        let shown = logs::show(cluster, pod, false, &mut file).await;
        let flushed = file.flush();
        drop(file);
        match shown {
            Ok(()) => {
                flushed.map_err(Error::file("write", folder.path.join(&path)))?;
                logs.there.insert(test.name.clone(), path);
            }
            Err(LogError::Write(source)) => {
                return Err(Error::file("write", folder.path.join(&path))(source));
            }
            // A pod that is gone (404), or never started (400).
            Err(LogError::Api(kube::Error::Api(status))) if matches!(status.code, 400 | 404) => {
                folder.remove(&path)?;
                logs.gone.push(test.name.clone());
            }
            Err(error) => {
                let why = logs::gone(error, pod, run, cluster).text();
                logs.unread.push((test.name.clone(), why));
            }
        }
    }
    Ok(logs)
}

/// The folder that is written.
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    pub fn new(path: &Path) -> Result<Self, Error> {
        match fs::read_dir(path).map(|mut entries| entries.next().is_some()) {
            Ok(false) => {}
            Ok(true) => {
                return Err(Error::Said(format!(
                    "there is something in {} already: name a folder that is empty or not there",
                    path.display()
                )));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(path).map_err(Error::file("make the folder", path))?;
            }
            Err(error) => return Err(Error::file("look into", path)(error)),
        }
        Ok(Self { path: path.to_owned() })
    }

    fn create(&self, name: &str) -> Result<File, Error> {
        let path = self.path.join(name);
        let parent = path.parent().unwrap_or(&self.path);
        fs::create_dir_all(parent).map_err(Error::file("make the folder", parent))?;
        File::create(&path).map_err(Error::file("write", path))
    }

    fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        self.create(name)?.write_all(text.as_bytes()).map_err(Error::file("write", self.path.join(name)))
    }

    /// A file, and the folder that it is alone in.
    fn remove(&self, name: &str) -> Result<(), Error> {
        let path = self.path.join(name);
        fs::remove_file(&path).map_err(Error::file("remove", &path))?;
        let parent = path.parent().unwrap_or(&self.path);
        fs::remove_dir(parent).map_err(Error::file("remove", parent))
    }
}

#[cfg(test)]
mod tests {
    use copr_operator_kernel::testing::{ApiServer, Exchange, get};
    use serde_json::{Value, json};

    use super::*;
    use crate::{args::Registries, commands::testing, model::fixtures};

    const RUN: &str = "/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/team/coprtestruns/pr-7";

    /// Not the registry of the fixtures, but none.
    fn nowhere() -> Registries {
        Registries { registry_address: vec!["quay.io=127.0.0.1:1".parse().unwrap()] }
    }

    fn log(test: &str, attempt: i32) -> Exchange {
        get(format!("/api/v1/namespaces/team/pods/pr-7-{test}-{attempt}/log"))
    }

    #[tokio::test]
    async fn what_is_left_is_written_and_what_is_gone_is_said() {
        let map = json!({"metadata": {"name": "pr-7-junit"}, "data": {"junit.xml": "<testsuites/>\n"}});
        let script = [
            get(RUN).answers(fixtures::red_object()),
            get("/api/v1/namespaces/team/configmaps/pr-7-junit").answers(map),
            log("project-lifecycle", 1).refuses(ApiServer::NOT_FOUND, "no such pod"),
            log("build-spec", 1).says("one\ntwo\n"),
            log("build-srpm", 2).refuses(ApiServer::NOT_FOUND, "no such pod"),
            log("webui", 2).says("three\n"),
            log("chroots", 1).says(""),
            log("modules", 1).says(""),
            log("signatures", 1).says(""),
            get("/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/team/coprtestruns").lists(&[]),
            log("build-spec", 1).query("tailLines", "40").says("two\n"),
            log("build-srpm", 2).refuses(ApiServer::NOT_FOUND, "no such pod"),
            log("signatures", 1).says(""),
            get("/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/team/coprinstances/pr-7")
                .answers(fixtures::instance_object("pr-7", json!({}))),
            get("/api/v1/namespaces/team/events").refuses(ApiServer::FORBIDDEN, "you may not"),
            get("/api/v1/namespaces/team/pods").lists(&[json!({"metadata": {"name": "pr-7-webui-2"}})]),
        ];
        let folder = testing::Folder::new();
        let args = Artifacts { run: "pr-7".into(), dir: folder.path().join("out"), registries: nowhere() };
        let (exit, text) = testing::run(script, async |cluster, out| run(cluster, &args, out).await).await;
        assert_eq!(exit.unwrap(), Exit::Fine);
        assert!(text.contains("The pods of project-lifecycle, build-srpm are gone"), "{text}");
        assert!(text.contains("can't be had from here ("), "{text}");
        assert!(text.contains("oras pull quay.io/you/copr-evidence@sha256:ee"), "{text}");
        let read = |name: &str| fs::read_to_string(args.dir.join(name)).unwrap();
        assert_eq!(read("build-spec/output.txt"), "one\ntwo\n");
        assert!(read("results.html").contains("build-spec"));
        assert_eq!(read("junit.xml"), "<testsuites/>\n");
        let entries: Value = serde_saphyr::from_str(&read("results.yaml")).unwrap();
        assert_eq!(entries[1]["log"], json!(["build-spec/output.txt"]));
        assert_eq!(entries[0].get("log"), None);
        assert!(!args.dir.join("project-lifecycle").exists());
        assert!(read("instance.yaml").contains("kind: CoprInstance"));
        assert!(read("pods.txt").contains("pr-7-webui-2"));
        assert!(text.contains("because you may not see them: events.txt."), "{text}");

        // Once more into the same folder.
        let (result, _) = testing::run([], async |cluster, out| run(cluster, &args, out).await).await;
        assert!(result.unwrap_err().text().contains("name a folder that is empty"));
    }
}
