//! The runnable steps, one module each: a configuration and a function that runs it on a folder.
