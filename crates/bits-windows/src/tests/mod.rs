//! What goes through to BITS and what comes back, at objects of BITS in this process.

mod jobs;
