//! The running emulator: engine, outbox, store, mover, clients and callbacks.
