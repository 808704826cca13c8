//! The only unsafe code: calls into `csrc/shim.cpp`.
//!
//! All of them are safe for the same reasons. Tensors are passed as pointers taken from live `&Tensor`s, which outlive the
//! call; the shim borrows them and, if autograd needs it, keeps counted handles of its own. Array lengths are those of the
//! slices that the pointers come from. Results are new heap `at::Tensor`s made with `new`, which tch's `Tensor` frees with
//! `delete`. Every function of the shim catches all exceptions, so none unwinds into Rust.
#![expect(unsafe_code, reason = "calls into the C++ shim; see the safety argument above")]

use std::ffi::{CStr, c_char, c_int};
use std::ptr;

use tch::Tensor;
use torch_sys::C_tensor;

use crate::error::{Error, Result};

type Handle = *mut C_tensor;
type Message = *mut c_char;

unsafe extern "C" {
    fn tsumugi_free_message(text: Message);
    fn tsumugi_fused_adamw(
        params: *const Handle,
        grads: *const Handle,
        means: *const Handle,
        squares: *const Handle,
        count: usize,
        step: i64,
        lr: f64,
        beta1: f64,
        beta2: f64,
        eps: f64,
        weight_decay: f64,
    ) -> Message;
    fn tsumugi_global_norm(tensors: *const Handle, count: usize, out: *mut f64) -> Message;
    fn tsumugi_scale(tensors: *const Handle, count: usize, factor: f64) -> Message;
    fn tsumugi_linear_cross_entropy(
        hidden: Handle,
        weight: Handle,
        target: Handle,
        chunk: i64,
        out: *mut Handle,
    ) -> Message;
    fn tsumugi_grad(
        outputs: *const Handle,
        output_grads: *const Handle,
        output_count: usize,
        inputs: *const Handle,
        input_count: usize,
        out: *mut Handle,
    ) -> Message;
    fn tsumugi_set_autocast(
        cuda: c_int,
        enabled: c_int,
        kind: c_int,
        was_enabled: *mut c_int,
        was_kind: *mut c_int,
    ) -> Message;
    fn tsumugi_set_numerics(deterministic: c_int, tf32: c_int) -> Message;
    fn tsumugi_keep_memory();
    fn tsumugi_load_cuda() -> Message;
}

fn handle(tensor: &Tensor) -> Handle {
    tensor.as_ptr().cast_mut()
}

fn handles(tensors: &[&Tensor]) -> Vec<Handle> {
    tensors.iter().map(|tensor| handle(tensor)).collect()
}

fn check(call: &'static str, message: Message) -> Result<()> {
    if message.is_null() {
        return Ok(());
    }
    // SAFETY: the shim returned a zero-terminated string, which this function owns until it is freed here.
    let text = unsafe {
        let text = CStr::from_ptr(message).to_string_lossy().into_owned();
        tsumugi_free_message(message);
        text
    };
    Err(Error::Call { call, message: text })
}

pub(crate) struct Step {
    pub(crate) step: i64,
    pub(crate) lr: f64,
    pub(crate) beta1: f64,
    pub(crate) beta2: f64,
    pub(crate) eps: f64,
    pub(crate) weight_decay: f64,
}

/// The four slices have equal length, which the caller has checked.
pub(crate) fn fused_adamw(
    params: &[&Tensor],
    grads: &[&Tensor],
    means: &[&Tensor],
    squares: &[&Tensor],
    step: &Step,
) -> Result<()> {
    let count = params.len().min(grads.len()).min(means.len()).min(squares.len());
    let (p, g, m, s) = (handles(params), handles(grads), handles(means), handles(squares));
    // SAFETY: see the module; each array holds at least `count` handles. Tensors have interior mutability in LibTorch
    // and are not `Sync`, so no other thread reads them meanwhile.
    let message = unsafe {
        tsumugi_fused_adamw(
            p.as_ptr(),
            g.as_ptr(),
            m.as_ptr(),
            s.as_ptr(),
            count,
            step.step,
            step.lr,
            step.beta1,
            step.beta2,
            step.eps,
            step.weight_decay,
        )
    };
    check("fused AdamW", message)
}

pub(crate) fn global_norm(tensors: &[&Tensor]) -> Result<f64> {
    let list = handles(tensors);
    let mut norm = 0.0;
    // SAFETY: see the module; `norm` is written before the call returns without a message.
    check("norm", unsafe { tsumugi_global_norm(list.as_ptr(), list.len(), &raw mut norm) })?;
    Ok(norm)
}

pub(crate) fn scale(tensors: &[&Tensor], factor: f64) -> Result<()> {
    let list = handles(tensors);
    // SAFETY: see the module.
    check("scale", unsafe { tsumugi_scale(list.as_ptr(), list.len(), factor) })
}

pub(crate) fn linear_cross_entropy(
    hidden: &Tensor,
    weight: &Tensor,
    target: &Tensor,
    chunk: i64,
) -> Result<Tensor> {
    let mut out = ptr::null_mut();
    // SAFETY: see the module.
    let message = unsafe {
        tsumugi_linear_cross_entropy(handle(hidden), handle(weight), handle(target), chunk, &raw mut out)
    };
    check("linear cross entropy", message)?;
    // SAFETY: without a message, `out` is a new tensor that this function owns.
    Ok(unsafe { Tensor::from_ptr(out) })
}

pub(crate) fn grad(
    outputs: &[&Tensor],
    output_grads: &[&Tensor],
    inputs: &[&Tensor],
) -> Result<Vec<Option<Tensor>>> {
    let (o, g, i) = (handles(outputs), handles(output_grads), handles(inputs));
    let mut out = vec![ptr::null_mut(); i.len()];
    // SAFETY: see the module; the caller has checked that `o` and `g` have equal length, and `out` has room for all inputs.
    let message = unsafe {
        tsumugi_grad(o.as_ptr(), g.as_ptr(), o.len().min(g.len()), i.as_ptr(), i.len(), out.as_mut_ptr())
    };
    check("gradient", message)?;
    // SAFETY: without a message, each entry is null or a new tensor that this function owns.
    Ok(out
        .into_iter()
        .map(|p| if p.is_null() { None } else { Some(unsafe { Tensor::from_ptr(p) }) })
        .collect())
}

pub(crate) fn set_autocast(cuda: bool, enabled: bool, kind: i32) -> Result<(bool, i32)> {
    let (mut was_enabled, mut was_kind) = (0, 0);
    // SAFETY: see the module; both outputs are written before the call returns without a message.
    let message = unsafe {
        tsumugi_set_autocast(
            c_int::from(cuda),
            c_int::from(enabled),
            kind,
            &raw mut was_enabled,
            &raw mut was_kind,
        )
    };
    check("autocast", message)?;
    Ok((was_enabled != 0, was_kind))
}

pub(crate) fn set_numerics(deterministic: bool, tf32: bool) -> Result<()> {
    // SAFETY: sets process-wide flags of LibTorch.
    check("numerics", unsafe { tsumugi_set_numerics(c_int::from(deterministic), c_int::from(tf32)) })
}

pub(crate) fn keep_memory() {
    // SAFETY: sets two parameters of the allocator, which has a lock of its own.
    unsafe { tsumugi_keep_memory() }
}

pub(crate) fn load_cuda() -> Result<()> {
    // SAFETY: loads a library of LibTorch, whose initialisers only register CUDA.
    match check("", unsafe { tsumugi_load_cuda() }) {
        Err(Error::Call { message, .. }) => Err(Error::NoCuda(message)),
        other => other,
    }
}
