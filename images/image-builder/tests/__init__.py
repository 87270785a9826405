"""Unit tests of build_image: python3 -B -m unittest discover --start-directory tests --top-level-directory ."""
