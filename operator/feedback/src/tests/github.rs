//! A server that behaves as GitHub's API does, as far as reports go.

use std::sync::{Arc, Mutex};

use copr_operator_api::v1alpha1::CoprTestRun;
use copr_operator_kernel::testing::{ApiServer, HttpRequest, HttpServer, Reply, get};
use serde_json::{Value, json};

use super::{TOKEN, reply, report, secret};
use crate::{
    exchange::{self, Failure},
    forge::Forge,
    news::{self, Saying},
};

/// The robot that the token belongs to, and somebody else.
pub const ROBOT: u64 = 11;
pub const SOMEBODY: u64 = 12;
const PAGE: usize = 100;

#[derive(Default)]
struct State {
    statuses: Vec<Value>,
    comments: Vec<Value>,
    next_id: u64,
    /// Answers that come instead, to requests whose line has this.
    faults: Vec<(&'static str, Reply)>,
}

#[derive(Clone)]
pub struct GitHub {
    pub server: HttpServer,
    state: Arc<Mutex<State>>,
}

impl GitHub {
    pub async fn start() -> Self {
        let state = Arc::new(Mutex::new(State { next_id: 100, ..State::default() }));
        let of_server = state.clone();
        let server = HttpServer::start(move |request| of_server.lock().unwrap().answer(request)).await;
        Self { server, state }
    }

    /// The next request of that kind is answered so.
    pub fn fails_once(&self, of: &'static str, how: Reply) {
        self.state.lock().unwrap().faults.push((of, how));
    }

    /// A comment that is there.
    pub fn has_comment(&self, author: u64, body: &str) -> u64 {
        self.state.lock().unwrap().comment(author, body)
    }

    pub fn deletes_comment(&self, id: u64) {
        self.state.lock().unwrap().comments.retain(|comment| comment["id"] != id);
    }

    /// Author and text of each comment.
    pub fn comments(&self) -> Vec<(u64, String)> {
        let state = self.state.lock().unwrap();
        let of = |c: &Value| (c["user"]["id"].as_u64().unwrap(), c["body"].as_str().unwrap().to_owned());
        state.comments.iter().map(of).collect()
    }

    pub fn statuses(&self) -> Vec<Value> {
        self.state.lock().unwrap().statuses.clone()
    }
}

impl State {
    fn comment(&mut self, author: u64, body: &str) -> u64 {
        self.next_id += 1;
        self.comments.push(json!({"id": self.next_id, "body": body, "user": {"id": author}}));
        self.next_id
    }

    fn answer(&mut self, request: &HttpRequest) -> Reply {
        let line = request.line();
        if let Some(index) = self.faults.iter().position(|(of, _)| line.contains(of)) {
            return self.faults.remove(index).1;
        }
        if request.header("authorization") != format!("Bearer {TOKEN}") {
            return reply(401, json!({"message": "Bad credentials"}));
        }
        let path = request.bare_path();
        let segments: Vec<_> = path.trim_matches('/').split('/').collect();
        match (request.method.as_str(), segments.as_slice()) {
            ("GET", ["user"]) => reply(200, json!({"id": ROBOT})),
            ("POST", ["repos", "fedora-copr", "copr", "statuses", commit]) if commit.len() == 40 => {
                self.statuses.push(request.json());
                reply(201, json!({}))
            }
            ("GET", ["repos", "fedora-copr", "copr", "issues", "7", "comments"]) => self.page(request),
            ("POST", ["repos", "fedora-copr", "copr", "issues", "7", "comments"]) => {
                self.comment(ROBOT, request.json()["body"].as_str().unwrap());
                reply(201, json!({}))
            }
            ("PATCH", ["repos", "fedora-copr", "copr", "issues", "comments", id]) => {
                let id: u64 = id.parse().unwrap();
                match self.comments.iter_mut().find(|comment| comment["id"] == id) {
                    Some(comment) => {
                        comment["body"] = request.json()["body"].clone();
                        reply(200, json!({}))
                    }
                    None => reply(404, json!({"message": "Not Found"})),
                }
            }
            _ => reply(404, json!({"message": "Not Found"})),
        }
    }

    fn page(&self, request: &HttpRequest) -> Reply {
        let page: usize = request.path.rsplit_once("&page=").unwrap().1.parse().unwrap();
        let rest = self.comments.get((page - 1) * PAGE..).unwrap_or_default();
        let answer = reply(200, Value::from(rest.iter().take(PAGE).cloned().collect::<Vec<_>>()));
        if rest.len() > PAGE {
            answer.with("Link", "<https://x/?page=2>; rel=\"next\", <x>; rel=\"last\"")
        } else {
            answer
        }
    }
}

/// Says the status of the run, or its comment, with the token in the Secret `robot`.
pub async fn say(run: &CoprTestRun, comment: bool) -> Result<(), Failure> {
    let server = ApiServer::expects([
        get("/api/v1/namespaces/ci/secrets/robot").answers(secret(&[("token", &format!("{TOKEN}\n"))]))
    ]);
    let (client, http) = (server.client(), exchange::client().unwrap());
    let news = news::news(run).unwrap();
    let forge = async |spec| Forge::new((&client, "ci"), &http, spec, &news.source, crate::now()).await;
    for wanted in news::wanted(&news, report(run)) {
        match wanted.saying {
            Saying::Status(spec, status) if !comment => return forge(spec).await?.status(&status).await,
            Saying::Comment(spec, text) if comment => return forge(spec).await?.comment(&text).await,
            _ => {}
        }
    }
    panic!("there is nothing to say");
}
