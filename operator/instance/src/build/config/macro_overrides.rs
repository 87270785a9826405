//! The macro database that builders read at every SRPM build, served by the instance itself.

/// Renders the file. Without one, every SRPM build would ask a host on the internet and fail where there is none.
pub fn render() -> String {
    "{}\n".into()
}
