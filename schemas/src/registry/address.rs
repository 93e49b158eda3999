//! The address of a registry: URLs, and a user with a password that must not be shown.

use crate::RegistryError;

/// What `SCHEMA_REGISTRY_URL` says: `http://user:password@host:8081/path`, or several such separated by commas.
pub(super) struct Address {
    /// Without credentials and trailing slashes; tried in this order.
    pub(super) urls: Vec<String>,
    /// Of the first URL that has them.
    pub(super) credentials: Option<(String, Option<String>)>,
}

impl Address {
    pub(super) fn parse(text: &str) -> Result<Self, RegistryError> {
        let mut address = Self { urls: Vec::new(), credentials: None };
        for url in text.split(',').map(str::trim).filter(|url| !url.is_empty()) {
            let (scheme, rest) = url.split_once("://").ok_or_else(|| not_a_url(address.urls.len()))?;
            if !matches!(scheme, "http" | "https") || rest.is_empty() {
                return Err(not_a_url(address.urls.len()));
            }
            let host_end = rest.find('/').unwrap_or(rest.len());
            let (authority, path) = rest.split_at(host_end);
            let host = match authority.rsplit_once('@') {
                Some((user, host)) => {
                    if address.credentials.is_none() {
                        address.credentials = Some(credentials(user));
                    }
                    host
                }
                None => authority,
            };
            address.urls.push(format!("{scheme}://{host}{}", path.trim_end_matches('/')));
        }
        if address.urls.is_empty() {
            return Err(not_a_url(0));
        }
        Ok(address)
    }
}

fn credentials(user: &str) -> (String, Option<String>) {
    match user.split_once(':') {
        Some((user, password)) => (percent_decoded(user), Some(percent_decoded(password))),
        None => (percent_decoded(user), None),
    }
}

fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.filter(|_| byte == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(decoded) => {
                out.push(decoded);
                rest = &tail[2..];
            }
            None => {
                out.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The text itself is not shown: it may hold a password.
fn not_a_url(place: usize) -> RegistryError {
    RegistryError::Refused(format!(
        "address {} is no URL such as http://localhost:8081 or https://user:password@host/apis/ccompat/v7",
        place + 1
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_leave_the_url_and_are_decoded() {
        let address = Address::parse("https://me:p%40ss:%2F@one:8081/apis/ccompat/v7/, http://two").unwrap();
        assert_eq!(address.urls, ["https://one:8081/apis/ccompat/v7", "http://two"]);
        assert_eq!(address.credentials, Some(("me".into(), Some("p@ss:/".into()))));
        assert_eq!(Address::parse("http://key@host").unwrap().credentials, Some(("key".into(), None)));
        assert_eq!(Address::parse("http://host/a@b").unwrap().credentials, None);
        assert_eq!(
            Address::parse("http://100%:%zz@h").unwrap().credentials,
            Some(("100%".into(), Some("%zz".into())))
        );
    }

    #[test]
    fn what_is_no_url_is_refused_without_showing_it() {
        for text in ["", "me:secret@host", "ftp://me:secret@host", "http://ok,me:secret", "http://"] {
            let error = Address::parse(text).map(|_| ()).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
