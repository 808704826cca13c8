//! The device that a run computes on.

use tch::Device;

use crate::recipe::Recipe;
use crate::{Error, Result};

/// Sets up LibTorch for a recipe and returns its device.
pub(crate) fn set_up(recipe: &Recipe) -> Result<Device> {
    let device = parse(&recipe.device)
        .ok_or_else(|| Error::recipe(format!("device is \"{}\"; use cpu, cuda or cuda:N", recipe.device)))?;
    if let Device::Cuda(index) = device {
        tsumugi_torch_ext::load_cuda()?;
        let found = tch::Cuda::device_count();
        if index as i64 >= found {
            return Err(Error::recipe(format!(
                "device is \"{}\", but there are {found} CUDA devices",
                recipe.device
            )));
        }
        tsumugi_torch_ext::set_numerics(recipe.deterministic, false)?;
    }
    tsumugi_torch_ext::keep_freed_memory();
    tch::set_num_threads(i32::try_from(recipe.threads).unwrap_or(i32::MAX));
    Ok(device)
}

/// The device that a recipe's `device` names.
fn parse(name: &str) -> Option<Device> {
    match name.split_once(':') {
        None if name == "cpu" => Some(Device::Cpu),
        None if name == "cuda" => Some(Device::Cuda(0)),
        Some(("cuda", index)) => index.parse().ok().map(Device::Cuda),
        _ => None,
    }
}

/// Waits until the device has finished all work, so that measured times are meaningful.
pub(crate) fn synchronize(device: Device) {
    if let Device::Cuda(index) = device {
        tch::Cuda::synchronize(index as i64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_devices() {
        assert_eq!(parse("cpu"), Some(Device::Cpu));
        assert_eq!(parse("cuda"), Some(Device::Cuda(0)));
        assert_eq!(parse("cuda:3"), Some(Device::Cuda(3)));
        assert_eq!((parse("tpu"), parse("cuda:x"), parse("cpu:0")), (None, None, None));
    }
}
