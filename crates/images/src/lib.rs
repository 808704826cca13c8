//! Fetch, decode, inspect, hash and deduplicate images.
