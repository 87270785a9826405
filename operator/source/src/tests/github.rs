//! A server that behaves as GitHub's API does, as far as commits and pull requests go: with versions of answers and pages.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use copr_operator_kernel::testing::{HttpRequest as Request, HttpServer as Server, Reply, reply};
use serde_json::{Value, json};

use super::{HEAD, MERGE};

const PAGE: usize = 100;

#[derive(Default)]
struct State {
    /// By commit and folder the last commit that touched it.
    commits: BTreeMap<(String, String), String>,
    pulls: BTreeMap<u64, Value>,
    files: BTreeMap<u64, Vec<Value>>,
    /// Answers that come instead, to requests whose line has this.
    faults: Vec<(&'static str, Reply)>,
}

pub struct GitHub {
    pub server: Server,
    state: Arc<Mutex<State>>,
}

impl GitHub {
    pub async fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let of_server = Arc::clone(&state);
        let server = Server::start(move |request| of_server.lock().unwrap().answer(request)).await;
        Self { server, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Seen from a commit, that one was the last to touch a folder.
    pub fn touched(&self, from: &str, folder: &str, last: &str) {
        self.state().commits.insert((from.into(), folder.into()), last.into());
    }

    /// An open pull request that changes these files; one that was renamed has its former name behind an arrow.
    pub fn pull(&self, number: u64, files: &[&str]) {
        let file = |file: &&str| match file.split_once(" <- ") {
            Some((now, before)) => json!({"filename": now, "previous_filename": before, "status": "renamed"}),
            None => json!({"filename": file, "status": "modified"}),
        };
        let pull = json!({
            "number": number, "state": "open", "head": {"sha": HEAD}, "merge_commit_sha": MERGE, "mergeable": true,
        });
        self.state().pulls.insert(number, pull);
        self.state().files.insert(number, files.iter().map(file).collect());
    }

    pub fn change_pull(&self, number: u64, field: &str, value: &Value) {
        self.state().pulls.get_mut(&number).unwrap()[field] = value.clone();
    }

    /// The next request of that kind is answered so.
    pub fn fails_once(&self, of: &'static str, how: Reply) {
        self.state().faults.push((of, how));
    }
}

impl State {
    fn answer(&mut self, request: &Request) -> Reply {
        let line = request.line();
        if let Some(at) = self.faults.iter().position(|(of, _)| line.contains(of)) {
            return self.faults.remove(at).1;
        }
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let query: BTreeMap<_, _> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let parts: Vec<_> = path.trim_matches('/').split('/').collect();
        let (body, next) = match parts.as_slice() {
            ["repos", _, _, "commits"] => (self.commits(&query), false),
            ["repos", _, _, "pulls", number] => (self.pulls.get(&number.parse().unwrap()).cloned(), false),
            ["repos", _, _, "pulls", number, "files"] => {
                let files = &self.files[&number.parse().unwrap()];
                let from = (query["page"].parse::<usize>().unwrap() - 1) * PAGE;
                let page: Vec<_> = files.iter().skip(from).take(PAGE).cloned().collect();
                (Some(json!(page)), files.len() > from + PAGE)
            }
            _ => (None, false),
        };
        let Some(body) = body else { return reply(404, json!({"message": "Not Found"})) };
        let version = format!(
            "\"{:x}\"",
            body.to_string().bytes().fold(7_u64, |hash, byte| hash * 31 % 999_983 + u64::from(byte))
        );
        if request.header("if-none-match") == version {
            return reply(304, "");
        }
        let answer = reply(200, body).with("ETag", version);
        if next { answer.with("Link", "<https://x/?page=2>; rel=\"next\"") } else { answer }
    }

    /// An unknown commit is 404, a folder without one an empty list.
    fn commits(&self, query: &BTreeMap<&str, &str>) -> Option<Value> {
        let folder = query["path"].replace("%2F", "/");
        let is_known = |from: &str| self.commits.keys().any(|(known, _)| known == from);
        let last = self.commits.get(&(query["sha"].to_owned(), folder));
        let found = last.map(|sha| json!({"sha": sha, "commit": {"message": "x"}}));
        is_known(query["sha"]).then(|| Value::Array(found.into_iter().collect()))
    }
}
