//! Reading fixtures, whole or in chunks.

use std::path::Path;

use suture_connect::x12::error::Error;
use suture_connect::x12::remittance::{Claim, Header, Item, ProviderAdjustment, Reader, Trailer};

/// A file of ours.
pub(crate) fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/x12").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A sample from the folder beside the repository, or `None` with a word about it.
pub(crate) fn sample(name: &str) -> Option<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/x12").join(name);
    let found = std::fs::read(&path).ok();
    if found.is_none() {
        eprintln!("not read, for it is not here: {}", path.display());
    }
    found
}

/// Everything that a remittance reader gives for bytes that arrive in chunks.
pub(crate) fn items<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Item>, Error> {
    let mut reader = Reader::new();
    let mut found = Vec::new();
    for chunk in chunks {
        reader.feed(chunk);
        while let Some(item) = reader.next_item()? {
            found.push(item);
        }
        assert!(!reader.is_complete(), "nothing is complete before the end was said");
    }
    reader.finish();
    while let Some(item) = reader.next_item()? {
        found.push(item);
    }
    assert!(reader.is_complete());
    Ok(found)
}

/// One remittance, sorted by kind.
#[derive(Debug)]
pub(crate) struct Remittance {
    pub(crate) header: Header,
    pub(crate) claims: Vec<Claim>,
    pub(crate) provider: Vec<ProviderAdjustment>,
    pub(crate) trailer: Trailer,
}

/// The remittances of a file.
pub(crate) fn remittances(bytes: &[u8]) -> Result<Vec<Remittance>, Error> {
    let (mut all, mut header, mut claims, mut provider) = (Vec::new(), None, Vec::new(), Vec::new());
    for item in items([bytes])? {
        match item {
            Item::Header(found) => header = Some(*found),
            Item::Claim(claim) => claims.push(*claim),
            Item::Provider(adjustment) => provider.push(adjustment),
            Item::Trailer(trailer) => all.push(Remittance {
                header: header.take().unwrap(),
                claims: std::mem::take(&mut claims),
                provider: std::mem::take(&mut provider),
                trailer,
            }),
        }
    }
    Ok(all)
}

/// The only remittance of one of our files.
pub(crate) fn remittance(name: &str) -> Remittance {
    let mut all = remittances(fixture(name).as_bytes()).unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}
