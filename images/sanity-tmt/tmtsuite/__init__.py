"""A folder with fmf metadata, run by tmt, as a suite of the operator. Not called tmt: that is the program's own package."""
