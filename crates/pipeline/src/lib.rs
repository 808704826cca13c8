//! The steps in a row and their runner: shards, resume, progress, funnel, report.
