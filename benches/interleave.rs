//! Speed of the exact assignment of images to sentences.
//!
//! `cargo bench -p tsumugi-interleave --bench interleave`; `benches/peers/assignment.py` gives scipy the same matrices.

use std::hint::black_box;

use criterion::Criterion;
use tsumugi_interleave::{Matrix, assign};

/// Random scores between 0 and 1 (SplitMix64).
fn matrix(rows: usize, columns: usize) -> Option<Matrix> {
    let value = |at: u64| {
        let mut z = 7_u64.wrapping_add(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(at + 1));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / 2f64.powi(53)
    };
    Matrix::new(rows, columns, (0..(rows * columns) as u64).map(value).collect()).ok()
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args().sample_size(10);
    for (rows, columns) in [(5, 50), (30, 100), (200, 400), (1000, 2000)] {
        let Some(scores) = matrix(rows, columns) else { continue };
        criterion.bench_function(&format!("assign/{rows}x{columns}"), |bencher| {
            bencher.iter(|| assign(black_box(&scores)));
        });
    }
    criterion.final_summary();
}
