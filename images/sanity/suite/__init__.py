"""What the suites of this project share: verdict, log, evidence, and Copr's API for looking and for cleaning up."""
