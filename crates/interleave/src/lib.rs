//! Builders of image-text pairs and interleaved documents.
