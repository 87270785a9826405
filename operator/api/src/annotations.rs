//! Annotations: what users set, and what is too long for a label.

/// On a CoprInstance: every credential is made anew whenever the value changes. The Secrets carry the value that they were made for.
pub const ROTATION: &str = "copr.fedorainfracloud.org/rotate-credentials";
/// By it somebody hands over an object: its value is the name of the CoprInstance or CoprTestRun.
pub const ADOPT: &str = "copr.fedorainfracloud.org/adopt";
/// On a test's pod: the test's whole name, which a label can't hold.
pub const TEST: &str = "copr.fedorainfracloud.org/test-name";
