//! Images of one colour, with its name.

use tsumugi::train::Sample;

const COLOURS: [(&str, [u8; 3]); 4] =
    [("red", [220, 30, 30]), ("blue", [30, 60, 220]), ("green", [30, 160, 60]), ("grey", [120, 120, 120])];

/// Thirty-two samples: an image and the name of its colour.
pub fn samples() -> Vec<Sample> {
    let sample = |i: usize| {
        let (name, _) = COLOURS[i % 4];
        Sample::new(i.to_string()).image(image(i)).text(name, true).end(true)
    };
    (0..32).map(sample).collect()
}

/// A BMP file of 28 x 28 pixels: the upper rows white, the others coloured.
pub fn image(number: usize) -> Vec<u8> {
    const SIZE: usize = 28;
    let mut file = b"BM".to_vec();
    for word in [54 + 3 * SIZE * SIZE, 0, 54, 40, SIZE, SIZE, 1 | 24 << 16, 0, 0, 2835, 2835, 0, 0] {
        file.extend((word as u32).to_le_bytes());
    }
    let [r, g, b] = COLOURS[number % 4].1;
    for row in 0..SIZE {
        let pixel = if row < SIZE - number / 4 { [b, g, r] } else { [255; 3] };
        file.extend(pixel.repeat(SIZE));
    }
    file
}
