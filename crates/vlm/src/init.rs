//! Initial values of parameters: the same on every machine.

use tch::{Device, Kind, Tensor};

use crate::error::Result;
use crate::unit::{Init, ParamDef};

/// SplitMix64: small, well mixed, and easy to reproduce elsewhere.
#[derive(Debug)]
pub(crate) struct Stream(u64);

impl Stream {
    /// The stream of this seed and name.
    pub(crate) fn new(seed: u64, name: &str) -> Self {
        // FNV-1a over the name, so that neither the order nor the number of parameters matters.
        let hash = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        let mut stream = Self(seed ^ hash);
        stream.0 = stream.next();
        stream
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in (0, 1].
    pub(crate) fn unit(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// Two independent normal values (Box and Muller).
    fn normals(&mut self) -> [f64; 2] {
        let radius = (-2.0 * self.unit().ln()).sqrt();
        let angle = std::f64::consts::TAU * self.unit();
        [radius * angle.cos(), radius * angle.sin()]
    }
}

impl ParamDef {
    /// The initial value of the parameter, float32 on the CPU: a function of its name, its shape and the seed.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch) if there is no memory for it.
    pub fn first_value(&self, seed: u64) -> Result<Tensor> {
        let options = (Kind::Float, Device::Cpu);
        match self.init {
            Init::Zeros => Ok(Tensor::f_zeros(&self.shape[..], options)?),
            Init::Ones => Ok(Tensor::f_ones(&self.shape[..], options)?),
            Init::Normal { std } => {
                let mut stream = Stream::new(seed, &self.name);
                let count = self.numel() as usize;
                let mut values = Vec::with_capacity(count + 1);
                while values.len() < count {
                    values.extend(stream.normals().map(|z| (z * std) as f32));
                }
                values.truncate(count);
                Ok(Tensor::f_from_slice(&values)?.f_view(&self.shape[..])?)
            }
        }
    }
}
