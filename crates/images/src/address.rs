//! Image URLs in the canonical form by which tables are joined.

use std::path::{Component, Path, PathBuf};

use url::Url;

/// Normalises a URL as the URL standard does, and removes its fragment and the name and password that it may hold. Returns
/// `None` unless it is an absolute `http` or `https` URL.
///
/// ```
/// # use tsumugi_images::canonical_url;
/// let url = canonical_url("HTTP://Example.JP:80/a/../\u{7d75}.png#x");
/// assert_eq!(url.as_deref(), Some("http://example.jp/%E7%B5%B5.png"));
/// assert_eq!(canonical_url("http://me:secret@a.jp/").as_deref(), Some("http://a.jp/"));
/// assert_eq!(canonical_url("data:image/png;base64,xyz"), None);
/// ```
pub fn canonical_url(address: &str) -> Option<String> {
    canonical(Url::parse(address.trim()).ok()?)
}

/// Resolves `target` against the URL of a page or answer, in canonical form.
///
/// ```
/// # use tsumugi_images::resolve_url;
/// assert_eq!(resolve_url("http://a.jp/b/c", "../d.png").as_deref(), Some("http://a.jp/d.png"));
/// ```
pub fn resolve_url(base: &str, target: &str) -> Option<String> {
    canonical(Url::parse(base).ok()?.join(target.trim()).ok()?)
}

fn canonical(mut url: Url) -> Option<String> {
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    url.set_fragment(None);
    url.set_username("").and_then(|()| url.set_password(None)).ok()?;
    Some(url.into())
}

/// Whether an address holds its file itself (`data:image/png;base64,...`).
pub fn is_data_url(address: &str) -> bool {
    address.trim_start().get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"))
}

/// The file that a `data:` URL holds, read as the Fetch standard does: escapes are resolved, and base64 may have white space
/// in it and no padding. Returns `None` for other URLs and for what is not base64.
///
/// ```
/// # use tsumugi_images::decode_data_url;
/// assert_eq!(decode_data_url("data:image/gif;base64,R0lG ODlh").as_deref(), Some(&b"GIF89a"[..]));
/// assert_eq!(decode_data_url("data:,a%20b").as_deref(), Some(&b"a b"[..]));
/// assert_eq!(decode_data_url("http://example.jp/a.gif"), None);
/// ```
pub fn decode_data_url(address: &str) -> Option<Vec<u8>> {
    let address = address.trim();
    if !is_data_url(address) {
        return None;
    }
    let (kind, body) = address[5..].split_once(',')?;
    let bytes = unescape_bytes(body);
    let is_base64 =
        kind.trim_end().rsplit(';').next().is_some_and(|last| last.trim().eq_ignore_ascii_case("base64"));
    // A type alone, such as `data:base64,x`, is not a parameter.
    if !is_base64 || !kind.contains(';') {
        return Some(bytes);
    }
    let mut packed: Vec<u8> = bytes.into_iter().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let padding = packed.iter().rev().take_while(|byte| **byte == b'=').count();
    if padding > 2 || (padding > 0 && !packed.len().is_multiple_of(4)) {
        return None;
    }
    packed.truncate(packed.len() - padding);
    let mut specification = data_encoding::BASE64_NOPAD.specification();
    specification.check_trailing_bits = false;
    specification.encoding().ok()?.decode(&packed).ok()
}

/// Relative paths under which a mirroring tool may have stored the file of a URL: `HOST/PATH` with the query in the
/// name, as written and with its escapes resolved. No path leads out of the mirror's folder.
pub fn mirror_paths(address: &str) -> Vec<PathBuf> {
    let Ok(url) = Url::parse(address) else { return Vec::new() };
    let Some(host) = url.host_str() else { return Vec::new() };
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let plain = format!("{}{query}", url.path().trim_start_matches('/'));
    let decoded = unescape(&plain).filter(|name| *name != plain);
    let inside =
        |name: &String| Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    let names = std::iter::once(plain).chain(decoded).filter(inside);
    names.map(|name| Path::new(&host).join(name)).collect()
}

/// Resolves `%XX`; returns `None` if the result is not UTF-8.
fn unescape(text: &str) -> Option<String> {
    String::from_utf8(unescape_bytes(text)).ok()
}

fn unescape_bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).filter(|_| first == b'%');
        let value = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(value.unwrap_or(first));
        rest = if value.is_some() { &tail[2..] } else { tail };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_urls_are_read_as_browsers_do() {
        for (address, expected) in [
            ("DATA:image/png;BASE64,R0lG", Some(&b"GIF"[..])),
            (" data:image/png; base64 ,R0lG\n", Some(b"GIF")),
            ("data:image/png;charset=x;base64,R0lGOA==", Some(b"GIF8")),
            ("data:image/png;base64,R0lGOA", Some(b"GIF8")),
            ("data:image/png;base64,R0lGOB", Some(b"GIF8")),
            ("data:image/png;base64,R0%6CG%0A", Some(b"GIF")),
            ("data:image/svg+xml,%3Csvg%3E", Some(b"<svg>")),
            ("data:;base64,", Some(b"")),
            ("data:base64,R0lG", Some(b"R0lG")),
            ("data:image/png;base64,R0l=G", None),
            ("data:image/png;base64,R", None),
            ("data:image/png;base64,R0lGOA=", None),
            ("data:image/png;base64", None),
        ] {
            assert_eq!(decode_data_url(address).as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn mirror_paths_stay_inside_the_folder() {
        let paths = mirror_paths("http://a.jp/%E7%B5%B5/x.png?s=1");
        assert_eq!(paths, [Path::new("a.jp/%E7%B5%B5/x.png?s=1"), Path::new("a.jp/絵/x.png?s=1")]);
        assert_eq!(
            mirror_paths("http://a.jp/..%2F..%2Fetc/passwd"),
            [Path::new("a.jp/..%2F..%2Fetc/passwd")]
        );
        assert_eq!(mirror_paths("http://a.jp:8080/1"), [Path::new("a.jp:8080/1")]);
    }
}
