//! API keys that cannot be printed, logged or stored by accident.

use secrecy::{ExposeSecret, SecretString};

use crate::Error;

/// An API key. `Debug` is redacted, there is no `Display` and no `Serialize`, and the memory is wiped on drop.
///
/// ```
/// let key = tsumugi_chat::ApiKey::new("sk-example")?;
/// assert_eq!(format!("{key:?}"), "ApiKey([redacted])");
/// # Ok::<(), tsumugi_chat::Error>(())
/// ```
#[derive(Clone)]
pub struct ApiKey(SecretString);

impl ApiKey {
    /// Takes a key; white space around it is dropped.
    ///
    /// # Errors
    /// [`Error::Config`] when the key is empty or holds something other than visible ASCII, which no HTTP header can carry.
    pub fn new(key: &str) -> Result<Self, Error> {
        let key = key.trim();
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::config(
                "the API key is empty or holds spaces or non-ASCII characters; set OPENAI_API_KEY to the key alone",
            ));
        }
        Ok(Self(SecretString::from(key.to_owned())))
    }

    /// The key in the environment variable `OPENAI_API_KEY`; `None` where it is unset or blank.
    ///
    /// # Errors
    /// As [`ApiKey::new`].
    pub fn from_env() -> Result<Option<Self>, Error> {
        Self::from_variable("OPENAI_API_KEY")
    }

    pub(crate) fn from_variable(name: &str) -> Result<Option<Self>, Error> {
        match std::env::var(name) {
            Ok(key) if !key.trim().is_empty() => Self::new(&key).map(Some),
            _ => Ok(None),
        }
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    pub(crate) fn secret(&self) -> &SecretString {
        &self.0
    }

    /// Replaces every occurrence of the key in what a server sent back: some servers echo it in error messages, as it is or as
    /// JSON or a URL writes it.
    pub(crate) fn scrub(&self, bytes: Vec<u8>) -> Vec<u8> {
        let key = self.expose();
        let mut clean = replaced(bytes, key);
        for form in [key.replace('/', "\\/"), percent_encoded(key, false), percent_encoded(key, true)] {
            if form != key {
                clean = replaced(clean, &form);
            }
        }
        clean
    }
}

fn replaced(bytes: Vec<u8>, key: &str) -> Vec<u8> {
    let key = key.as_bytes();
    if memchr::memmem::find(&bytes, key).is_none() {
        return bytes;
    }
    let mut clean = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for at in memchr::memmem::find_iter(&bytes, key) {
        clean.extend_from_slice(&bytes[from..at]);
        clean.extend_from_slice(b"[redacted]");
        from = at + key.len();
    }
    clean.extend_from_slice(&bytes[from..]);
    clean
}

/// All but RFC 3986's unreserved characters as `%` and two hex digits.
fn percent_encoded(key: &str, small: bool) -> String {
    let mut encoded = String::with_capacity(key.len());
    for c in key.chars() {
        match c {
            c if c.is_ascii_alphanumeric() || "-._~".contains(c) => encoded.push(c),
            c if small => encoded.push_str(&format!("%{:02x}", u32::from(c))),
            c => encoded.push_str(&format!("%{:02X}", u32::from(c))),
        }
    }
    encoded
}

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiKey([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn echoes_are_scrubbed() {
        let key = ApiKey::new(" sk-1 ").unwrap();
        assert_eq!(key.scrub(b"a sk-1 b sk-1".to_vec()), b"a [redacted] b [redacted]");
        assert_eq!(key.scrub(b"nothing".to_vec()), b"nothing");
        let key = ApiKey::new("ab/c+d=").unwrap();
        let echoed = br"ab/c+d= ab\/c+d= ab%2Fc%2Bd%3D ab%2fc%2bd%3d";
        assert_eq!(key.scrub(echoed.to_vec()), b"[redacted] [redacted] [redacted] [redacted]");
    }

    #[test]
    fn keys_no_header_can_carry_are_refused() {
        for bad in ["", "  ", "a b", "a\nb", "\u{9375}"] {
            let error = ApiKey::new(bad).unwrap_err().to_string();
            assert!(error.contains("OPENAI_API_KEY"), "{error}");
        }
    }
}
