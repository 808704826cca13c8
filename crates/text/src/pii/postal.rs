//! Japanese postal codes with the address after them.

use std::sync::LazyLock;

use regex::Regex;

/// The postal mark with a code, or a code before the name of a prefecture; then the address up to the house number.
static POSTAL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(include_str!("../../languages/ja/texts/postal_address.txt")).ok());

/// `text` with such addresses as 〒XXX-XXXX; none if there are none.
pub(super) fn mask(text: &str) -> Option<String> {
    match POSTAL.as_ref()?.replace_all(text, "〒XXX-XXXX") {
        std::borrow::Cow::Owned(masked) => Some(masked),
        std::borrow::Cow::Borrowed(_) => None,
    }
}
