//! The façade of Tsumugi.
