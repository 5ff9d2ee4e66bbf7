//! Moves bytes: sockets, TLS, HTTP and files.
