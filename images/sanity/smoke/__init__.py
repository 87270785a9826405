"""The smoke suite: independent tests of a running Copr, through copr-cli and dnf."""
