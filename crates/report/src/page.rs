use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;

use serde::Serialize;
use tsumugi_record::write_atomic;

use crate::block::{Block, check};
use crate::{Error, render};

/// A page in the making.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    title: String,
    lead: String,
    language: String,
    refresh: Option<u32>,
    blocks: Vec<Block>,
}

#[derive(Serialize)]
struct View<'a> {
    title: &'a str,
    lead: &'a str,
    language: &'a str,
    refresh: Option<u32>,
    style: &'static str,
    script: &'static str,
    /// What stands before the first section.
    intro: Vec<&'a Block>,
    sections: Vec<Anchored<'a>>,
}

#[derive(Serialize)]
struct Anchored<'a> {
    id: String,
    heading: &'a str,
    blocks: Vec<&'a Block>,
}

impl Page {
    /// An empty page in English.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            lead: String::new(),
            language: "en".into(),
            refresh: None,
            blocks: Vec::new(),
        }
    }

    /// Text below the title.
    #[must_use]
    pub fn lead(mut self, text: impl Into<String>) -> Self {
        self.lead = text.into();
        self
    }

    /// Language of the page as a BCP 47 tag; `en` unless set. Data in another language is marked at its
    /// [column](crate::Column::language) or [card](crate::Card::language).
    #[must_use]
    pub fn language(mut self, tag: impl Into<String>) -> Self {
        self.language = tag.into();
        self
    }

    /// Makes an open page load itself again after so many seconds, for the page of a run that goes on.
    #[must_use]
    pub fn refresh(mut self, seconds: u32) -> Self {
        self.refresh = Some(seconds);
        self
    }

    /// Adds a block. Sections get a place in the page's navigation.
    pub fn push(&mut self, block: impl Into<Block>) {
        self.blocks.push(block.into());
    }

    /// Adds a block and returns the page.
    #[must_use]
    pub fn with(mut self, block: impl Into<Block>) -> Self {
        self.push(block);
        self
    }

    /// The page as HTML.
    ///
    /// # Errors
    /// [`Error::RowLength`] where a table has a row of another length than its columns.
    pub fn render(&self) -> Result<String, Error> {
        check(&self.blocks)?;
        let mut view = View {
            title: &self.title,
            lead: &self.lead,
            language: &self.language,
            refresh: self.refresh,
            style: render::STYLE,
            script: render::SCRIPT,
            intro: Vec::new(),
            sections: Vec::new(),
        };
        let mut taken = BTreeSet::new();
        for block in &self.blocks {
            match (block.heading(), view.sections.last_mut()) {
                (Some(heading), _) => {
                    let id = anchor(heading, &mut taken);
                    view.sections.push(Anchored { id, heading, blocks: vec![block] });
                }
                (None, Some(last)) => last.blocks.push(block),
                (None, None) => view.intro.push(block),
            }
        }
        render::template("page.html", &view)
    }

    /// Writes the page into a file. The file appears, or is replaced, only once it is complete.
    ///
    /// # Errors
    /// Those of [`Page::render`], and [`Error::Write`].
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let html = self.render()?;
        Ok(write_atomic(path.as_ref(), |file| file.write_all(html.as_bytes()))?)
    }
}

/// The heading as the fragment of an address, unlike all that are taken.
fn anchor(heading: &str, taken: &mut BTreeSet<String>) -> String {
    let words: Vec<String> = heading
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let base = if words.is_empty() { "section".to_owned() } else { words.join("-") };
    let mut id = base.clone();
    let mut number = 2;
    while !taken.insert(id.clone()) {
        id = format!("{base}-{number}");
        number += 1;
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_differ() {
        let mut taken = BTreeSet::new();
        let ids: Vec<String> = ["Data funnel", "data  funnel!", "損失", "<>", "<>"]
            .iter()
            .map(|heading| anchor(heading, &mut taken))
            .collect();
        assert_eq!(ids, ["data-funnel", "data-funnel-2", "損失", "section", "section-2"]);
    }
}
