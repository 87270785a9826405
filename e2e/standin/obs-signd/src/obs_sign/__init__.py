"""Stand-in for obs-sign: a signing daemon and its client."""
