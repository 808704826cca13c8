//! Masks personal data.
//!
//! [`mask_pii`] masks telephone numbers and mail addresses as HojiChar does. [`mask_pii_strict`] recognises the notations of
//! telephone numbers in Japan, mail addresses, addresses with a postal code, and numbers of My Number and payment cards with a
//! valid check digit.

mod cards;
mod fold;
mod mail;
mod numbers;
mod phone;
mod postal;
mod words;

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// HojiChar's phone numbers: a 0 or a country code, two to five digits in one of Japan's groupings, four digits.
static PHONE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"((0|\+\d{1,3}[- ]?)(\d{2}[- ]?\d{4}[- ]?|\d[- ]?\d{4}[- ]?|\d{2}[- ]?\d{3}[- ]?|\d{3}[- ]?\d{2}[- ]?|\d{4}[- ]?\d{1}[- ]?))\d{4}",
    )
    .ok()
});

static MAIL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"[a-zA-Z0-9!#$%&'*+\-/=?^_`{|}~.]+@[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~.]+(\.[A-Za-z0-9\-]+)").ok()
});

/// Masks telephone numbers and mail addresses as HojiChar's `MaskPersonalInformation` does. Returns `None` if there are none.
///
/// ```
/// use tsumugi_text::mask_pii;
///
/// assert_eq!(mask_pii("090-1234-5678").as_deref(), Some("090-1234-XXXX"));
/// assert_eq!(mask_pii("山田@事務局"), None);
/// ```
#[must_use]
pub fn mask_pii(text: &str) -> Option<String> {
    // Most texts have neither four digits in a row nor an @, which is cheap to see.
    let phones = if has_digits(text) {
        replace(text, PHONE.as_ref(), |found| format!("{}XXXX", group(found, 1)))
    } else {
        None
    };
    let mails = mask_mail(phones.as_deref().unwrap_or(text));
    mails.or(phones)
}

/// Masks telephone numbers, mail addresses, postal codes with their address, My Number (12 digits) and card numbers (13 to 19
/// digits). Returns `None` if there are none.
///
/// Unlike [`mask_pii`], which follows HojiChar's code, this knows full-width forms, every dash, dot and space, brackets,
/// country codes, numbers of services (0120-123-456), and mail addresses whose sign is spelt out. It leaves prices, dates, ISBN,
/// versions, and what only looks like a telephone number inside a longer number as they are.
///
/// ```
/// use tsumugi_text::mask_pii_strict;
///
/// assert_eq!(mask_pii_strict("電話（０３）１２３４−５６７８").as_deref(), Some("電話（０３）１２３４−XXXX"));
/// assert_eq!(mask_pii_strict("カード 4111 1111 1111 1111").as_deref(), Some("カード XXXX XXXX XXXX XXXX"));
/// assert_eq!(mask_pii_strict("ISBN 0-306-40615-2"), None);
/// ```
#[must_use]
pub fn mask_pii_strict(text: &str) -> Option<String> {
    if !may_have_any(text) {
        return None;
    }
    let folded = fold::Folded::of(text);
    let words = &words::WORDS;
    let numbers = numbers::numbers(&folded.text);
    let mut edits = mail::find(&folded.text);
    // What one kind has taken is not taken again by the next: a mail address may begin with a telephone number.
    add(&mut edits, postal::find(&folded.text));
    let digits = |range: Range<usize>| {
        let original = &text[folded.original(range.start)..folded.original(range.end)];
        let masked = original.chars().map(|c| if fold::is_digit(c) { 'X' } else { c }).collect();
        (range, masked)
    };
    add(&mut edits, cards::find(&numbers, words).into_iter().map(digits).collect());
    add(&mut edits, phone::find(&numbers, words).into_iter().map(digits).collect());
    edits.sort_by_key(|(range, _)| range.start);
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (range, masked) in &edits {
        out.push_str(&text[done..folded.original(range.start)]);
        out.push_str(masked);
        done = folded.original(range.end);
    }
    (!edits.is_empty()).then(|| out + &text[done..])
}

/// Adds those edits that overlap none.
fn add(edits: &mut Vec<(Range<usize>, String)>, more: Vec<(Range<usize>, String)>) {
    for (range, masked) in more {
        if edits.iter().all(|(taken, _)| range.end <= taken.start || taken.end <= range.start) {
            edits.push((range, masked));
        }
    }
}

/// Whether a text may have personal data, which is cheap to see: seven digits, as the shortest code has, or what a mail address
/// and an address begin with.
fn may_have_any(text: &str) -> bool {
    let digits = text.chars().filter(|c| fold::is_digit(*c)).take(7).count();
    digits >= 7 || mail::may_have_one(text) || postal::may_have_one(text)
}

fn mask_mail(text: &str) -> Option<String> {
    // The pattern would look at every letter; an @ is quickly found.
    text.contains('@')
        .then(|| replace(text, MAIL.as_ref(), |found| format!("xxxx@yyy{}", group(found, 1))))
        .flatten()
}

fn has_digits(text: &str) -> bool {
    let mut run = 0_u32;
    let ascii = text.bytes().any(|byte| {
        run = if byte.is_ascii_digit() { run + 1 } else { 0 };
        run == 4
    });
    // The patterns know the digits of every script, as Python's do; most texts have only ASCII ones.
    ascii || text.chars().any(|c| !c.is_ascii() && c.is_numeric())
}

fn replace(text: &str, pattern: Option<&Regex>, with: impl Fn(&Captures<'_>) -> String) -> Option<String> {
    match pattern?.replace_all(text, |found: &Captures<'_>| with(found)) {
        std::borrow::Cow::Owned(masked) => Some(masked),
        std::borrow::Cow::Borrowed(_) => None,
    }
}

fn group<'a>(found: &'a Captures<'_>, number: usize) -> &'a str {
    found.get(number).map_or("", |part| part.as_str())
}

#[cfg(test)]
mod tests;
