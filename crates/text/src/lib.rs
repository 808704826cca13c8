//! Language identification and quality filters for Japanese (and other) text.
