//! A client for OpenAI-compatible chat endpoints that survives rate limits, faults and restarts.
