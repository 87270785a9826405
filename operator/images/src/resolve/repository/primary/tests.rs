use std::io::Write as _;

use super::*;
use crate::resolve::repository::record;

fn package(name: &str, more: &str) -> String {
    format!(
        r#"<package type="rpm">
  <name>{name}</name><arch>noarch</arch><version epoch="0" ver="2.2" rel="1.standin"/>
  <checksum type="sha256" pkgid="YES">e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855</checksum>
  <summary>x</summary><description>x</description><packager/><url/>
  <time file="1" build="1"/><size package="1" installed="1" archive="1"/><location href="copr-keygen.rpm"/>
  <format>
    <rpm:license>x</rpm:license><rpm:vendor/><rpm:group>x</rpm:group><rpm:buildhost>x</rpm:buildhost><rpm:sourcerpm>x</rpm:sourcerpm>
    <rpm:header-range start="1" end="2"/>
    <rpm:provides><rpm:entry name="{name}" flags="EQ" epoch="0" ver="2.2" rel="1.standin"/></rpm:provides>
    <rpm:requires><rpm:entry name="python3-copr-common"/><rpm:entry name="(a if copr-b)"/></rpm:requires>
    {more}
  </format>
</package>"#
    )
}

fn primary(packages: &[String]) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="{}">
{}
</metadata>"#,
        packages.len(),
        packages.join("\n")
    )
}

fn keygen() -> String {
    primary(&[package("copr-keygen", "<file>/usr/bin/gpg-copr</file>")])
}

fn packed(xml: &str) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut writer =
        niffler::get_writer(Box::new(&mut packed), niffler::Format::Gzip, niffler::Level::One).unwrap();
    writer.write_all(xml.as_bytes()).unwrap();
    drop(writer);
    packed
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The record that a repomd.xml has of a file.
fn record_of(compressed: &[u8], xml: &str) -> Record {
    let text = format!(
        r#"<?xml version="1.0"?><repomd xmlns="http://linux.duke.edu/metadata/repo"><data type="primary">
<checksum type="sha256">{}</checksum><open-checksum type="sha256">{}</open-checksum><location href="repodata/primary.xml.gz"/>
<timestamp>1</timestamp><size>{}</size><open-size>{}</open-size></data></repomd>"#,
        sha256(compressed),
        sha256(xml.as_bytes()),
        compressed.len(),
        xml.len()
    );
    record::primary(text.as_bytes()).unwrap()
}

fn lax(record: Record) -> Record {
    Record { open_checksum: None, open_size: None, ..record }
}

fn names(names: &[Box<str>]) -> Vec<&str> {
    names.iter().map(AsRef::as_ref).collect()
}

fn one(more: &str) -> Package {
    let xml = primary(&[package("copr-keygen", more)]);
    parse(packed(&xml), &record_of(&packed(&xml), &xml)).unwrap().unwrap().remove(0)
}

#[test]
fn a_package_is_read_with_what_of_copr_it_has_to_do_with() {
    let found = one("<file>/usr/bin/gpg-copr</file>");
    assert_eq!(found.nevra(), "copr-keygen-2.2-1.standin.noarch");
    assert_eq!(names(&found.own.provides), ["/usr/bin/gpg-copr", "copr-keygen"]);
    assert_eq!(names(&found.own.wants), ["copr-b", "python3-copr-common"]);
    assert!(!found.open);
}

#[test]
fn what_may_come_for_another_reason_is_told_apart() {
    let entry = |kind: &str, name: &str| format!(r#"<rpm:{kind}><rpm:entry name="{name}"/></rpm:{kind}>"#);
    assert!(one("<file>/usr/bin/gpg</file>").open);
    assert!(!one(r#"<file type="ghost">/usr/bin/gpg</file>"#).open);
    for kind in ["obsoletes", "supplements", "enhances"] {
        assert!(one(&entry(kind, "gnupg2")).open, "{kind}");
        assert!(one(&entry(kind, "(gnupg2 and copr-cli)")).open, "{kind}");
        let of_copr = one(&entry(kind, "copr-signer"));
        assert!(!of_copr.open, "{kind}");
        assert_eq!(names(&of_copr.own.follows), ["copr-signer"]);
    }
    for kind in ["suggests", "conflicts", "requires"] {
        assert!(!one(&entry(kind, "gnupg2")).open, "{kind}");
    }
}

#[test]
fn what_is_not_the_file_that_is_named_is_not_believed() {
    let (xml, packed) = (keygen(), packed(&keygen()));
    let good = record_of(&packed, &xml);
    assert_eq!(good.verify(&packed), Ok(()));
    let other = self::packed(&xml.replace("2.2", "2.3"));
    assert!(good.verify(&other).is_err());
    let longer = [packed.clone(), vec![0]].concat();
    assert!(good.verify(&longer).unwrap_err().contains("bytes"));
    // The same for what is in it.
    let lying = record_of(&packed, &xml.replace("2.2", "2.3"));
    let Err(Error::Unverified(said)) = parse(packed.clone(), &lying) else { panic!("believed") };
    assert!(said.contains("checksum"), "{said}");
    let shorter = Record { open_size: Some(xml.len() as u64 - 1), open_checksum: None, ..good.clone() };
    assert!(matches!(parse(packed.clone(), &shorter), Err(Error::Unverified(_))));
    assert_eq!(parse(packed, &good).unwrap().unwrap().len(), 1);
}

#[test]
fn checksums_of_every_kind_that_proves_something_are_known() {
    let of = |kind: &str, value: &str| {
        let text = format!(
            r#"<repomd><data type="primary"><checksum type="{kind}">{value}</checksum><location href="p.xml"/><timestamp>1</timestamp></data></repomd>"#
        );
        record::primary(text.as_bytes()).and_then(|record| record.verify(b"abc"))
    };
    assert_eq!(of("sha", "a9993e364706816aba3e25717850c26c9cd0d89d"), Ok(()));
    assert_eq!(of("sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"), Ok(()));
    assert_eq!(of("sha256", &sha256(b"abc")), Ok(()));
    let sha512 = hex::encode(sha2::Sha512::digest(b"abc"));
    assert_eq!(of("sha512", &sha512), Ok(()));
    assert_eq!(of("sha512", &sha512.to_uppercase()), Ok(()));
    assert!(of("md5", "900150983cd24fb0d6963f7d28e17f72").unwrap_err().contains("MD5"));
    assert!(of("sha256", &sha256(b"abd")).is_err());
}

#[test]
fn a_file_outside_of_the_repository_is_not_read() {
    for href in ["/etc/passwd", "../other/primary.xml", "https://elsewhere.example/primary.xml"] {
        let text = format!(
            r#"<repomd><data type="primary"><checksum type="sha256">{}</checksum><location href="{href}"/><timestamp>1</timestamp></data></repomd>"#,
            sha256(b"")
        );
        assert!(record::primary(text.as_bytes()).is_err(), "{href}");
    }
}

#[test]
fn what_is_not_primary_xml_is_an_error() {
    for content in [&b"<html>404</html>"[..], b"", b"\x1f\x8b broken"] {
        let record = lax(record_of(content, ""));
        assert!(matches!(parse(content.to_vec(), &record), Err(Error::Malformed(_))), "{content:?}");
    }
}

#[test]
fn what_unpacks_to_more_than_is_read_counts_as_a_whole() {
    let (xml, packed) = (keygen(), packed(&keygen()));
    let record = lax(record_of(&packed, &xml));
    assert_eq!(read(packed.clone(), &record, KEPT_MAX, xml.len() as u64 - 100), Ok(None));
    assert!(read(packed, &record, KEPT_MAX, xml.len() as u64).unwrap().is_some());
}

#[test]
fn more_than_is_kept_and_a_package_that_is_too_large_count_as_a_whole() {
    let xml = primary(&(0..100).map(|number| package(&format!("copr-{number}"), "")).collect::<Vec<_>>());
    assert_eq!(read(packed(&xml), &record_of(&packed(&xml), &xml), 10_000, OPEN_MAX), Ok(None));
    // Neither in what is kept nor in what isn't.
    for bomb in
        [format!("<rpm:license>{}</rpm:license>", "x".repeat(2 << 20)), "<file>/x</file>".repeat(200_000)]
    {
        let xml = primary(&[package("copr-bomb", &bomb)]);
        assert_eq!(parse(packed(&xml), &record_of(&packed(&xml), &xml)), Ok(None));
    }
}

/// What 48,000 small packages take up, of which a part is read here.
#[test]
fn a_large_repository_is_kept_within_its_budget() {
    const READ: usize = 2_000;
    let packages: Vec<_> = (0..READ).map(|number| package(&format!("pkg-{number}"), "")).collect();
    let xml = primary(&packages).replace("copr", "other");
    let found = parse(packed(&xml), &record_of(&packed(&xml), &xml)).unwrap().unwrap();
    assert_eq!(found.len(), READ);
    assert!(found.iter().map(Package::bytes).sum::<usize>() * 48_000 / READ < KEPT_MAX);
}

/// `servers/bigrepo.py FOLDER 48000`, read as the operator does: BIGREPO=FOLDER, and the peak of this process is printed.
#[test]
#[ignore = "measures memory: needs a repository in the folder of the variable BIGREPO"]
fn what_a_large_repository_costs() {
    let peak = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        status
            .lines()
            .filter(|line| line.starts_with("VmHWM") || line.starts_with("VmRSS"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let folder = std::path::PathBuf::from(std::env::var("BIGREPO").unwrap());
    let record = record::primary(&std::fs::read(folder.join("repodata/repomd.xml")).unwrap()).unwrap();
    println!("before: {}", peak());
    let compressed = std::fs::read(folder.join(&record.href)).unwrap();
    record.verify(&compressed).unwrap();
    let found = parse(compressed, &record).unwrap();
    let kept = found.as_ref().map(|found| (found.len(), found.iter().map(Package::bytes).sum::<usize>()));
    println!("packages and bytes kept: {kept:?}");
    println!("after: {}", peak());
}
