//! What built images are called, and what they are labelled with. Pure.

use copr_operator_api::images::Image;

/// The label of an image: which of its packages came from which repository of the spec.
pub const PACKAGES_LABEL: &str = "org.fedorainfracloud.copr.packages";
/// The label of an image: the source packages of those whose names differ from that.
pub const SOURCES_LABEL: &str = "org.fedorainfracloud.copr.sources";
/// The label of an image: the hash of its inputs.
pub const HASH_LABEL: &str = "org.fedorainfracloud.copr.input-hash";

/// The name under which an image is pushed.
pub fn reference(registry: &str, image: Image, hash: &str) -> String {
    format!("{registry}/copr-{}:{hash}", image.folder())
}
