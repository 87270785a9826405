//! What repomd.xml says of primary.xml. Pure.

use rpmrepo_metadata::RepomdXml;

use super::verify::Checksum;

/// The record of primary.xml.
#[derive(Clone, Debug)]
pub struct Record {
    /// Where it is below the repository's URL.
    pub href: String,
    /// Of the compressed file.
    pub checksum: Checksum,
    /// Of the compressed file.
    pub size: Option<u64>,
    /// Of the XML.
    pub open_checksum: Option<Checksum>,
    /// Of the XML.
    pub open_size: Option<u64>,
}

impl Record {
    /// Whether the compressed file is the one that is meant; if not, what is different.
    pub fn verify(&self, compressed: &[u8]) -> Result<(), String> {
        let found = compressed.len() as u64;
        if let Some(size) = self.size
            && size != found
        {
            return Err(format!("it has {found} bytes, not {size}"));
        }
        let mut hasher = self.checksum.hasher();
        hasher.update(compressed);
        self.checksum.check(hasher)
    }
}

/// The record of primary.xml in a repomd.xml.
pub fn primary(repomd: &[u8]) -> Result<Record, String> {
    if is_web_page(repomd) {
        return Err("it's a web page, such as a log-in or an error".into());
    }
    let data = RepomdXml::read_data(rpmrepo_metadata::utils::create_xml_reader(repomd))
        .map_err(|e| e.to_string())?;
    let record = data.get_record("primary").ok_or("it names no primary.xml")?;
    let href = record.location_href.to_string_lossy().into_owned();
    if href.starts_with('/') || href.contains("://") || href.split('/').any(|part| part == "..") {
        return Err(format!("its primary.xml is outside of the repository: {href}"));
    }
    Ok(Record {
        href,
        checksum: Checksum::read(&record.checksum)?,
        size: record.size,
        open_checksum: record.open_checksum.as_ref().map(Checksum::read).transpose()?,
        open_size: record.open_size,
    })
}

/// Whether something answered that has a page for everything.
fn is_web_page(content: &[u8]) -> bool {
    let start: Vec<u8> =
        content.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).take(14).collect();
    let start = start.to_ascii_lowercase();
    start.starts_with(b"<html") || start.starts_with(b"<!doctypehtml")
}
