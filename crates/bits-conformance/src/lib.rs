//! Conformance cases for BITS, providers, reports and clause coverage.
