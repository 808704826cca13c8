//! Pairs and interleaved documents.

use tsumugi_record::{Interleaved, Pair};

use super::template::{IMAGE_MARK, Lowered, Template};
use crate::Sample;

/// Lowers an image and its text: image first, loss on the text. `plain` ends with a newline instead of the end token.
///
/// # Errors
/// `no_image_bytes` or `empty_text`.
pub fn lower_pair(pair: Pair, template: &Template) -> Lowered {
    let image = pair.image.bytes.filter(|b| !b.is_empty()).ok_or("no_image_bytes")?;
    // VILA's data code removes the mark in its step 0 and respells it later; see [`crate::prepare`].
    let text = if *template == Template::Plain { pair.text.replace(IMAGE_MARK, "") } else { pair.text };
    let text = text.trim();
    if text.is_empty() {
        return Err("empty_text");
    }
    let sample = Sample::new(pair.id).image(image).text(text, true);
    Ok(match template {
        Template::Plain => sample.text("\n", true),
        _ => sample.end(true),
    })
}

/// Lowers texts and images in reading order, with loss on all text and the end token. A space joins adjacent texts, none
/// is added beside an image. Images beyond `max_images` are left out, their texts are not.
///
/// # Errors
/// `unequal_lists`, `no_image_bytes` or `empty_text`.
pub fn lower_interleaved(row: Interleaved, max_images: usize) -> Lowered {
    if row.texts.len() != row.images.len() {
        return Err("unequal_lists");
    }
    let mut sample = Sample::new(row.id);
    let (mut images, mut after_text, mut any_text) = (0, false, false);
    for (text, image) in row.texts.into_iter().zip(row.images) {
        if let Some(image) = image {
            let bytes = image.bytes.filter(|b| !b.is_empty()).ok_or("no_image_bytes")?;
            if images < max_images {
                sample = sample.image(bytes);
                images += 1;
                after_text = false;
            }
        } else if let Some(text) = text {
            if after_text {
                sample.push_text(" ", true);
            }
            sample.push_text(&text, true);
            any_text |= !text.trim().is_empty();
            after_text = true;
        }
    }
    if any_text { Ok(sample.end(true)) } else { Err("empty_text") }
}

#[cfg(test)]
mod tests {
    use tsumugi_record::Image;

    use super::*;
    use crate::Part;

    fn image() -> Image {
        Image { bytes: Some(vec![1]), path: None }
    }

    fn shown(sample: &Sample) -> String {
        let part = |p: &Part| match p {
            Part::Text { text, loss: true } => text.clone(),
            Part::Text { text, loss: false } => format!("({text})"),
            Part::Image(_) => "[i]".into(),
            Part::End { .. } => "$".into(),
            Part::Turn(role) => format!("[{}]", role.name()),
        };
        sample.parts.iter().map(part).collect()
    }

    #[test]
    fn pairs_follow_the_template() {
        let pair =
            Pair { id: "a".into(), image: image(), text: " 公園の猫 ".into(), ..Default::default() };
        assert_eq!(shown(&lower_pair(pair.clone(), &Template::Plain).unwrap()), "[i]公園の猫\n");
        assert_eq!(shown(&lower_pair(pair.clone(), &Template::Caption).unwrap()), "[i]公園の猫$");
        let bare = Pair { image: Image::default(), ..pair.clone() };
        assert_eq!(lower_pair(bare, &Template::Plain), Err("no_image_bytes"));
        assert_eq!(lower_pair(Pair { text: " ".into(), ..pair }, &Template::Plain), Err("empty_text"));
    }

    #[test]
    fn interleaved_keeps_order_and_all_text() {
        let row = Interleaved {
            texts: vec![Some("一".into()), Some("二".into()), None, Some("三".into()), None],
            images: vec![None, None, Some(image()), None, Some(image())],
            ..Default::default()
        };
        assert_eq!(shown(&lower_interleaved(row.clone(), 6).unwrap()), "一 二[i]三[i]$");
        assert_eq!(shown(&lower_interleaved(row, 1).unwrap()), "一 二[i]三$");
    }
}
