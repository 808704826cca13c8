//! Benchmarks, scorers and judges for Japanese vision-language models.
