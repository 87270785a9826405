//! A CloudEvent 1.0 in structured mode.
//!
//! The crate cloudevents-sdk has builders, validation and bindings for a dozen attributes that are constant here.

use copr_operator_api::v1alpha1::ReportEvent;
use serde_json::{Value, json};

use super::summary;
use crate::news::News;

/// The event.
pub fn event(news: &News<'_>) -> Value {
    let mut data = json!({
        "name": news.name,
        "namespace": news.namespace,
        "uid": news.uid,
        "source": news.source,
        "instance": news.status.instance,
        "startedAt": news.started,
        "message": summary(news),
    });
    let kind = match news.event() {
        ReportEvent::Started => "started",
        ReportEvent::Finished => {
            data["phase"] = json!(news.status.phase);
            data["summary"] = json!(news.status.summary);
            data["finishedAt"] = json!(news.finished);
            data["images"] = json!(news.status.images);
            data["packages"] = json!(news.status.packages);
            data["tests"] = json!(news.status.tests);
            "finished"
        }
    };
    json!({
        "specversion": "1.0",
        // The same one each time that it's sent, so that who gets it twice can tell.
        "id": format!("{}-{kind}", news.uid),
        "source": format!(
            "/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/{}/coprtestruns/{}",
            news.namespace, news.name
        ),
        "type": format!("org.fedorainfracloud.copr.testrun.{kind}"),
        "subject": news.name,
        "time": news.finished.unwrap_or(news.started),
        "datacontenttype": "application/json",
        "data": data,
    })
}
