//! Schemes of authentication, at servers and at proxies.

use super::Report;
use super::servers::Servers;

pub(crate) fn show(_servers: &Servers, _report: &mut Report) {}
