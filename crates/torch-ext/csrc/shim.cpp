// What tch does not bind. Tensors are passed as at::Tensor*, borrowed for the call; results are new at::Tensor*, owned by
// the caller. No exception leaves this file: each function returns null, or a message that the caller frees with
// tsumugi_free_message.

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <climits>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <exception>
#include <malloc.h>
#include <vector>

namespace {

// On processors with AVX-512, MKL's matrix products depend on the alignment of their operands in memory, so that the same
// step gives other last bits after a resume, unless this variable is set before MKL's first call. No thread runs yet, so
// the environment may be changed. A value that the user has set stays.
__attribute__((constructor)) void make_products_reproducible() { setenv("MKL_CBWR", "AUTO,STRICT", 0); }

char *message(const char *text) {
  // Never null, even without memory: null means success.
  static char unknown[] = "exception without a message";
  char *copy = text ? strdup(text) : nullptr;
  return copy ? copy : unknown;
}

template <typename F> char *guarded(F &&call) {
  try {
    call();
    return nullptr;
  } catch (const c10::Error &error) {
    return message(error.what_without_backtrace());
  } catch (const std::exception &error) {
    return message(error.what());
  } catch (...) {
    return message(nullptr);
  }
}

std::vector<at::Tensor> list(at::Tensor *const *tensors, size_t count) {
  std::vector<at::Tensor> result;
  result.reserve(count);
  for (size_t i = 0; i < count; i++) result.push_back(*tensors[i]);
  return result;
}

// Head and cross entropy in one. The forward pass computes the gradients too, a chunk of rows at a time, so that only the
// logits of one chunk exist at a time; the backward pass scales them.
struct LinearCrossEntropy : torch::autograd::Function<LinearCrossEntropy> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &hidden,
                            const at::Tensor &weight, const at::Tensor &target, int64_t chunk, bool grad_hidden,
                            bool grad_weight) {
    const auto rows = hidden.size(0);
    const bool full = hidden.scalar_type() == at::kFloat || hidden.scalar_type() == at::kDouble;
    const auto wide = full ? hidden.scalar_type() : at::kFloat;
    auto loss = at::zeros({}, hidden.options().dtype(wide));
    at::Tensor dh, dw;
    if (grad_hidden) dh = at::empty_like(hidden);
    if (grad_weight) dw = at::zeros(weight.sizes(), weight.options().dtype(wide));
    for (int64_t start = 0; start < rows; start += chunk) {
      const auto length = std::min(chunk, rows - start);
      const auto h = hidden.narrow(0, start, length);
      const auto t = target.narrow(0, start, length).unsqueeze(1);
      auto logits = at::mm(h, weight.t()).to(wide);
      const auto scale = logits.logsumexp(1, true);
      loss.add_((scale - logits.gather(1, t)).sum());
      if (!grad_hidden && !grad_weight) continue;
      logits.sub_(scale).exp_();
      logits.scatter_add_(1, t, at::full_like(t, -1, logits.options()));
      const auto d = full ? logits : logits.to(hidden.scalar_type());
      if (grad_hidden) {
        auto part = dh.narrow(0, start, length);
        at::mm_out(part, d, weight);
      }
      if (grad_weight) {
        if (full) dw.addmm_(d.t(), h);
        else dw.add_(at::mm(d.t(), h));
      }
    }
    context->saved_data["kind"] = static_cast<int64_t>(weight.scalar_type());
    context->save_for_backward({dh, dw});
    return loss;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list grads) {
    const auto saved = context->get_saved_variables();
    const auto kind = static_cast<at::ScalarType>(context->saved_data["kind"].toInt());
    at::Tensor dh, dw;
    if (saved[0].defined()) dh = saved[0] * grads[0].to(saved[0].scalar_type());
    if (saved[1].defined()) dw = (saved[1] * grads[0]).to(kind);
    return {dh, dw, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

} // namespace

extern "C" {

void tsumugi_free_message(char *text) {
  if (text && std::strcmp(text, "exception without a message") != 0) std::free(text);
}

char *tsumugi_fused_adamw(at::Tensor *const *params, at::Tensor *const *grads, at::Tensor *const *means,
                          at::Tensor *const *squares, size_t count, int64_t step, double lr, double beta1,
                          double beta2, double eps, double weight_decay) {
  return guarded([&] {
    at::NoGradGuard guard;
    std::vector<at::Tensor> steps;
    steps.reserve(count);
    for (size_t i = 0; i < count; i++)
      steps.push_back(at::full({}, static_cast<double>(step), params[i]->options().dtype(at::kFloat)));
    auto p = list(params, count), g = list(grads, count), m = list(means, count), s = list(squares, count);
    at::_fused_adamw_(p, g, m, s, {}, steps, lr, beta1, beta2, weight_decay, eps, false, false);
  });
}

char *tsumugi_global_norm(at::Tensor *const *tensors, size_t count, double *out) {
  return guarded([&] {
    at::NoGradGuard guard;
    if (count == 0) {
      *out = 0;
      return;
    }
    std::vector<at::Tensor> norms;
    norms.reserve(count);
    for (size_t i = 0; i < count; i++) {
      // Doubles on the CPU. They would be slow on a GPU, which sums by trees anyway.
      const auto kind = tensors[i]->is_cpu() ? at::kDouble : at::kFloat;
      norms.push_back(at::linalg_vector_norm(*tensors[i], 2, at::OptionalIntArrayRef(), false, kind));
    }
    // One read of the result: it waits for the GPU once.
    *out = at::stack(norms).to(at::kDouble).square().sum().sqrt().item<double>();
  });
}

char *tsumugi_scale(at::Tensor *const *tensors, size_t count, double factor) {
  return guarded([&] {
    at::NoGradGuard guard;
    at::_foreach_mul_(list(tensors, count), factor);
  });
}

char *tsumugi_linear_cross_entropy(at::Tensor *hidden, at::Tensor *weight, at::Tensor *target, int64_t chunk,
                                   at::Tensor **out) {
  return guarded([&] {
    TORCH_CHECK(hidden->dim() == 2 && weight->dim() == 2 && target->dim() == 1, "expected [n,d], [v,d] and [n]");
    TORCH_CHECK(hidden->size(0) == target->size(0), hidden->size(0), " rows but ", target->size(0), " targets");
    TORCH_CHECK(chunk > 0, "chunk is not positive");
    const bool on = at::GradMode::is_enabled();
    *out = new at::Tensor(LinearCrossEntropy::apply(*hidden, *weight, *target, chunk, on && hidden->requires_grad(),
                                                    on && weight->requires_grad()));
  });
}

// Gradients of `inputs` given those of `outputs`; null where an input was not used.
char *tsumugi_grad(at::Tensor *const *outputs, at::Tensor *const *output_grads, size_t output_count,
                   at::Tensor *const *inputs, size_t input_count, at::Tensor **out) {
  return guarded([&] {
    const auto found = torch::autograd::grad(list(outputs, output_count), list(inputs, input_count),
                                             list(output_grads, output_count), std::nullopt, false, true);
    for (size_t i = 0; i < input_count; i++) out[i] = found[i].defined() ? new at::Tensor(found[i]) : nullptr;
  });
}

char *tsumugi_set_autocast(int cuda, int enabled, int kind, int *was_enabled, int *was_kind) {
  return guarded([&] {
    const auto device = cuda ? at::kCUDA : at::kCPU;
    *was_enabled = at::autocast::is_autocast_enabled(device);
    *was_kind = static_cast<int>(at::autocast::get_autocast_dtype(device));
    at::autocast::set_autocast_dtype(device, static_cast<at::ScalarType>(kind));
    at::autocast::set_autocast_enabled(device, enabled != 0);
    if (!enabled) at::autocast::clear_cache();
  });
}

char *tsumugi_set_numerics(int deterministic, int tf32) {
  return guarded([&] {
    auto &context = at::globalContext();
    // cuBLAS needs a workspace of fixed size to be deterministic, and LibTorch refuses products without one. cuBLAS
    // reads it when it starts. A value that the user has set stays.
    if (deterministic) setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
    context.setDeterministicAlgorithms(deterministic != 0, false);
    context.setDeterministicFillUninitializedMemory(false);
    context.setDeterministicCuDNN(deterministic != 0);
    if (deterministic) context.setBenchmarkCuDNN(false);
    context.setAllowTF32CuBLAS(tf32 != 0);
    context.setAllowTF32CuDNN(tf32 != 0);
  });
}

// Makes glibc keep freed memory: tensors of the same sizes are allocated and freed each step, and the kernel must clear
// each new page. Tensors above 48 MB are still returned at once: keeping them made a step about 8 % faster in bfloat16 and
// its peak memory 6 % larger. Other allocators keep freed memory by themselves.
void tsumugi_keep_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 3 << 24);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
#endif
}

char *tsumugi_load_cuda() {
  if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL)) return nullptr;
  return message(dlerror());
}

} // extern "C"
