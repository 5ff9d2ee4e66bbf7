//! The engine's behaviour, seen through its public methods.

mod access;
mod content;
mod decided;
mod edges;
mod ending;
mod fairness;
mod giving_up;
mod growth;
mod history;
mod holds;
mod house;
mod life;
mod limits;
mod listeners;
mod model;
mod names_taken;
mod notices;
mod order;
mod peer_cache;
mod ranges;
mod redirects;
mod restart;
mod retries;
mod scramble;
mod upload_walks;
mod uploads;
