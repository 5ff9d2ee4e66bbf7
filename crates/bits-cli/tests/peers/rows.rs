//! What the doctor is to say of each server.

/// A server, and what becomes of the jobs that meet it.
pub(crate) struct Row {
    /// The name of its port, and a path.
    pub(crate) url: &'static str,
    /// How a foreground job, a background job, one after a break and one with several ranges end:
    /// TRANSFERRED, `anew` for one that begins again, or the name of the error; empty for one that is
    /// not tried.
    pub(crate) jobs: [&'static str; 4],
    /// The checks with something to tell: name, result, and part of the text.
    pub(crate) checks: &'static [(&'static str, &'static str, &'static str)],
}

const fn row(
    url: &'static str,
    jobs: [&'static str; 4],
    checks: &'static [(&'static str, &'static str, &'static str)],
) -> Row {
    Row { url, jobs, checks }
}

const DONE: [&str; 4] = ["TRANSFERRED"; 4];
const ANEW: [&str; 4] = ["TRANSFERRED", "TRANSFERRED", "anew", "TRANSFERRED"];
const RANGES: &str = "BG_E_INSUFFICIENT_RANGE_SUPPORT";
const ONE_BY_ONE: [&str; 4] = ["TRANSFERRED", "TRANSFERRED", "TRANSFERRED", RANGES];
const NO_RANGES: [&str; 4] = ["TRANSFERRED", RANGES, RANGES, RANGES];

/// Both jobs fail at once.
const fn fail(code: &'static str) -> [&'static str; 4] {
    [code, code, "", ""]
}

#[rustfmt::skip]
pub(crate) const ROWS: &[Row] = &[
    row("NGINX_HTTP/1m.bin", DONE, &[("connection", "ok", "127.0.0.1:"), ("HTTP version", "ok", "HTTP/1.1")]),
    row("NGINX_HTTP/text.txt", DONE, &[("size", "ok", "108894 bytes")]),
    row("NGINX_HTTP/empty", ["TRANSFERRED", "TRANSFERRED", "", ""], &[("size", "ok", "0 bytes")]),
    row("NGINX_HTTP/nohead/1m.bin", fail("BG_E_HTTP_ERROR_403"), &[("HEAD", "failure", "403 for HEAD, but 206 for GET")]),
    row("NGINX_HTTP/norange/1m.bin", NO_RANGES, &[("ranges", "failure", "200 and the whole file")]),
    row("NGINX_HTTP/onerange/1m.bin", ONE_BY_ONE, &[("several ranges", "warning", "200 and the whole file")]),
    row("NGINX_HTTP/nostamp/1m.bin", ANEW, &[("time stamp", "warning", "no Last-Modified")]),
    row("NGINX_HTTP/gzip/text.txt", NO_RANGES, &[("compression", "warning", "gzip"), ("ranges", "failure", "200")]),
    row("NGINX_HTTP/redirect/1m.bin", DONE, &[("redirects", "ok", "with DISALLOW: 0x8019012E")]),
    row("NGINX_HTTP/loop/1m.bin", fail("ERROR_WINHTTP_REDIRECT_FAILED"), &[("redirects", "failure", "a circle")]),
    row("NGINX_HTTP/basic/1m.bin", fail("BG_E_HTTP_ERROR_401"), &[("authentication", "failure", "BG_AUTH_SCHEME_BASIC")]),
    row("NGINX_HTTP/strip/1m.bin", NO_RANGES, &[("ranges", "failure", "200"), ("proxies", "warning", "via: 1.1 peer")]),
    row("NGINX_HTTP/status/404", fail("BG_E_HTTP_ERROR_404"), &[("answer", "failure", "404 Not Found for HEAD")]),
    row("NGINX_HTTP/status/503", fail("BG_E_HTTP_ERROR_503"), &[("answer", "failure", "503 Service Unavailable")]),
    row("NGINX_TLS/1m.bin", DONE, &[("TLS", "ok", "TLS 1.3 and 1.2, 1 certificate")]),
    row("NGINX_TLS/redirect/1m.bin", fail("BG_E_HTTP_ERROR_302"), &[("redirects", "failure", "from HTTPS to HTTP")]),
    row("NGINX_EXPIRED/1m.bin", fail("ERROR_WINHTTP_SECURE_CERT_DATE_INVALID"), &[("TLS", "failure", "to Fri, 01 Jan 2021")]),
    row("NGINX_WRONGNAME/1m.bin", fail("ERROR_WINHTTP_SECURE_CERT_CN_INVALID"), &[("TLS", "failure", "made out to wrong.example, not to 127.0.0.1")]),
    row("NGINX_WRONGEKU/1m.bin", fail("ERROR_WINHTTP_SECURE_CERT_WRONG_USAGE"), &[("TLS", "failure", "not made for servers")]),
    row("NGINX_UNKNOWNCA/1m.bin", fail("ERROR_WINHTTP_SECURE_INVALID_CA"), &[("TLS", "failure", "CN=Peers Unknown CA")]),
    row("NGINX_NOCHAIN/1m.bin", fail("ERROR_WINHTTP_SECURE_INVALID_CA"), &[("TLS", "failure", "sent without other certificates")]),
    row("NGINX_TLS13/1m.bin", DONE, &[("TLS", "warning", "speaks TLS 1.3 only")]),
    row("NGINX_TLS11/1m.bin", fail("ERROR_WINHTTP_SECURE_CHANNEL_ERROR"), &[("TLS", "failure", "ProtocolVersion")]),

    row("APACHE_HTTP/1m.bin", DONE, &[]),
    row("APACHE_HTTP/nohead/1m.bin", fail("BG_E_HTTP_ERROR_403"), &[("HEAD", "failure", "signed for GET only")]),
    row("APACHE_HTTP/norange/1m.bin", NO_RANGES, &[("ranges", "failure", "200 and the whole file")]),
    row("APACHE_HTTP/onerange/1m.bin", ONE_BY_ONE, &[("several ranges", "warning", RANGES)]),
    row("APACHE_HTTP/nostamp/1m.bin", ANEW, &[("time stamp", "warning", "no Last-Modified")]),
    row("APACHE_HTTP/gzip/1m.bin", fail("BG_E_MISSING_FILE_SIZE"), &[("size", "failure", "gzip"), ("compression", "warning", "gzip")]),
    row("APACHE_HTTP/redirect/1m.bin", DONE, &[("redirects", "ok", "302 to http://127.0.0.1:")]),
    row("APACHE_HTTP/basic/1m.bin", fail("BG_E_HTTP_ERROR_401"), &[("authentication", "failure", "BG_AUTH_SCHEME_BASIC")]),
    row("APACHE_HTTP/digest/1m.bin", fail("BG_E_HTTP_ERROR_401"), &[("authentication", "failure", "BG_AUTH_SCHEME_DIGEST")]),
    row("APACHE_HTTP/http10/1m.bin", DONE, &[("HTTP version", "warning", "HTTP/1.0")]),
    row("APACHE_TLS/1m.bin", DONE, &[("TLS", "ok", "TLS 1.3 and 1.2")]),
    row("APACHE_TLS/redirect/1m.bin", fail("BG_E_HTTP_ERROR_302"), &[("redirects", "failure", "from HTTPS to HTTP")]),

    row("CADDY_HTTP/1m.bin", DONE, &[]),
    row("CADDY_HTTP/nohead/1m.bin", fail("BG_E_HTTP_ERROR_403"), &[("HEAD", "failure", "signed for GET only")]),
    row("CADDY_HTTP/norange/1m.bin", NO_RANGES, &[("ranges", "failure", "200 and the whole file")]),
    row("CADDY_HTTP/nostamp/1m.bin", ANEW, &[("time stamp", "warning", "no Last-Modified")]),
    row("CADDY_HTTP/gzip/1m.bin", fail("BG_E_MISSING_FILE_SIZE"), &[("size", "failure", "gzip"), ("compression", "warning", "gzip")]),
    // HEAD of what is made as it is sent: 0 bytes.
    row("CADDY_HTTP/template/text.txt", ["TRANSFERRED", "TRANSFERRED", "", ""], &[("size", "failure", "HEAD says 0 bytes"), ("time stamp", "warning", "no Last-Modified")]),
    row("CADDY_HTTP/redirect/1m.bin", DONE, &[("redirects", "ok", "302")]),
    row("CADDY_HTTP/basic/1m.bin", fail("BG_E_HTTP_ERROR_401"), &[("authentication", "failure", "BG_AUTH_SCHEME_BASIC")]),
    row("CADDY_TLS/1m.bin", DONE, &[("TLS", "ok", "TLS 1.3 and 1.2")]),
    row("CADDY_TLS/redirect/1m.bin", fail("BG_E_HTTP_ERROR_302"), &[("redirects", "failure", "from HTTPS to HTTP")]),
    row("CADDY_TLS13/1m.bin", DONE, &[("TLS", "warning", "speaks TLS 1.3 only")]),
];
