//! Repositories over HTTP that get their packages while an instance waits for them.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Mutex, PoisonError},
};

use copr_operator_api::{
    images::Image,
    status::images::{NOT_YET_THERE, REQUIREMENT_UNMET},
    v1alpha1::{CoprInstanceSpec, ImageState, ImageStatus, MissingPackage, SuiteName},
};
use copr_operator_kernel::testing::{ApiServer, HttpServer as Server, reply, response};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::*;
use crate::build::builds::needed;

/// A web server with repositories, by folder.
#[derive(Clone, Default)]
struct Mirror(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl Mirror {
    async fn start(&self) -> Server {
        let files = Arc::clone(&self.0);
        Server::start(move |request| {
            let files = files.lock().unwrap_or_else(PoisonError::into_inner);
            match files.get(&request.path) {
                Some(body) if body == b"away" => reply(503, ""),
                Some(body) => response(200).body(body.clone()).into(),
                None => reply(404, ""),
            }
        })
        .await
    }

    /// A folder has these packages, as name, release and source package, from now on.
    fn serve(&self, folder: &str, packages: &[(&str, &str, &str)]) {
        let mut primary = format!("<?xml version=\"1.0\"?><metadata packages=\"{}\">", packages.len());
        for (name, release, source) in packages {
            write!(
                primary,
                "<package type=\"rpm\"><name>{name}</name><arch>noarch</arch><version epoch=\"0\" ver=\"1\" rel=\"{release}\"/>\
                 <checksum type=\"sha256\" pkgid=\"YES\">{name}{release}</checksum><summary/><location href=\"x.rpm\"/><format>\
                 <rpm:sourcerpm>{source}-1-{release}.src.rpm</rpm:sourcerpm><rpm:provides><rpm:entry name=\"{name}\"/>\
                 </rpm:provides></format></package>"
            )
            .unwrap();
        }
        primary.push_str("</metadata>");
        let checksum = hex::encode(Sha256::digest(&primary));
        let repomd = format!(
            "<repomd><data type=\"primary\"><checksum type=\"sha256\">{checksum}</checksum>\
             <location href=\"repodata/primary.xml\"/><timestamp>1</timestamp><size>{}</size></data></repomd>",
            primary.len()
        );
        self.put(folder, "repomd", repomd.into_bytes());
        self.put(folder, "primary", primary.into_bytes());
    }

    fn put(&self, folder: &str, file: &str, body: Vec<u8>) {
        let path = format!("/{folder}/repodata/{file}.xml");
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path, body);
    }
}

/// An instance over time, with main's repository and one of a pull request that wins over it.
struct World {
    mirror: Mirror,
    server: Server,
    provider: Provider,
    spec: CoprInstanceSpec,
    packages: Option<PackagesStatus>,
    now: Timestamp,
}

impl World {
    async fn new(require: Value) -> Self {
        let mirror = Mirror::default();
        let server = mirror.start().await;
        let provider = Provider::new(None).unwrap();
        let spec = json!({
            "chroots": ["fedora-44-x86_64"],
            "packages": {"repositories": [
                {"name": "main", "baseURL": format!("{}/main/", server.url), "priority": 50},
                {"name": "pr", "baseURL": format!("{}/pr/", server.url), "priority": 10},
            ], "require": require},
            "registry": {"url": "quay.io/team"},
        });
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        mirror.serve("main", &[("copr-frontend", "1.git.1.aaaaaaa.fc44", "copr-frontend")]);
        let spec = serde_json::from_value(spec).unwrap();
        Self { mirror, server, provider, spec, packages: None, now }
    }

    /// What the condition would be, as status, reason and message; nothing once images can be made.
    async fn look(&mut self) -> Option<(String, String, Option<u64>)> {
        self.try_look().await.unwrap().map(|(finding, again)| {
            assert_eq!(finding.status, "False");
            (finding.reason, finding.message, again.map(|again| again.as_secs()))
        })
    }

    async fn try_look(&mut self) -> Result<Option<Held>, Error> {
        let api = ApiServer::expects(Vec::new());
        let client = api.client();
        let owner = json!({"apiVersion": "v", "kind": "CoprInstance", "name": "demo", "uid": "0a1b2c"});
        let wanted = Wanted {
            client: &client,
            name: "demo".into(),
            namespace: "team".into(),
            owner: serde_json::from_value(owner).unwrap(),
            generation: Some(1),
            spec: &self.spec,
        };
        let spec = self.spec.packages.as_ref().unwrap();
        let held = self.provider.hold(&wanted, spec, &mut self.packages, self.now).await;
        // As it is read back from the API server.
        let status = serde_json::to_value(&self.packages).unwrap();
        self.packages = serde_json::from_value(status).unwrap();
        held
    }

    fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    fn looks(&self) -> usize {
        self.server.asked().iter().filter(|line| line.ends_with("/main/repodata/repomd.xml")).count()
    }

    fn wait(&self) -> PackagesWait {
        self.packages.as_ref().unwrap().wait.clone().unwrap()
    }
}

fn frontend(timeout: &str) -> Value {
    json!({"commits": {"copr-frontend": ["bbbbbbbbbbbb", "cccccccccccc"]}, "timeout": timeout})
}

const PR: (&str, &str, &str) = ("copr-frontend", "1.git.2.ccccccc.fc44", "copr-frontend");

#[tokio::test]
async fn a_package_is_waited_for_and_what_is_there_instead_is_told() {
    let mut world = World::new(frontend("2h")).await;
    let (reason, message, again) = world.look().await.unwrap();
    assert_eq!(reason, NOT_YET_THERE);
    assert_eq!(
        message,
        "waits until 2027-01-15T10:00:00Z (require.timeout 2h) for copr-frontend of commit bbbbbbbbbbbb or cccccccccccc: \
         there is copr-frontend-1-1.git.1.aaaaaaa.fc44.noarch (main)"
    );
    assert_eq!(again, Some(60));
    let missing = MissingPackage {
        name: "copr-frontend".into(),
        wanted: "of commit bbbbbbbbbbbb or cccccccccccc".into(),
        found: Some("copr-frontend-1-1.git.1.aaaaaaa.fc44.noarch (main)".into()),
    };
    assert_eq!(world.wait().missing, [missing]);
    world.pass(60);
    assert_eq!(world.look().await.unwrap().1, message, "the words stay while nothing changes");
    world.mirror.serve("pr", &[PR]);
    world.pass(60);
    assert_eq!(world.look().await, None);
    assert_eq!((world.wait().missing, world.wait().over.unwrap().0), (Vec::new(), world.now));
}

#[tokio::test]
async fn repositories_are_looked_at_once_a_minute_however_often_the_instance_is() {
    let mut world = World::new(frontend("2h")).await;
    world.look().await.unwrap();
    world.pass(20);
    assert_eq!(world.look().await.unwrap().2, Some(40));
    world.pass(39);
    assert_eq!(world.look().await.unwrap().2, Some(1));
    assert_eq!(world.looks(), 1);
    world.pass(1);
    assert_eq!(world.look().await.unwrap().2, Some(60));
    assert_eq!(world.looks(), 2);
}

#[tokio::test]
async fn at_the_end_of_its_time_the_requirement_is_unmet_until_the_spec_changes() {
    let mut world = World::new(frontend("90s")).await;
    world.look().await.unwrap();
    world.pass(60);
    assert_eq!(world.look().await.unwrap().2, Some(30), "no longer than the time that is left");
    world.pass(30);
    let (reason, message, again) = world.look().await.unwrap();
    assert_eq!((reason.as_str(), again), (REQUIREMENT_UNMET, None));
    assert!(
        message.starts_with("the repositories didn't have within 90s (require.timeout): copr-frontend of")
    );
    // Not even what comes later changes that.
    world.mirror.serve("pr", &[PR]);
    world.pass(600);
    assert_eq!(world.look().await.unwrap().0, REQUIREMENT_UNMET);
    assert_eq!(world.looks(), 2);
    world.spec.packages.as_mut().unwrap().require.as_mut().unwrap().timeout = Some("91s".into());
    assert_eq!(world.look().await, None);
}

#[tokio::test]
async fn an_operator_that_is_started_again_waits_no_longer_for_that() {
    let mut world = World::new(frontend("90s")).await;
    world.look().await.unwrap();
    world.pass(80);
    world.provider = Provider::new(None).unwrap();
    assert_eq!(world.look().await.unwrap().2, Some(10));
    assert_eq!(world.looks(), 2);
}

#[tokio::test]
async fn without_a_time_to_wait_commits_are_refused_at_once_and_other_requirements_not_looked_for() {
    let mut require = frontend("1h");
    require.as_object_mut().unwrap().remove("timeout");
    let mut world = World::new(require).await;
    let (reason, message, again) = world.look().await.unwrap();
    assert_eq!((reason.as_str(), again), (REQUIREMENT_UNMET, None));
    assert!(message.starts_with("the repositories didn't have: copr-frontend of commit"), "{message}");
    let mut world = World::new(json!({"packages": {"copr-frontend": "bbbbbbb"}})).await;
    assert_eq!((world.look().await, world.looks()), (None, 0));
}

#[tokio::test]
async fn every_form_of_a_requirement_can_be_waited_for() {
    for (require, told) in [
        (
            json!({"commit": "cccccccc"}),
            "a package of commit cccccccc from pr: there is nothing of that name",
        ),
        (
            json!({"packages": {"copr-frontend": "cccccccc"}}),
            "copr-frontend of commit cccccccc: there is copr-",
        ),
        (
            json!({"packages": {"copr-frontend": "1-1.git.2.ccccccc.fc44"}}),
            "copr-frontend 1-1.git.2.ccccccc.fc44:",
        ),
        (
            json!({"versions": {"copr-frontend": "1-1.git.2.ccccccc.fc44"}}),
            "copr-frontend 1-1.git.2.ccccccc.fc44:",
        ),
        (
            json!({"packages": {"copr-web": "cccccccc"}}),
            "copr-web of commit cccccccc: there is nothing of that name",
        ),
    ] {
        let mut timed = require.clone();
        timed["timeout"] = json!("1h");
        let mut world = World::new(timed).await;
        let (reason, message, _) = world.look().await.unwrap();
        assert_eq!(reason, NOT_YET_THERE, "{require}");
        assert!(message.contains(told), "{message}");
        // Of the last one it's the source package that has the name.
        world.mirror.serve("pr", &[PR, ("copr-web-ui", "1.git.2.ccccccc.fc44", "copr-web")]);
        world.pass(60);
        assert_eq!(world.look().await, None, "{require}");
    }
}

#[tokio::test]
async fn a_repository_that_is_away_is_an_error_and_its_time_goes_on() {
    let mut world = World::new(frontend("90s")).await;
    world.mirror.put("main", "repomd", b"away".into());
    assert_eq!(world.try_look().await.unwrap_err().reason(), condition::REPOSITORY_UNREADABLE);
    let since = world.wait().since;
    world.pass(30);
    world.mirror.serve("main", &[]);
    assert_eq!(world.look().await.unwrap().2, Some(60));
    assert_eq!(world.wait().since, since);
}

#[tokio::test]
async fn an_instance_that_has_what_is_required_is_left_alone_and_another_looks_again() {
    let mut world = World::new(frontend("1h")).await;
    let installed = InstalledPackage {
        nevra: "copr-frontend-1-1.git.2.ccccccc.fc44.noarch".into(),
        repository: "pr".into(),
        source: None,
    };
    let images = needed(&world.spec).into_iter().map(|image| ImageStatus {
        component: image.key().into(),
        state: ImageState::Pushed,
        packages: if image == Image::Frontend { vec![installed.clone()] } else { Vec::new() },
        ..ImageStatus::default()
    });
    let hash = spec_hash::spec_hash(&world.spec);
    let built = PackagesStatus { spec_hash: hash, images: images.collect(), ..PackagesStatus::default() };
    world.packages = Some(built.clone());
    assert_eq!((world.look().await, world.looks()), (None, 0));
    // A suite that is added changes nothing of what is there.
    world.spec.tests.suites.push(SuiteName::Upstream);
    assert_eq!((world.look().await, world.looks()), (None, 0));
    world.spec.tests.suites.pop();
    // Another commit is required of the same repositories: what was built from them counts no more once they have it.
    let require = world.spec.packages.as_mut().unwrap().require.as_mut().unwrap();
    require.commits = Some([("copr-frontend".to_owned(), vec!["ddddddd".to_owned()])].into());
    assert_eq!(world.look().await.unwrap().0, NOT_YET_THERE);
    assert_eq!(world.packages.as_ref().unwrap().images, built.images, "what runs goes on");
    world.mirror.serve("pr", &[("copr-frontend", "1.git.3.ddddddd.fc44", "copr-frontend")]);
    world.pass(60);
    assert_eq!(world.look().await, None);
    assert_eq!(world.packages.as_ref().unwrap().spec_hash, "");
}
