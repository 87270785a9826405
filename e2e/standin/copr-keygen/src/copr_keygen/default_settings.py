"""Settings unless the file named by COPR_KEYGEN_CONFIG says otherwise."""

import logging

PHRASES_DIR = "/var/lib/copr-keygen/phrases/"
GPG_BINARY = "/usr/bin/gpg"
GNUPG_HOMEDIR = "/var/lib/copr-keygen/gnupg"

GPG_KEY_LENGTH = 2048
GPG_EXPIRE = "5y"

LOG_DIR = "/var/log/copr-keygen"
LOG_LEVEL = logging.INFO
