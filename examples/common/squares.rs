//! Data of the teaching examples: images of one coloured square, with the name of its colour.

use tsumugi::train::Sample;

const COLOURS: [(&str, [u8; 3]); 4] =
    [("赤", [220, 30, 30]), ("青", [30, 60, 220]), ("緑", [30, 160, 60]), ("黄", [230, 210, 40])];

/// Images of 28 x 28 pixels, each with the name of its colour as the text to learn.
pub(crate) fn samples() -> Vec<Sample> {
    (0..64)
        .map(|i| {
            let (name, colour) = COLOURS[i % 4];
            Sample::new(format!("square-{i}")).image(bitmap(colour, 3 + i / 8)).text(name, true).end(true)
        })
        .collect()
}

/// A BMP file: a square of this colour on white, `margin` pixels from each border.
fn bitmap(colour: [u8; 3], margin: usize) -> Vec<u8> {
    const SIZE: usize = 28;
    let mut file = b"BM".to_vec();
    for word in [54 + 3 * SIZE * SIZE, 0, 54, 40, SIZE, SIZE, 1 | 24 << 16, 0, 0, 2835, 2835, 0, 0] {
        file.extend((word as u32).to_le_bytes());
    }
    let inside = |v: usize| (margin..SIZE - margin).contains(&v);
    for (y, x) in (0..SIZE).flat_map(|y| (0..SIZE).map(move |x| (y, x))) {
        let [r, g, b] = if inside(x) && inside(y) { colour } else { [255; 3] };
        file.extend([b, g, r]);
    }
    file
}

/// A recipe for a very small model on the data source `squares`.
pub(crate) fn recipe(more: &str) -> String {
    format!(
        r#"
        name = "squares"
        out = "runs/squares"
        tokenizer = {{ build = 300 }}
        [model.config.vision]
        hidden_size = 32
        intermediate_size = 64
        num_hidden_layers = 2
        num_attention_heads = 2
        image_size = 28
        patch_size = 14
        [model.config.language]
        hidden_size = 64
        intermediate_size = 128
        num_hidden_layers = 2
        num_attention_heads = 4
        num_key_value_heads = 2
        vocab_size = 300
        tie_word_embeddings = true
        [[stages]]
        name = "squares"
        tune = ["vision", "projector", "language"]
        template = "caption"
        length = 64
        duration = {{ steps = 60 }}
        batch = {{ rows = 4, micro = 4 }}
        optimizer = {{ lr = 3e-3 }}
        data = [{{ source = "squares" }}]
        {more}
        "#
    )
}
