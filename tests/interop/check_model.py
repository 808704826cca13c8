#!/usr/bin/env python3
"""Holds the checkpoint of a pipeline run against PyPI transformers.

    python3 tests/interop/check_model.py demo [--binary target/debug/tsumugi]

The last checkpoint under the folder is opened as `LlavaForConditionalGeneration`. For one pair of the run transformers
makes token ids and pixels, and both sides compute logits, loss, gradients and a greedy answer from them. Needs torch
and transformers (4.57 or 5); `cargo xtask interop` makes such an environment. Exit code 0 when all agree.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import LlavaForConditionalGeneration, PreTrainedTokenizerFast, SiglipImageProcessor

# Relative tolerances of float32; some ten times the reference's own noise.
LOGITS, LOSS, GRADIENT, GRADIENT_GLOBAL = 1e-5, 1e-5, 1e-4, 1e-5
NEW_TOKENS = 12


def checkpoint(folder):
    """The newest LLaVA checkpoint under a folder."""
    found = []
    for config in folder.rglob("config.json"):
        if json.loads(config.read_text()).get("model_type") == "llava" and any(config.parent.glob("*.safetensors")):
            found.append(config.parent)
    if not found:
        sys.exit(f"{folder}: no checkpoint of ours in it; run `cargo xtask demo` first")
    return max(found, key=lambda path: path.joinpath("config.json").stat().st_mtime)


def first_pair(folder):
    """Image and text of the run's first pair."""
    import pyarrow.parquet

    for file in sorted(folder.rglob("pairs-*.parquet")):
        for row in pyarrow.parquet.read_table(file, columns=["image", "text"]).slice(0, 1).to_pylist():
            return Image.open(io.BytesIO(row["image"]["bytes"])).convert("RGB"), row["text"]
    sys.exit(f"{folder}: no pair in it")


def sample(model_folder, image, text):
    """Inputs of one row: image, question, answer with loss on the answer."""
    config = json.loads((model_folder / "config.json").read_text())
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(model_folder / "tokenizer.json"))
    pixels = SiglipImageProcessor.from_pretrained(model_folder)(image, return_tensors="pt")["pixel_values"]
    vision = config["vision_config"]
    features = (vision["image_size"] // vision["patch_size"]) ** 2
    image_token = config.get("image_token_index", config.get("image_token_id"))
    start = [config["text_config"]["bos_token_id"]] + [image_token] * features
    start += tokenizer.encode("この画像を説明してください。", add_special_tokens=False)
    answer = tokenizer.encode(text, add_special_tokens=False) + [config["text_config"]["eos_token_id"]]
    ids = torch.tensor([start + answer])
    labels = ids.clone()
    labels[:, : len(start)] = -100
    rows = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": labels, "pixel_values": pixels.contiguous()}
    prompt = {"input_ids": ids[:, : len(start)].contiguous(), "attention_mask": torch.ones(1, len(start), dtype=torch.long)}
    return rows, prompt | {"pixel_values": rows["pixel_values"]}


def run_ours(binary, model_folder, tensors, *flags):
    """What `tsumugi parity` computes from these tensors."""
    with tempfile.TemporaryDirectory() as folder:
        inputs, out = Path(folder, "in.safetensors"), Path(folder, "out.safetensors")
        save_file(tensors, inputs)
        command = [binary, "parity", "--model", model_folder, "--inputs", inputs, "--out", out, *flags]
        subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
        return load_file(out)


def relative(ours, theirs):
    return ((ours.double() - theirs.double()).abs().max() / theirs.double().abs().max().clamp_min(1e-30)).item()


def saved_name(name):
    """The checkpoint's name of a parameter that transformers 5 holds under another one."""
    if name.startswith("model.language_model."):
        return "language_model.model." + name.removeprefix("model.language_model.")
    if name.startswith("model.vision_tower."):
        rest = name.removeprefix("model.vision_tower.").removeprefix("vision_model.")
        return "vision_tower.vision_model." + rest
    return "language_model." + name if name.startswith("lm_head.") else name.removeprefix("model.")


def check_gradients(model, ours):
    theirs = {saved_name(name): p.grad for name, p in model.named_parameters() if p.grad is not None}
    norm = torch.stack([gradient.norm() for gradient in theirs.values()]).norm().item()
    checked, worst = 0, 0.0
    for name, gradient in theirs.items():
        mine = ours.get("grad." + name)
        if mine is None:
            # What only their side has must be without effect (a layer that was added for the export).
            assert gradient.norm().item() <= GRADIENT_GLOBAL * norm or "vision_tower" in name, f"no gradient of {name}"
            continue
        difference = (mine - gradient).norm().item()
        allowed = GRADIENT * gradient.norm().item() + GRADIENT_GLOBAL * norm
        assert difference <= allowed, f"gradient of {name}: {difference:.3g} apart, {allowed:.3g} allowed"
        worst, checked = max(worst, difference / allowed), checked + 1
    assert checked, "parity gave no gradient"
    return f"{checked} gradients within {worst:.2%} of what is allowed"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--binary", type=Path)
    arguments = parser.parse_args()
    target = Path(os.environ.get("CARGO_TARGET_DIR", "target"))
    binary = (arguments.binary or target / "debug/tsumugi").resolve()
    model_folder = checkpoint(arguments.folder)
    rows, prompt = sample(model_folder, *first_pair(arguments.folder))

    torch.set_num_threads(2)
    model, report = LlavaForConditionalGeneration.from_pretrained(model_folder, output_loading_info=True)
    assert not report["missing_keys"] and not report["mismatched_keys"], report
    model = model.float().eval()
    theirs = model(**rows)
    theirs.loss.backward()
    ours = run_ours(binary, model_folder, rows, "--gradients")

    apart = relative(ours["logits"], theirs.logits.detach())
    assert apart <= LOGITS, f"logits {apart:.3g} apart, {LOGITS} allowed"
    loss = abs(ours["loss"].item() - theirs.loss.item())
    assert loss <= LOSS * max(1.0, abs(theirs.loss.item())), f"loss {ours['loss'].item()} against {theirs.loss.item()}"
    gradients = check_gradients(model, ours)

    with torch.no_grad():
        answer = model.generate(**prompt, max_new_tokens=NEW_TOKENS, do_sample=False, pad_token_id=0)
    mine = run_ours(binary, model_folder, prompt, "--generate", NEW_TOKENS)["output_ids"]
    new = answer[0, prompt["input_ids"].shape[1] :] if answer.shape[1] > NEW_TOKENS else answer[0]
    mine = mine.flatten()[-len(new) :]
    assert mine.tolist() == new.tolist(), f"greedy answer {mine.tolist()} against {new.tolist()}"
    print(f"{model_folder}: transformers {transformers.__version__} agrees: logits {apart:.1e} apart, loss {loss:.1e}, "
          f"{gradients}, {len(new)} greedy tokens equal")


if __name__ == "__main__":
    main()
