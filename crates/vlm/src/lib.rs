//! Vision-language models on LibTorch: SigLIP, projector, Llama, generation, Hugging Face checkpoints.
