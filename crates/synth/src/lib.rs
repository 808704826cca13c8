//! Instruction data written by a vision-language model behind an API, and its checks.
