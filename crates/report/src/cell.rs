use serde::Serialize;

use crate::Image;

/// What stands in a table's cell, or behind the name of a fact.
///
/// Made from text, numbers, images and options of them by `into`.
///
/// ```
/// use tsumugi_report::Cell;
///
/// let missing: Cell = None::<f64>.into();
/// let answer = Cell::from("a red lantern").hover("given by model b");
/// assert_ne!(missing, answer);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cell {
    pub(crate) content: Content,
    pub(crate) hover: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Content {
    #[default]
    Empty,
    Text(String),
    Number(f64),
    Link {
        text: String,
        href: String,
    },
    Images(Vec<Image>),
}

impl Cell {
    /// A cell with nothing in it.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// A link. Addresses other than `http:`, `https:` and relative ones are shown as text only, so that data cannot bring
    /// in a `javascript:` address.
    #[must_use]
    pub fn link(text: impl Into<String>, href: impl Into<String>) -> Self {
        let (text, href) = (text.into(), href.into());
        let content = if is_safe(&href) { Content::Link { text, href } } else { Content::Text(text) };
        content.into()
    }

    /// Several images in one cell.
    #[must_use]
    pub fn images(images: impl IntoIterator<Item = Image>) -> Self {
        Content::Images(images.into_iter().collect()).into()
    }

    /// Adds text that is shown while the pointer rests on the cell.
    #[must_use]
    pub fn hover(mut self, text: impl Into<String>) -> Self {
        self.hover = Some(text.into());
        self
    }

    pub(crate) fn view(&self, decimals: Option<usize>) -> CellView<'_> {
        let mut view = CellView { hover: self.hover.as_deref(), ..CellView::default() };
        match &self.content {
            Content::Empty => {}
            Content::Text(text) => view.text = text.clone(),
            Content::Number(value) => {
                view.text = crate::format::number(*value, decimals);
                view.sort = value.is_finite().then(|| value.to_string());
                view.number = true;
            }
            Content::Link { text, href } => {
                view.text = text.clone();
                view.href = Some(href);
            }
            Content::Images(images) => view.images = images,
        }
        view
    }
}

/// Whether a link may lead there: web addresses, and addresses without a scheme.
fn is_safe(href: &str) -> bool {
    let lower = href.trim_start().to_ascii_lowercase();
    let before_path = lower.split(['/', '?', '#']).next().unwrap_or_default();
    lower.starts_with("http://") || lower.starts_with("https://") || !before_path.contains(':')
}

/// What the templates see of a cell.
#[derive(Debug, Default, Serialize)]
pub(crate) struct CellView<'a> {
    text: String,
    number: bool,
    /// The exact number to sort by; none for text and for NaN.
    sort: Option<String>,
    href: Option<&'a str>,
    images: &'a [Image],
    hover: Option<&'a str>,
}

impl From<Content> for Cell {
    fn from(content: Content) -> Self {
        Self { content, hover: None }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Content::Text(text.to_owned()).into()
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Content::Text(text).into()
    }
}

impl From<&String> for Cell {
    fn from(text: &String) -> Self {
        Content::Text(text.clone()).into()
    }
}

impl From<Image> for Cell {
    fn from(image: Image) -> Self {
        Content::Images(vec![image]).into()
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or_else(Self::empty, Into::into)
    }
}

macro_rules! from_numbers {
    ($($number:ty)*) => {$(
        impl From<$number> for Cell {
            fn from(value: $number) -> Self {
                Content::Number(value as f64).into()
            }
        }
    )*};
}

from_numbers!(f64 f32 u64 i64 u32 i32 u16 u8 usize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_with_scripts_are_text() {
        for href in ["javascript:alert(1)", " JavaScript:alert(1)", "data:text/html,x", "vbscript:x"] {
            assert_eq!(Cell::link("x", href), Cell::from("x"), "{href}");
        }
        for href in ["https://a.example/b:c", "http://a.example", "pairs/README.md", "#top", "a/b:c", ""] {
            assert_ne!(Cell::link("x", href), Cell::from("x"), "{href}");
        }
    }
}
