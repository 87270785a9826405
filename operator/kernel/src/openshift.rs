//! What goes wrong on OpenShift without `manifests/openshift`. Pure.

/// The ClusterRoles that `manifests/openshift` makes, or allows the operator to bind.
const ROLES: [&str; 4] =
    ["copr-builder-scc", "copr-image-builder-scc", "copr-test-scc", "system:image-builder"];
/// The SCC that pods ask for by name. Of such a pod the API server speaks of this SCC and no other.
const REQUIRED: &str = "copr-test";

/// What to do about an error of a RoleBinding or of a pod, if it is what the API server says where the operator was installed without the
/// overlay for OpenShift: the role or the SCC isn't there, or the operator may not hand it out.
pub fn hint(error: &str) -> Option<&'static str> {
    let names_role = ROLES.iter().any(|role| error.contains(&format!("\"{role}\"")));
    let not_there = names_role && error.contains("not found");
    let not_held = error.contains("rolebindings")
        && error.contains("attempting to grant RBAC permissions not currently held");
    let no_scc = error.contains(&format!("failed to retrieve the required SCC \"{REQUIRED}\""))
        || error.contains(&format!(
            "any security context constraint: provider \"{REQUIRED}\": Forbidden: not usable by user or serviceaccount"
        ));
    (not_there || not_held || no_scc).then_some(
        "on OpenShift the operator is installed with kubectl apply --server-side -k manifests/openshift",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_that_the_overlay_makes_is_missing() {
        let said = [
            r#"rolebindings "copr-image-builder-scc" not found"#,
            r#"clusterroles.rbac.authorization.k8s.io "copr-builder-scc" not found"#,
            r#"failed to apply RoleBinding demo-image-build-push: clusterrole.rbac.authorization.k8s.io "system:image-builder" not found"#,
            r#"rolebindings.rbac.authorization.k8s.io "demo-image-build" is forbidden: user "x" (groups=[]) is attempting to grant RBAC permissions not currently held: {APIGroups:[]}"#,
            r#"pods "pr-7-auth-1" is forbidden: failed to retrieve the required SCC "copr-test": securitycontextconstraints.security.openshift.io "copr-test" not found"#,
            r#"pods "pr-7-auth-1" is forbidden: unable to validate against any security context constraint: provider "copr-test": Forbidden: not usable by user or serviceaccount"#,
        ];
        for error in said {
            assert!(hint(error).is_some_and(|hint| hint.contains("manifests/openshift")), "{error}");
        }
    }

    #[test]
    fn nothing_else_is_taken_for_it() {
        let said = [
            r#"pods "x" is forbidden: unable to validate against any security context constraint: [provider "anyuid": Forbidden: not usable by user or serviceaccount, provider "copr-test": Forbidden: not usable by user or serviceaccount]"#,
            r#"namespaces "team" not found"#,
            r#"rolebindings.rbac.authorization.k8s.io "x" is forbidden: unable to create new content in namespace team because it is being terminated"#,
            r#"clusterroles.rbac.authorization.k8s.io "somebody-elses" not found"#,
        ];
        assert_eq!(said.iter().filter_map(|error| hint(error)).count(), 0);
    }
}
