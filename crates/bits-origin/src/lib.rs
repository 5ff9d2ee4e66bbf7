//! The HTTP origin for tests: files, ranges, gates, scripted faults and a journal.
