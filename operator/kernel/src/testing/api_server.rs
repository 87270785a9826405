//! An API server that a test writes the script of: which requests come, one after the other, and how each is answered. Whatever
//! comes beside, or doesn't come, fails the test when the server is dropped.
//!
//! It is kube's own way to test what needs a client (`tower_test::mock`): no socket, and nothing to wait for.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use kube::{Client, client::Body};
use serde_json::{Value, json};

/// A request that came.
#[derive(Clone, Debug)]
pub struct Request {
    /// Such as `GET`.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// Decoded.
    pub query: BTreeMap<String, String>,
    /// Null if there was none.
    pub body: Value,
}

/// How the API server says no: code and reason.
pub type Refusal = (u16, &'static str);

/// The refusals that callers tell apart.
impl ApiServer {
    /// There is no such object.
    pub const NOT_FOUND: Refusal = (404, "NotFound");
    /// Who asks may not, or an admission plugin says no.
    pub const FORBIDDEN: Refusal = (403, "Forbidden");
    /// There is an object of that name.
    pub const ALREADY_EXISTS: Refusal = (409, "AlreadyExists");
    /// It isn't the object, or the version of it, that was meant.
    pub const CONFLICT: Refusal = (409, "Conflict");
    /// The object breaks a rule.
    pub const INVALID: Refusal = (422, "Invalid");
    /// The API server is unwell.
    pub const INTERNAL_ERROR: Refusal = (500, "InternalError");
}

/// A request that is to come, and its answer.
#[derive(Debug)]
pub struct Exchange {
    method: &'static str,
    path: String,
    query: Vec<(&'static str, String)>,
    body: Option<Value>,
    /// None: what was sent, as the API server answers a write.
    answer: Option<Answer>,
}

#[derive(Debug)]
enum Answer {
    Json(u16, Value),
    Text(String),
    NoSuchPath,
    CutOff,
    Never,
}

/// A read; by default there is no such object.
pub fn get(path: impl Into<String>) -> Exchange {
    exchange("GET", path).refuses(ApiServer::NOT_FOUND, "there is none")
}

/// A creation; by default of what was sent.
pub fn post(path: impl Into<String>) -> Exchange {
    exchange("POST", path)
}

/// A change; by default to what was sent.
pub fn patch(path: impl Into<String>) -> Exchange {
    exchange("PATCH", path)
}

/// A replacement; by default by what was sent.
pub fn put(path: impl Into<String>) -> Exchange {
    exchange("PUT", path)
}

/// A deletion; by default it is done.
pub fn delete(path: impl Into<String>) -> Exchange {
    let done =
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 200});
    exchange("DELETE", path).answers(done)
}

fn exchange(method: &'static str, path: impl Into<String>) -> Exchange {
    Exchange { method, path: path.into(), query: Vec::new(), body: None, answer: None }
}

impl Exchange {
    /// The query has this, among others.
    #[must_use]
    pub fn query(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.query.push((key, value.into()));
        self
    }

    /// The body has this, among others; a list has as many elements as this one.
    #[must_use]
    pub fn body(mut self, has: Value) -> Self {
        self.body = Some(has);
        self
    }

    /// With an object.
    #[must_use]
    pub fn answers(mut self, object: Value) -> Self {
        self.answer = Some(Answer::Json(200, object));
        self
    }

    /// With a list.
    #[must_use]
    pub fn lists(self, items: &[Value]) -> Self {
        self.answers(json!({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": items}))
    }

    /// With text, as it answers of a log.
    #[must_use]
    pub fn says(mut self, text: &str) -> Self {
        self.answer = Some(Answer::Text(text.to_owned()));
        self
    }

    /// In these words.
    #[must_use]
    pub fn refuses(mut self, refusal: Refusal, message: &str) -> Self {
        self.answer = Some(refuse(refusal, message));
        self
    }

    /// As the API server answers of a group or version that it doesn't serve: in plain text, without a Status.
    #[must_use]
    pub fn is_no_path(mut self) -> Self {
        self.answer = Some(Answer::NoSuchPath);
        self
    }

    /// The connection ends instead.
    #[must_use]
    pub fn is_cut_off(mut self) -> Self {
        self.answer = Some(Answer::CutOff);
        self
    }

    /// The connection stays, and nothing comes.
    #[must_use]
    pub fn is_never_answered(mut self) -> Self {
        self.answer = Some(Answer::Never);
        self
    }

    /// What is different, if it isn't this request.
    fn differs_from(&self, request: &Request) -> Option<String> {
        let wanted = format!("{} {}", self.method, self.path);
        if (self.method, self.path.as_str()) != (request.method.as_str(), request.path.as_str()) {
            return Some(format!("{wanted} was to come"));
        }
        let query = |(key, value): &&(&str, String)| request.query.get(*key).is_none_or(|has| has != value);
        if let Some((key, value)) = self.query.iter().find(query) {
            return Some(format!("{wanted} was to have {key}={value}"));
        }
        let body = self.body.as_ref().filter(|body| !has(&request.body, body))?;
        Some(format!("{wanted} was to have {body}"))
    }
}

/// Whether a value is the other, or an object that has more.
fn has(value: &Value, part: &Value) -> bool {
    match (value, part) {
        (Value::Object(all), Value::Object(part)) => {
            part.iter().all(|(key, part)| all.get(key).is_some_and(|value| has(value, part)))
        }
        (Value::Array(all), Value::Array(part)) => {
            all.len() == part.len() && all.iter().zip(part).all(|(value, part)| has(value, part))
        }
        _ => value == part,
    }
}

#[derive(Debug, Default)]
struct Course {
    /// What is still to come, the next one last.
    script: Vec<Exchange>,
    came: Vec<Request>,
    complaints: Vec<String>,
}

/// The API server.
pub struct ApiServer {
    client: Client,
    course: Arc<Mutex<Course>>,
}

impl ApiServer {
    /// One that expects these requests in this order. Called in a runtime of tokio.
    pub fn expects(script: impl IntoIterator<Item = Exchange>) -> Self {
        let mut script: Vec<_> = script.into_iter().collect();
        script.reverse();
        let course = Arc::new(Mutex::new(Course { script, ..Course::default() }));
        let (service, mut requests) = tower_test::mock::pair::<http::Request<Body>, http::Response<Body>>();
        let of_task = Arc::clone(&course);
        tokio::spawn(async move {
            let mut unanswered = Vec::new();
            while let Some((request, respond)) = requests.next_request().await {
                let request = read(request).await;
                match lock(&of_task).next(request) {
                    Answer::Json(code, body) => respond.send_response(response(code, body.to_string())),
                    Answer::Text(text) => respond.send_response(response(200, text)),
                    Answer::NoSuchPath => {
                        respond.send_response(response(404, "404 page not found\n".to_owned()));
                    }
                    Answer::CutOff => respond.send_error("the connection was cut off"),
                    Answer::Never => unanswered.push(respond),
                }
            }
        });
        Self { client: Client::new(service, "default"), course }
    }

    /// A client of it.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// What came so far.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.course).came.clone()
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let course = lock(&self.course);
        let missing: Vec<_> =
            course.script.iter().rev().map(|e| format!("{} {}", e.method, e.path)).collect();
        let (complaints, missing) = (course.complaints.join("\n"), missing.join("\n"));
        assert!(complaints.is_empty(), "{complaints}");
        assert!(missing.is_empty(), "these requests didn't come:\n{missing}");
    }
}

impl Course {
    fn next(&mut self, request: Request) -> Answer {
        let expected = self.script.pop();
        let complaint = match &expected {
            None => Some("nothing more was to come".to_owned()),
            Some(expected) => expected.differs_from(&request),
        };
        let sent = request.body.clone();
        let request_line = format!("{} {} {:?}", request.method, request.path, request.query);
        self.came.push(request);
        if let Some(complaint) = complaint {
            self.complaints.push(format!("{complaint}, but this came: {request_line} {sent}"));
            return refuse(ApiServer::INTERNAL_ERROR, "not in the script");
        }
        expected.and_then(|expected| expected.answer).unwrap_or(Answer::Json(200, sent))
    }
}

fn refuse((code, reason): Refusal, message: &str) -> Answer {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "code": code, "reason": reason, "message": message,
    });
    Answer::Json(code, status)
}

async fn read(request: http::Request<Body>) -> Request {
    let (head, body) = request.into_parts();
    let query = head.uri.query().unwrap_or_default();
    let body = body.collect_bytes().await.unwrap();
    Request {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        body: if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() },
    }
}

fn response(code: u16, body: String) -> http::Response<Body> {
    http::Response::builder().status(code).body(body.into_bytes().into()).unwrap()
}

fn lock(course: &Mutex<Course>) -> MutexGuard<'_, Course> {
    course.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::{Api, api::PostParams};

    use super::*;

    const FOLDER: &str = "/api/v1/namespaces/team/configmaps";

    /// Reads a ConfigMap and creates one.
    async fn converse(server: &ApiServer) {
        let maps: Api<ConfigMap> = Api::namespaced(server.client(), "team");
        maps.get_opt("a").await.ok();
        maps.create(&PostParams::default(), &ConfigMap::default()).await.ok();
    }

    #[tokio::test]
    async fn what_the_script_has_is_answered() {
        let server =
            ApiServer::expects([get(format!("{FOLDER}/a")), post(FOLDER).body(json!({"metadata": {}}))]);
        converse(&server).await;
    }

    #[tokio::test]
    #[should_panic(expected = "these requests didn't come:\nDELETE /x")]
    async fn a_request_that_does_not_come_fails_the_test() {
        let server = ApiServer::expects([get(format!("{FOLDER}/a")), post(FOLDER), delete("/x")]);
        converse(&server).await;
    }

    #[tokio::test]
    #[should_panic(expected = "nothing more was to come, but this came: POST")]
    async fn so_does_one_too_many() {
        let server = ApiServer::expects([get(format!("{FOLDER}/a"))]);
        converse(&server).await;
    }

    #[tokio::test]
    #[should_panic(expected = "was to have fieldManager=x")]
    async fn and_one_that_is_asked_otherwise() {
        let server =
            ApiServer::expects([get(format!("{FOLDER}/a")), post(FOLDER).query("fieldManager", "x")]);
        converse(&server).await;
    }

    #[tokio::test]
    #[should_panic(expected = r#"was to have {"data":{"a":"1"}}"#)]
    async fn or_has_another_body() {
        let body = json!({"data": {"a": "1"}});
        let server = ApiServer::expects([get(format!("{FOLDER}/a")), post(FOLDER).body(body)]);
        converse(&server).await;
    }
}
