"""Rules of the frontend, without HTTP."""
