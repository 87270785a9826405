//! The ledger, from one look to the next.

use std::collections::BTreeMap;

use copr_operator_api::v1alpha1::CoprInstance;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::super::ledger::*;
use crate::sweep::used::Used;

const HASH: &str = "0d97038ad8b1b616d26990abe2eeb603";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn instance(namespace: &str, registry: &serde_json::Value, hash: &str) -> CoprInstance {
    serde_json::from_value(json!({
        "apiVersion": "copr.fedorainfracloud.org/v1alpha1",
        "kind": "CoprInstance",
        "metadata": {"name": "demo", "namespace": namespace},
        "spec": {
            "packages": {"repositories": [{"name": "main", "baseURL": "https://example.org/"}]},
            "registry": registry,
            "chroots": ["fedora-44-x86_64"],
        },
        "status": {"packages": {"specHash": "", "images": [{"component": "keygen", "inputHash": hash}]}},
    }))
    .unwrap()
}

fn asking(hash: &str) -> CoprInstance {
    instance("team", &json!({"url": "quay.io/team", "retention": "1h", "deleteUnused": true}), hash)
}

fn noted(instances: &[CoprInstance], second: i64) -> Ledger {
    let mut ledger = Ledger::default();
    ledger.note(asked(instances, at(second)), instances, at(second));
    ledger
}

fn used(text: &str) -> Used {
    let mut used = Used::default();
    used.add(&json!(text));
    used
}

#[test]
fn an_image_expires_when_nobody_has_used_it_for_the_retention_of_its_registry() {
    let ledger = noted(&[asking(HASH)], 0);
    let nobody = Used::default();
    assert!(ledger.expired(&nobody, at(3599)).is_empty());
    let expired = ledger.expired(&nobody, at(3600));
    assert_eq!(expired, [(key("team", "quay.io/team"), format!("copr-keygen:{HASH}"))]);
    assert_eq!(
        ledger.stocks[&expired[0].0].reference(&expired[0].1),
        format!("quay.io/team/copr-keygen:{HASH}")
    );
    // Still in use, however long ago that was written down.
    assert!(ledger.expired(&used(HASH), at(9000)).is_empty());
}

#[test]
fn only_what_a_registry_asks_for_is_written_down() {
    for registry in [
        json!({"url": "quay.io/team", "retention": "1h"}),
        json!({"url": "quay.io/team", "deleteUnused": false}),
    ] {
        assert!(noted(&[instance("team", &registry, HASH)], 0).stocks.is_empty());
    }
}

#[test]
fn who_asks_no_more_has_nothing_deleted() {
    let mut ledger = noted(&[asking(HASH)], 0);
    let no_more = [instance("team", &json!({"url": "quay.io/team"}), "other")];
    ledger.note(asked(&no_more, at(1)), &no_more, at(1));
    assert!(ledger.expired(&Used::default(), at(99999)).is_empty());
    // But an instance that is gone leaves its wish behind.
    let mut ledger = noted(&[asking(HASH)], 0);
    ledger.note(BTreeMap::new(), &[], at(1));
    assert_eq!(ledger.expired(&Used::default(), at(99999)).len(), 1);
}

#[test]
fn the_longest_retention_of_all_who_push_there_counts() {
    let longer = |namespace| {
        instance(namespace, &json!({"url": "quay.io/team", "retention": "2h", "deleteUnused": true}), HASH)
    };
    for other in ["team", "elsewhere"] {
        let ledger = noted(&[asking(HASH), longer(other)], 0);
        assert!(ledger.expired(&Used::default(), at(7199)).is_empty(), "{other}");
        assert!(!ledger.expired(&Used::default(), at(7200)).is_empty(), "{other}");
    }
}

#[test]
fn a_use_is_written_down_now_and_then_whoever_uses_it() {
    let mut ledger = noted(&[asking(HASH)], 0);
    let first = ledger.clone();
    ledger.renew(&used(HASH), at(300));
    assert_eq!(ledger, first);
    ledger.renew(&used(HASH), at(360));
    assert_eq!(ledger.expired(&Used::default(), at(3959)), []);
    assert_eq!(ledger.expired(&Used::default(), at(3960)).len(), 1);
    assert_eq!(ledger.shortest(), Some(SignedDuration::from_hours(1)));
}

#[test]
fn a_registry_that_refuses_is_left_alone_for_a_day_or_until_its_spec_changes() {
    let mut ledger = noted(&[asking(HASH)], 0);
    let stock = key("team", "quay.io/team");
    assert!(ledger.refuse(&stock, "405 UNSUPPORTED", at(4000)));
    assert_eq!(ledger.expired(&Used::default(), at(4000 + 86399)), []);
    assert_eq!(ledger.expired(&Used::default(), at(4000 + 86400)).len(), 1);
    assert!(!ledger.refuse(&stock, "405 UNSUPPORTED", at(90400)), "it's no news");

    let secret =
        json!({"url": "quay.io/team", "retention": "1h", "deleteUnused": true, "pushSecret": {"name": "x"}});
    let mended = [instance("team", &secret, "other")];
    ledger.note(asked(&mended, at(90401)), &mended, at(90401));
    assert_eq!(ledger.expired(&Used::default(), at(90401)).len(), 1);
}

#[test]
fn what_can_not_be_read_is_kept_as_it_is() {
    let mut data = noted(&[asking(HASH)], 0).write().unwrap();
    data.insert("x".into(), "{not json".into());
    let ledger = Ledger::read(data.clone());
    assert_eq!(ledger.stocks.len(), 1);
    assert_eq!(ledger.write().unwrap(), data);
}

#[test]
fn entries_of_the_version_before_are_taken_over_once_their_registry_asks() {
    let old = format!(
        r#"{{"image":"quay.io/team/copr-redis:{HASH}","lastUsed":"1970-01-01T00:00:00Z","registry":{{"url":"quay.io/team","insecure":false,"retention":"1h"}},"namespace":"team"}}"#
    );
    let data = BTreeMap::from([("0123".to_owned(), old)]);
    let mut ledger = Ledger::read(data.clone());
    ledger.note(BTreeMap::new(), &[], at(99999));
    assert_eq!(ledger.write().unwrap(), data);
    assert!(ledger.expired(&Used::default(), at(99999)).is_empty(), "nobody asks");
    let living = [asking("other")];
    ledger.note(asked(&living, at(99999)), &living, at(99999));
    let expired: Vec<_> =
        ledger.expired(&Used::default(), at(99999)).into_iter().map(|(_, image)| image).collect();
    assert_eq!(expired, [format!("copr-redis:{HASH}")]);
}

#[test]
fn it_never_outgrows_its_config_map() {
    let mut ledger = noted(&[asking(HASH)], 0);
    let stock = ledger.stocks.values_mut().next().unwrap();
    for number in 0..20_000 {
        stock.images.insert(format!("copr-frontend:{number:032x}"), at(number));
    }
    let forgotten = ledger.shrink().unwrap();
    let size: usize = ledger.write().unwrap().values().map(String::len).sum();
    assert!(size <= SIZE_MAX && size > SIZE_MAX / 2, "{size}");
    let stock = ledger.stocks.values().next().unwrap();
    assert_eq!(stock.images.len() + forgotten, 20_001);
    assert!(stock.images.contains_key(&format!("copr-frontend:{:032x}", 19_999)), "the newest stay");
}
