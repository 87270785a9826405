//! What those who keep evidence of runs have in common: the pods of tests, the container in them, and the controller.

use k8s_openapi::jiff::SignedDuration;

/// The condition of a run that tells whether its evidence was kept. It's there once that is settled.
pub const CONDITION: &str = "EvidenceKept";

/// How long after the verdict evidence is collected. The instance of a template lives no longer for it.
pub const TIME: SignedDuration = SignedDuration::from_mins(3);

/// The name of the repository, after the prefix that a registry's images have in common.
pub const REPOSITORY: &str = "copr-evidence";
/// What kind of artifact it is.
pub const ARTIFACT_TYPE: &str = "application/vnd.copr.testrun.evidence.v1";

/// Where a test leaves what is to be kept.
pub const FOLDER: &str = "/evidence";
/// The container of a test's pod that keeps it.
pub const CONTAINER: &str = "evidence";
/// The command of the operator's image that does.
pub const COMMAND: [&str; 2] = ["evidence", "keep"];
/// So much of a folder is kept, in bytes before they are compressed.
pub const FOLDER_MAX: u64 = 64 << 20;

/// Where the container finds the credentials of the registry. Not mounted into the test's container.
pub const PUSH: &str = "/etc/copr-operator/push";
/// Where it finds the authority of the registry.
pub const AUTHORITY: &str = "/etc/copr-operator/ca";
/// Where it finds the client's configuration, whose login and token are no evidence.
pub const CLIENT: &str = "/etc/copr-operator/client/copr";
/// Environment variable: the repository to push to, with its registry.
pub const REPOSITORY_VARIABLE: &str = "EVIDENCE_REPOSITORY";
/// Environment variable: `true` if the registry needs no TLS that anybody knows.
pub const INSECURE_VARIABLE: &str = "EVIDENCE_INSECURE";
