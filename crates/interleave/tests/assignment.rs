//! Assignments against the optimum that scipy found.
#![expect(clippy::unwrap_used, reason = "helpers of tests, where a failure is a failed test")]

use tsumugi_interleave::{Matrix, assign, total};

/// The matrix of a case, as the script beside the cases makes it.
fn matrix(seed: u64, rows: usize, columns: usize) -> Matrix {
    let value = |at: u64| {
        let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(at + 1));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let fraction = ((z ^ (z >> 31)) >> 11) as f64 / 2f64.powi(53);
        if seed.is_multiple_of(3) { (fraction * 10.0).floor() / 10.0 } else { fraction }
    };
    Matrix::new(rows, columns, (0..(rows * columns) as u64).map(value).collect()).unwrap()
}

#[test]
fn totals_are_those_of_scipy() {
    let cases: Vec<(usize, usize, u64, f64)> =
        serde_json::from_str(include_str!("fixtures/assignment_cases.json")).unwrap();
    assert_eq!(cases.len(), 1000);
    for (rows, columns, seed, expected) in cases {
        let scores = matrix(seed, rows, columns);
        let assignment = assign(&scores);
        assert_eq!(assignment.iter().flatten().count(), rows.min(columns));
        let found = total(&scores, &assignment);
        assert!((found - expected).abs() < 1e-9 * expected.max(1.0), "case {seed}: {found} for {expected}");
    }
}
