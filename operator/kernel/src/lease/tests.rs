//! Who may act.

use std::future::pending;

use serde_json::{Value, json};

use super::*;
use crate::testing::{ApiServer, Exchange, get, post, put};

const ALL: &str = "/apis/coordination.k8s.io/v1/namespaces/copr-operator/leases";
const ONE: &str = "/apis/coordination.k8s.io/v1/namespaces/copr-operator/leases/copr-operator";

fn lease(holder: Option<&str>, renewed: i64) -> Lease {
    let spec = LeaseSpec {
        holder_identity: holder.map(str::to_owned),
        lease_duration_seconds: Some(30),
        renew_time: Some(MicroTime(Timestamp::from_second(renewed).unwrap())),
        ..LeaseSpec::default()
    };
    Lease { spec: Some(spec), ..Lease::default() }
}

#[test]
fn a_lease_that_is_free_or_ones_own_is_taken_at_once() {
    let now = Instant::now();
    let mut last = None;
    assert_eq!(decide(None, "me", &mut last, now), Act::Create);
    assert_eq!(decide(Some(&lease(None, 0)), "me", &mut last, now), Act::Take);
    assert_eq!(decide(Some(&lease(Some("me"), 0)), "me", &mut last, now), Act::Renew);
}

#[test]
fn anothers_is_taken_only_when_it_was_not_renewed_for_its_duration_by_ones_own_clock() {
    let begin = Instant::now();
    let after = |seconds| begin + Duration::from_secs(seconds);
    let mut last = None;
    // However old the time in it is: clocks of two nodes may differ.
    assert_eq!(decide(Some(&lease(Some("other"), 0)), "me", &mut last, begin), Act::Nothing);
    assert_eq!(decide(Some(&lease(Some("other"), 0)), "me", &mut last, after(29)), Act::Nothing);
    assert_eq!(decide(Some(&lease(Some("other"), 5)), "me", &mut last, after(40)), Act::Nothing);
    assert_eq!(decide(Some(&lease(Some("other"), 5)), "me", &mut last, after(69)), Act::Nothing);
    assert_eq!(decide(Some(&lease(Some("other"), 5)), "me", &mut last, after(70)), Act::Take);
}

fn held_by(holder: &str) -> Value {
    json!({
        "metadata": {"name": "copr-operator", "resourceVersion": "7"},
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": 30, "leaseTransitions": 1},
    })
}

/// There is no Lease, and it's taken.
fn taken() -> [Exchange; 2] {
    [get(ONE), post(ALL).body(json!({"spec": {"holderIdentity": "me", "leaseDurationSeconds": 30}}))]
}

/// Competes until `shutdown`, by a clock that stands still while anything is to be done; returns how it ended.
async fn end(server: &ApiServer, shutdown: impl Future<Output = ()>) -> State {
    let (state, seen) = watch::channel(State::Waiting);
    hold(server.client(), "copr-operator", "me".into(), state, shutdown).await;
    *seen.borrow()
}

async fn after(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn the_holder_looks_every_two_seconds_renews_every_six_and_gives_the_lease_back_when_it_ends() {
    let mine = || get(ONE).answers(held_by("me"));
    let renewed = put(ONE)
        .body(json!({"metadata": {"resourceVersion": "7"}, "spec": {"holderIdentity": "me", "leaseTransitions": 1}}));
    let released = put(ONE).body(json!({"metadata": {"resourceVersion": "7"}}));
    let rest = [mine(), mine(), mine(), renewed, mine(), released];
    let server = ApiServer::expects(taken().into_iter().chain(rest));
    assert_eq!(end(&server, after(7)).await, State::Holding);
    assert_eq!(server.requests().last().unwrap().body["spec"].get("holderIdentity"), None);
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_is_cut_off_stops_before_another_may_take_over() {
    let begin = Instant::now();
    let cut_off = (0..10).map(|_| get(ONE).is_cut_off());
    let server = ApiServer::expects(taken().into_iter().chain(cut_off));
    assert_eq!(end(&server, pending()).await, State::Lost);
    assert!(begin.elapsed() < DURATION);
}

#[tokio::test(start_paused = true)]
async fn so_does_one_whose_requests_are_not_answered() {
    let begin = Instant::now();
    let silent = (0..3).map(|_| get(ONE).is_never_answered());
    let server = ApiServer::expects(taken().into_iter().chain(silent));
    assert_eq!(end(&server, pending()).await, State::Lost);
    assert!(begin.elapsed() < DURATION);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_is_not_held_up_by_an_api_server_that_does_not_answer() {
    let begin = Instant::now();
    let server = ApiServer::expects(taken().into_iter().chain([get(ONE).is_never_answered()]));
    assert_eq!(end(&server, after(1)).await, State::Holding);
    assert!(begin.elapsed() < Duration::from_secs(7));
}

#[tokio::test(start_paused = true)]
async fn of_two_that_take_it_at_a_time_the_slower_one_waits_and_gives_back_nothing() {
    let server = ApiServer::expects([
        get(ONE),
        post(ALL).refuses(ApiServer::ALREADY_EXISTS, "another was faster"),
        get(ONE).answers(held_by("")),
        put(ONE).refuses(ApiServer::CONFLICT, "another was faster again"),
        get(ONE).answers(held_by("other")),
    ]);
    assert_eq!(end(&server, after(5)).await, State::Waiting);
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_sees_another_in_the_lease_has_lost_it() {
    let server = ApiServer::expects(taken().into_iter().chain([get(ONE).answers(held_by("other"))]));
    assert_eq!(end(&server, pending()).await, State::Lost);
}

#[tokio::test(start_paused = true)]
async fn who_may_not_read_the_lease_waits() {
    let refused = || get(ONE).refuses(ApiServer::FORBIDDEN, "leases are forbidden");
    let server = ApiServer::expects([refused(), refused()]);
    assert_eq!(end(&server, after(3)).await, State::Waiting);
}
