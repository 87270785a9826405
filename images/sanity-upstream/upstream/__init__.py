"""Copr's own sanity suite, beaker-tests/Sanity/copr-cli-basic-operations and behave/, as a suite of the operator."""
