//! The adoption agency: end tags of formatting elements that are nested wrongly, as in `<b><p></b></p>`.

use super::MAX_DEPTH;
use super::builder::Builder;
use super::formatting::Entry;
use super::token::{End, Start};
use crate::dom::NONE;

/// Rounds of the standard's outer loop.
const ROUNDS: u32 = 8;
/// Elements between that are kept, each round.
const KEPT: u32 = 3;

impl Builder<'_> {
    /// The end tag of a formatting element.
    pub(super) fn adopt(&mut self, end: End) {
        if let Some(current) = self.current()
            && current.is(end.tag)
            && self.formatting_at(current.id).is_none()
        {
            self.pop();
            return;
        }
        for _ in 0..ROUNDS {
            let Some(entry) = self.last_formatting(end.tag) else {
                self.end_ordinary(end);
                return;
            };
            if !self.adopt_once(entry) {
                return;
            }
        }
    }

    /// One round for the formatting element at `entry` of the list. Gives whether there may be another.
    fn adopt_once(&mut self, entry: usize) -> bool {
        let Entry::Element { id, tag } = self.formatting[entry] else { return false };
        let Some(at) = self.position(id) else {
            self.formatting.remove(entry);
            return false;
        };
        if !self.id_in_scope(id) {
            return false;
        }
        self.steps += (self.stack.len() - at) as u64;
        let furthest = self.stack.iter().skip(at).position(|open| open.is_special()).map(|found| at + found);
        let Some(furthest) = furthest.filter(|_| at > 0) else {
            self.stack.truncate(at);
            self.formatting.remove(entry);
            return false;
        };
        if self.is_full() {
            // No element is made anew: the block stays where it is, in the formatting element that ends.
            self.remove(at);
            self.formatting.remove(entry);
            return false;
        }
        let block = self.stack[furthest];
        let (bookmark, last) = self.rebuild_between(at, furthest, entry);
        let ancestor = self.stack[at - 1];
        self.dom.detach(last);
        let place = self.place(Some(ancestor));
        let place = if at > MAX_DEPTH { self.beside(place) } else { place };
        self.put(last, place);

        let new = self.create_like(tag);
        self.dom.move_children(block.inside, new.id);
        self.dom.append(block.inside, new.id);
        self.formatting.insert(bookmark.min(self.formatting.len()), Entry::Element { id: new.id, tag });
        if let Some(old) = self.formatting_at(id) {
            self.formatting.remove(old);
        }
        if let Some(old) = self.position(id) {
            self.remove(old);
        }
        if let Some(block) = self.position(block.id) {
            self.change_from(block + 1);
            self.stack.insert(block + 1, new);
        }
        true
    }

    /// Makes new the elements between the formatting element and the furthest block. Gives where the formatting
    /// element's successor belongs in the list, and the outermost of the new nodes.
    fn rebuild_between(&mut self, at: usize, furthest: usize, entry: usize) -> (usize, u32) {
        let block = self.stack[furthest].id;
        let mut bookmark = entry;
        let mut last = block;
        let mut here = furthest;
        let mut count = 0;
        while here > at + 1 {
            here -= 1;
            count += 1;
            let node = self.stack[here];
            let mut listed = self.formatting_at(node.id);
            if count > KEPT
                && let Some(place) = listed.take()
            {
                self.formatting.remove(place);
                bookmark -= usize::from(place < bookmark);
            }
            let Some(place) = listed else {
                self.remove(here);
                continue;
            };
            let Entry::Element { tag, .. } = self.formatting[place] else { continue };
            let new = self.create_like(Start { ..tag });
            self.formatting[place] = Entry::Element { id: new.id, tag };
            self.stack[here] = new;
            if last == block {
                bookmark = place + 1;
            }
            self.dom.append(new.id, last);
            last = new.id;
        }
        debug_assert_ne!(last, NONE);
        (bookmark, last)
    }
}
