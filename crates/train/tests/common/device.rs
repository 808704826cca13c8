//! What the tests compute on.

/// Whether `TSUMUGI_TEST_DEVICE=cuda` asks for a GPU.
pub(crate) fn on_cuda() -> bool {
    std::env::var("TSUMUGI_TEST_DEVICE").is_ok_and(|device| device == "cuda")
}

/// The CPU, or the GPU that is asked for, set to equal results.
#[allow(dead_code, reason = "not every test has tensors of its own")]
pub(crate) fn device() -> tch::Device {
    if !on_cuda() {
        return tch::Device::Cpu;
    }
    tsumugi_torch_ext::load_cuda().unwrap();
    tsumugi_torch_ext::set_numerics(true, false).unwrap();
    tch::Device::Cuda(0)
}
