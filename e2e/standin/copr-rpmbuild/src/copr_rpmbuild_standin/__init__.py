"""Stand-in for copr-rpmbuild: the program that Copr's backend starts on a builder.

It keeps the contract of the real one (command line, main.ini, task JSON, files in the result
folder) and builds with `standin-chroot` where the real one calls Mock.
"""

VERSION = "1.8"
