"""Optimiser steps of a LLaVA model of 2.3 billion parameters on one CUDA device: transformers beside the engine.

  python3 train_step.py --save DIR                    makes DIR: a checkpoint with random weights and batch.safetensors
  python3 train_step.py --model DIR [--dtype bf16|amp] [--steps N] [--recompute]
                                                      times transformers: SDPA, fused AdamW; prints a line of JSON
  step_speed DIR bf16 1 10 0 cuda                     times the engine on the same checkpoint and batch

The vision tower is frozen. `bf16` keeps weights and moments in bfloat16; `amp` has float32 weights under autocast, as the
engine's `bf16`, whose master weights are float32, and `bf16` corresponds to its `bf16-stochastic`. The first three steps
are not counted, the median of the others is. Pins: torch 2.11.0, transformers 5.17.0.
"""

import argparse
import json
import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlavaConfig, LlavaForConditionalGeneration, SiglipVisionConfig

WARM_UP = 3
SIDE, PATCH = 384, 14
IMAGE_TOKENS = (SIDE // PATCH) ** 2
VOCABULARY = 99_584
IMAGE = VOCABULARY - 1


def config(small):
    vision = dict(hidden_size=1152, intermediate_size=4304, num_hidden_layers=27, num_attention_heads=16)
    language = dict(hidden_size=2048, intermediate_size=7168, num_hidden_layers=24, num_attention_heads=16)
    if small:
        vision |= dict(hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4)
        language |= dict(hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4)
    tower = SiglipVisionConfig(image_size=SIDE, patch_size=PATCH, hidden_act="gelu_pytorch_tanh", **vision)
    llama = LlamaConfig(
        num_key_value_heads=language["num_attention_heads"],
        vocab_size=VOCABULARY,
        max_position_embeddings=4096,
        rms_norm_eps=1e-5,
        pad_token_id=4,
        **language,
    )
    return LlavaConfig(
        vision_config=tower.to_dict(),
        text_config=llama.to_dict(),
        image_token_index=IMAGE,
        image_seq_length=IMAGE_TOKENS,
        vision_feature_layer=-1,
        vision_feature_select_strategy="full",
    )


def legacy(name):
    """The names that transformers 4 and 5 both read."""
    short = "vision_tower."
    return name if not name.startswith(short) else f"{short}vision_model.{name.removeprefix(short).removeprefix('vision_model.')}"


def save(folder, rows, length, small, device):
    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    made = config(small)
    torch.set_default_dtype(torch.bfloat16)
    with torch.device(device):
        model = LlavaForConditionalGeneration(made)
    torch.set_default_dtype(torch.float32)
    model.config.save_pretrained(folder)
    written = json.loads((folder / "config.json").read_text())
    written["text_config"]["rope_theta"] = written["text_config"]["rope_parameters"]["rope_theta"]
    (folder / "config.json").write_text(json.dumps(written))
    model.save_pretrained(folder, max_shard_size="50GB")
    file = folder / "model.safetensors"
    weights = {legacy(name): tensor for name, tensor in load_file(file).items()}
    save_file(weights, file, {"format": "pt"})
    ids = torch.randint(5, IMAGE, (rows, length))
    ids[:, 0] = 1
    ids[:, 10 : 10 + IMAGE_TOKENS] = IMAGE
    labels = ids.clone()
    labels[:, : 10 + IMAGE_TOKENS + 40] = -100
    pixels = torch.randn(rows, 3, SIDE, SIDE).clamp(-1, 1)
    save_file(dict(input_ids=ids, labels=labels, pixel_values=pixels), folder / "batch.safetensors")
    print("made", sum(p.numel() for p in model.parameters()) / 1e6, "million parameters")


def step_flops(made, rows, length, targets):
    """Products of a step with a frozen tower: the custom of PaLM's appendix B, logits only where there is loss."""
    v, t = made.vision_config, made.text_config
    vision = IMAGE_TOKENS * (8 * v.hidden_size**2 + 4 * v.hidden_size * v.intermediate_size)
    vision = v.num_hidden_layers * (vision + 4 * IMAGE_TOKENS**2 * v.hidden_size)
    vision += 2 * IMAGE_TOKENS * v.hidden_size * 3 * PATCH**2
    projector = 2 * IMAGE_TOKENS * (v.hidden_size * t.hidden_size + t.hidden_size**2)
    layer = 2 * length * (4 * t.hidden_size**2 + 3 * t.hidden_size * t.intermediate_size)
    language = t.num_hidden_layers * (layer + 4 * length**2 * t.hidden_size)
    head = 2 * targets * t.hidden_size * t.vocab_size
    return rows * (vision + 3 * projector + 3 * language) + 3 * head


def measure(folder, dtype, steps, recompute, device):
    half = torch.bfloat16
    kind = half if dtype == "bf16" else torch.float32
    model = LlavaForConditionalGeneration.from_pretrained(folder, dtype=kind, attn_implementation="sdpa").to(device).train()
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("vision_tower" not in name)
    if recompute:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs=dict(use_reentrant=False))
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4, fused=True)
    batch = {name: tensor.to(device) for name, tensor in load_file(folder / "batch.safetensors").items()}
    batch["pixel_values"] = batch["pixel_values"].to(kind)
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    seconds, losses = [], []
    for _ in range(WARM_UP + steps):
        wait()
        began = time.perf_counter()
        with torch.autocast(device, half, enabled=dtype == "amp"):
            loss = model(**batch, use_cache=False).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        wait()
        seconds.append(time.perf_counter() - began)
    step = sorted(seconds[WARM_UP:])[steps // 2]
    rows, length = batch["input_ids"].shape
    flops = step_flops(model.config, rows, length, int((batch["labels"][:, 1:] != -100).sum()))
    memory = torch.cuda.max_memory_allocated() >> 20 if device == "cuda" else None
    print(
        json.dumps(
            dict(
                dtype=dtype,
                recompute=recompute,
                step_s=step,
                tokens_per_s=rows * length / step,
                tflops=flops / step / 1e12,
                step_tflop=flops / 1e12,
                cuda_peak_mib=memory,
                losses=losses,
            )
        )
    )


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--save", type=Path)
    arguments.add_argument("--model", type=Path)
    arguments.add_argument("--rows", type=int, default=4)
    arguments.add_argument("--length", type=int, default=2048)
    arguments.add_argument("--dtype", choices=["bf16", "amp"], default="bf16")
    arguments.add_argument("--steps", type=int, default=10)
    arguments.add_argument("--recompute", action="store_true")
    arguments.add_argument("--device", default="cuda")
    arguments.add_argument("--small", action="store_true", help="a tiny model, to try this script")
    given = arguments.parse_args()
    if given.save:
        save(given.save, given.rows, given.length, given.small, given.device)
    if given.model:
        measure(given.model, given.dtype, given.steps, given.recompute, given.device)


main()
