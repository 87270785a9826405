"""Stand-in for copr-dist-git: imports Copr's source RPMs into git repositories.

The dispatcher, the workers and their registry in Redis are those of copr-common, as with the real one.
"""
