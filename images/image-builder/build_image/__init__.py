"""Builds one image of Copr in a pod: dnf installs, the registry gets the result and its SBOM."""
