//! The binary carries `images/`: a file that was added there must be in it, too.

fn main() {
    println!("cargo::rerun-if-changed=../../images");
}
