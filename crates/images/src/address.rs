//! Addresses of pictures, in the one form by which tables are joined.

use url::Url;

/// The address without its fragment, in the form that the URL standard gives it; `None` where it is not an
/// absolute `http` or `https` address.
///
/// ```
/// # use tsumugi_images::canonical_url;
/// assert_eq!(canonical_url("HTTP://Example.JP:80/a/../絵.png#x").as_deref(), Some("http://example.jp/%E7%B5%B5.png"));
/// assert_eq!(canonical_url("data:image/png;base64,xyz"), None);
/// ```
pub fn canonical_url(address: &str) -> Option<String> {
    let mut url = Url::parse(address.trim()).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    url.set_fragment(None);
    Some(url.into())
}
