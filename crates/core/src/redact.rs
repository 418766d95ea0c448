//! Values that must never be printed: secrets and protected health information.
//!
//! Both wrappers print `***` in `Debug` and do not implement `Serialize` or `Display`, so a leak does not compile.

use std::fmt;

use zeroize::Zeroize;

/// A credential: an API key, a webhook secret, a private key. Wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Wraps a credential.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The credential itself. Every call is a place to review.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Protected health information or other personal data: names, record numbers, birth dates, free text.
#[derive(Clone, PartialEq, Eq)]
pub struct Phi<T>(T);

impl<T> Phi<T> {
    /// Wraps personal data.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The data itself. Every call is a place to review, and needs an entry in the access log.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The data itself, by value.
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Phi<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_a_secret_nor_personal_data_is_printed() {
        let printed = format!("{:?} {:?}", Secret::new("sk_test_1".to_owned()), Phi::new("Ann Example"));
        assert_eq!(printed, "*** ***");
    }
}
