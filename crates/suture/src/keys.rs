//! Keys: made here, kept in files that only their owner reads, read back as hexadecimal digits.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use suture_connect::ehr::epic::jwks::{PublicKey, key_set};
use suture_core::redact::Secret;

use crate::failure::Failure;
use crate::system::MachineRandom;

/// 32 fresh bytes as 64 hexadecimal digits.
///
/// # Errors
/// When the machine gives no random bytes.
pub(crate) fn new_key() -> Result<Secret<String>, Failure> {
    let bytes: [u8; 32] = MachineRandom::new().bytes()?;
    Ok(Secret::new(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
}

/// Reads 64 hexadecimal digits. The failure does not repeat them.
///
/// # Errors
/// A sentence that names the setting.
pub(crate) fn read_key(setting: &str, text: &Secret<String>) -> Result<Secret<Vec<u8>>, Failure> {
    let digits = text.expose().trim();
    let wrong = || {
        Failure::new(format!(
            "{setting} is not a key: 64 hexadecimal digits (32 bytes) are expected. Make one with `suture keys init`."
        ))
    };
    if digits.len() != 64 || !digits.is_ascii() {
        return Err(wrong());
    }
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).map_err(|_| wrong());
    (0..64).step_by(2).map(byte).collect::<Result<Vec<u8>, _>>().map(Secret::new)
}

/// Writes a secret to a new file that only its owner may read.
///
/// # Errors
/// When the file exists already: keys are never overwritten.
pub(crate) fn write_secret(path: &Path, secret: &Secret<String>) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        let hint = if error.kind() == std::io::ErrorKind::AlreadyExists {
            " (keys are never overwritten)"
        } else {
            ""
        };
        Failure::of(format!("{} was not written{hint}", path.display()), &error)
    };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path).map_err(failed)?;
    file.write_all(secret.expose().as_bytes()).and_then(|()| file.write_all(b"\n")).map_err(failed)
}

/// The public half of a signing key entry `KID:BASE64`, as a JWK set.
///
/// # Errors
/// When the entry is not a P-384 key.
pub(crate) fn public_jwks(entry: &Secret<String>) -> Result<String, Failure> {
    let wrong = || Failure::new("the signing key cannot be read");
    let (kid, encoded) = entry.expose().split_once(':').ok_or_else(wrong)?;
    let bytes = Secret::new(STANDARD.decode(encoded).map_err(|_| wrong())?);
    let pair =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, bytes.expose(), &SystemRandom::new())
            .map_err(|_| wrong())?;
    // An uncompressed point: 0x04, then 48 bytes each.
    let point = pair.public_key().as_ref();
    key_set(&[PublicKey::EcP384 { kid, x: &point[1..49], y: &point[49..97] }])
        .map_err(|problem| Failure::of("the public key cannot be written", &problem))
}
