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
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).filter(|_| first == b'%');
        let value = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(value.unwrap_or(first));
        rest = if value.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

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
