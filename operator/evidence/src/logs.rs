//! Client required: logs of containers, as far as the kubelet still has them, without the instance's secrets.

use std::{io, pin::pin, time::Duration};

use copr_operator_kernel::report;
use futures::{AsyncReadExt as _, TryFutureExt as _};
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::LogParams};

use crate::{cut::Cut, error::Error, layer::Gzip, scrub::Scrubber};

/// A kubelet that says nothing for so long won't.
const SILENCE: Duration = Duration::from_secs(20);
const PIECE: usize = 1 << 16;

/// Who takes a log.
pub trait Sink {
    /// The next bytes of it.
    fn take(&mut self, bytes: &[u8]) -> impl Future<Output = Result<(), Error>> + Send;
}

impl Sink for Gzip<'_> {
    async fn take(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.write(bytes).await
    }
}

impl Sink for Vec<u8> {
    async fn take(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.extend_from_slice(bytes);
        Ok(())
    }
}

/// Which log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The pod.
    pub pod: String,
    /// Its container.
    pub container: String,
    /// Of the container before the last restart.
    pub previous: bool,
}

/// What is missing of a log that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Bytes of its middle.
    pub bytes: u64,
    /// Why it, or its end, couldn't be read.
    pub why: Option<String>,
}

/// Reads a log to its end, and gives away what is kept of it. An error is one of who takes it.
pub async fn read(
    pods: &Api<Pod>,
    source: &Source,
    scrubber: &Scrubber,
    mut cut: Cut,
    sink: &mut impl Sink,
) -> Result<Missing, Error> {
    let params = LogParams {
        container: Some(source.container.clone()),
        previous: source.previous,
        timestamps: true,
        ..LogParams::default()
    };
    let mut missing = Missing::default();
    let opened = within(pods.log_stream(&source.pod, &params).map_err(|error| report::chain(&error))).await;
    let mut clean = scrubber.stream();
    match opened {
        Err(why) => missing.why = Some(why),
        Ok(log) => {
            let mut log = pin!(log);
            let mut buffer = vec![0; PIECE];
            loop {
                match within(log.read(&mut buffer).map_err(|error: io::Error| error.to_string())).await {
                    Ok(0) => break,
                    Ok(n) => {
                        let piece = clean.push(buffer.get(..n).unwrap_or_default());
                        sink.take(cut.push(&piece)).await?;
                    }
                    Err(why) => {
                        missing.why = Some(why);
                        break;
                    }
                }
            }
        }
    }
    let rest = clean.finish();
    sink.take(cut.push(&rest)).await?;
    let (end, bytes) = cut.finish();
    missing.bytes = bytes;
    sink.take(&end).await?;
    Ok(missing)
}

async fn within<T>(answer: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let silent = |_| Err(format!("nothing came for {} s", SILENCE.as_secs()));
    tokio::time::timeout(SILENCE, answer).await.unwrap_or_else(silent)
}

#[cfg(test)]
mod tests {
    use copr_operator_kernel::testing::{ApiServer, Exchange, get};

    use super::*;
    use crate::scrub::Secrets;

    fn exchange() -> Exchange {
        get("/api/v1/namespaces/ci/pods/pr-7-auth-1/log")
            .query("container", "test")
            .query("timestamps", "true")
    }

    async fn log(exchange: Exchange, cut: Cut) -> (String, Missing) {
        let server = ApiServer::expects([exchange]);
        let mut secrets = Secrets::default();
        secrets.add("token", "tokentoken");
        let source = Source { pod: "pr-7-auth-1".into(), container: "test".into(), previous: false };
        let mut kept = Vec::new();
        let pods = Api::namespaced(server.client(), "ci");
        let scrubber = secrets.scrubber().unwrap();
        let missing = read(&pods, &source, &scrubber, cut, &mut kept).await.unwrap();
        (String::from_utf8(kept).unwrap(), missing)
    }

    #[tokio::test]
    async fn a_log_comes_whole_and_without_secrets() {
        let (kept, missing) =
            log(exchange().says("Authorization: tokentoken\nended\n"), Cut::new(1000, 10)).await;
        assert_eq!(kept, "Authorization: **********\nended\n");
        assert_eq!(missing, Missing::default());
    }

    #[tokio::test]
    async fn of_a_log_that_is_too_long_the_middle_is_missing() {
        let text = format!("begin\n{}\nend\n", "x".repeat(200_000));
        let (kept, missing) = log(exchange().says(&text), Cut::new(6, 5)).await;
        assert_eq!(kept, "begin\n\n[... 200000 bytes are left out here ...]\n\nend\n");
        assert_eq!(missing.bytes, 200_000);
    }

    #[tokio::test]
    async fn why_there_is_no_log_is_what_the_api_server_says() {
        let refused = exchange().refuses((400, "BadRequest"), "container \"test\" is waiting to start");
        let (kept, missing) = log(refused, Cut::new(6, 5)).await;
        assert_eq!(kept, "");
        assert!(missing.why.unwrap().contains("is waiting to start"));
    }
}
