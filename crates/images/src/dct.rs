//! The cosine transform of length 32, with the rounding of scipy.
//!
//! A perceptual hash compares each coefficient with the median. In drawn images many coefficients are equal (0 for every
//! symmetry), so the bits of the hash depend on the last bit of the arithmetic. This is the classical real FFT of
//! FFTPACK (factors 2, 4, 4) with the twiddle factors of pocketfft, which are products of two short tables. It returns
//! the same 64-bit floats as `scipy.fftpack.dct`.

use std::f64::consts::{PI, SQRT_2};

/// Length of the transform.
pub(crate) const N: usize = 32;

/// Cosine and sine of `2 pi index / n`, as the product of two table entries.
///
/// Indices go up to `n / 2`. A table entry is exact to the last bit; the product is not, but pocketfft's is the same.
struct Circle {
    fine: Vec<(f64, f64)>,
    coarse: Vec<(f64, f64)>,
    shift: usize,
}

impl Circle {
    fn new(n: usize) -> Circle {
        let angle = 0.25 * PI / n as f64;
        let entries = (n + 2) / 2;
        let mut shift = 1;
        while (1usize << shift) << shift < entries {
            shift += 1;
        }
        let step = 1usize << shift;
        let at = |index: usize| if index == 0 { (1.0, 0.0) } else { point(index, n, angle) };
        Circle {
            fine: (0..step).map(at).collect(),
            coarse: (0..entries.div_ceil(step)).map(|i| at(i * step)).collect(),
            shift,
        }
    }

    fn at(&self, index: usize) -> (f64, f64) {
        let (a, b) = (self.fine[index & ((1 << self.shift) - 1)], self.coarse[index >> self.shift]);
        (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
    }
}

/// The point at `index / n` of a turn, computed from a small angle within its octant (`angle` is an eighth of a step).
fn point(index: usize, n: usize, angle: f64) -> (f64, f64) {
    let x = index * 8;
    let cos_sin = |x: usize| ((x as f64 * angle).cos(), (x as f64 * angle).sin());
    if x < n {
        cos_sin(x)
    } else if x < 2 * n {
        let (c, s) = cos_sin(2 * n - x);
        (s, c)
    } else if x < 3 * n {
        let (c, s) = cos_sin(x - 2 * n);
        (-s, c)
    } else {
        let (c, s) = cos_sin(4 * n - x);
        (-c, s)
    }
}

/// The plan of a DCT of type II (unnormalised: `y[k] = 2 sum x[n] cos(pi k (2n + 1) / 64)`).
pub(crate) struct Dct {
    /// `cos(2 pi (k + 1) / 128)`.
    quarter: [f64; N],
    /// `exp(2 pi i k / 32)`: the twiddles of the passes.
    turn: [(f64, f64); N / 4],
}

impl Dct {
    pub(crate) fn new() -> Dct {
        let circle = Circle::new(4 * N);
        let full = Circle::new(N);
        let mut quarter = [0.0; N];
        for (k, value) in quarter.iter_mut().enumerate() {
            *value = circle.at(k + 1).0;
        }
        let mut turn = [(0.0, 0.0); N / 4];
        for (k, value) in turn.iter_mut().enumerate() {
            *value = full.at(k);
        }
        Dct { quarter, turn }
    }

    /// Transforms in place.
    pub(crate) fn run(&self, c: &mut [f64; N]) {
        c[0] *= 2.0;
        c[N - 1] *= 2.0;
        for k in (1..N - 1).step_by(2) {
            (c[k], c[k + 1]) = (c[k] + c[k + 1], c[k + 1] - c[k]);
        }
        self.real_fft(c);
        for k in 1..N / 2 {
            let kc = N - k;
            let sum = self.quarter[k - 1] * c[kc] + self.quarter[kc - 1] * c[k];
            let difference = self.quarter[k - 1] * c[k] - self.quarter[kc - 1] * c[kc];
            c[k] = 0.5 * (sum + difference);
            c[kc] = 0.5 * (sum - difference);
        }
        c[N / 2] *= self.quarter[N / 2 - 1];
    }

    /// The backward real FFT (half-complex to real), in place.
    fn real_fft(&self, c: &mut [f64; N]) {
        let mut other = [0.0; N];
        self.pass2(c, &mut other);
        self.pass4(4, 2, &other, c);
        self.pass4(1, 8, c, &mut other);
        *c = other;
    }

    /// The pass of factor 2: one group of 16.
    fn pass2(&self, from: &[f64; N], to: &mut [f64; N]) {
        const IDO: usize = N / 2;
        let (low, high) = from.split_at(IDO);
        to[0] = low[0] + high[IDO - 1];
        to[IDO] = low[0] - high[IDO - 1];
        to[IDO - 1] = 2.0 * low[IDO - 1];
        to[N - 1] = -2.0 * high[0];
        for i in (2..IDO).step_by(2) {
            let ic = IDO - i;
            let (re, im) = (low[i - 1] - high[ic - 1], low[i] + high[ic]);
            to[i - 1] = low[i - 1] + high[ic - 1];
            to[i] = low[i] - high[ic];
            let (cos, sin) = self.turn[i / 2];
            to[i + IDO] = cos * im + sin * re;
            to[i - 1 + IDO] = cos * re - sin * im;
        }
    }

    /// A pass of factor 4 over `groups` groups of `ido` values each.
    fn pass4(&self, ido: usize, groups: usize, from: &[f64; N], to: &mut [f64; N]) {
        let at = |i: usize, part: usize, group: usize| from[i + ido * (part + 4 * group)];
        let place = |i: usize, group: usize, part: usize| i + ido * (group + groups * part);
        for g in 0..groups {
            let (sum, difference) = (at(0, 0, g) + at(ido - 1, 3, g), at(0, 0, g) - at(ido - 1, 3, g));
            let (re, im) = (2.0 * at(ido - 1, 1, g), 2.0 * at(0, 2, g));
            to[place(0, g, 0)] = sum + re;
            to[place(0, g, 2)] = sum - re;
            to[place(0, g, 3)] = difference + im;
            to[place(0, g, 1)] = difference - im;
        }
        if ido == 1 {
            return;
        }
        for g in 0..groups {
            let (i1, i2) = (at(0, 3, g) + at(0, 1, g), at(0, 3, g) - at(0, 1, g));
            let (r2, r1) = (at(ido - 1, 0, g) + at(ido - 1, 2, g), at(ido - 1, 0, g) - at(ido - 1, 2, g));
            to[place(ido - 1, g, 0)] = r2 + r2;
            to[place(ido - 1, g, 1)] = SQRT_2 * (r1 - i1);
            to[place(ido - 1, g, 2)] = i2 + i2;
            to[place(ido - 1, g, 3)] = -SQRT_2 * (r1 + i1);
        }
        for g in 0..groups {
            for i in (2..ido).step_by(2) {
                let ic = ido - i;
                let (r2, r1) = (at(i - 1, 0, g) + at(ic - 1, 3, g), at(i - 1, 0, g) - at(ic - 1, 3, g));
                let (i1, i2) = (at(i, 0, g) + at(ic, 3, g), at(i, 0, g) - at(ic, 3, g));
                let (r4, i3) = (at(i, 2, g) + at(ic, 1, g), at(i, 2, g) - at(ic, 1, g));
                let (r3, i4) = (at(i - 1, 2, g) + at(ic - 1, 1, g), at(i - 1, 2, g) - at(ic - 1, 1, g));
                to[place(i - 1, g, 0)] = r2 + r3;
                to[place(i, g, 0)] = i2 + i3;
                let rotated = [(r1 - r4, i1 + i4), (r2 - r3, i2 - i3), (r1 + r4, i1 - i4)];
                for (part, (re, im)) in (1..).zip(rotated) {
                    let (cos, sin) = self.turn[part * groups * i / 2];
                    to[place(i, g, part)] = cos * im + sin * re;
                    to[place(i - 1, g, part)] = cos * re - sin * im;
                }
            }
        }
    }
}
