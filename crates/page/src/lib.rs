//! From the bytes of a web page to a document: charset, text blocks, image slots, opt-out.
//!
//! [`parse`] finds the charset, reads the HTML as browsers do, and gives the page's text and images in reading
//! order, with menus, footers and the like marked as boilerplate.
//!
//! ```
//! use tsumugi_page::{PageHeaders, parse};
//! use tsumugi_record::Role;
//!
//! let html = "<html lang='ja'><title>紅茶</title>\
//!     <nav><a href='/'>ホーム</a> <a href='/shop'>店</a></nav>\
//!     <h1>紅茶のいれ方</h1>\
//!     <p>ポットとカップを温めておき、沸かしたての湯を注いで三分ほど蒸らします。</p>\
//!     <figure><img src='/tea.jpg' alt='紅茶'><figcaption>いれたての紅茶</figcaption></figure>";
//! let page = parse(html.as_bytes(), &PageHeaders::default(), "http://example.test/tea");
//! assert_eq!(page.nodes[0].role, Role::Boilerplate);
//! assert_eq!(page.nodes[1].role, Role::Heading);
//! let image = page.nodes[3].image.as_ref().expect("the image of the figure");
//! assert_eq!(image.url, "http://example.test/tea.jpg");
//! assert_eq!(image.caption.as_deref(), Some("いれたての紅茶"));
//! assert!(page.main_text().starts_with("紅茶のいれ方\nポットと"));
//! ```
//!
//! Hostile pages cost bounded time and memory: elements nested too deep are left out, pages are read up to
//! [`PageConfig::max_bytes`].
#![forbid(unsafe_code)]

mod blocks;
mod caption;
mod charset;
mod classify;
mod dom;
mod html;
mod inline;
mod line;
mod page;
mod slot;
mod space;
mod tag;

#[doc(hidden)]
pub use crate::classify::fitting;

pub use crate::charset::{Decoded, decode, is_mojibake};
pub use crate::page::{LanguageHints, Page, PageConfig, PageHeaders, parse, parse_with};
pub use tsumugi_robots::{OptOut, Signal};
