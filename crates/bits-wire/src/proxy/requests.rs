//! What is said to a proxy (a decision, `proxy.on_the_wire`).

use http::header::{CONNECTION, HOST, USER_AGENT};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};

use crate::download::{Origin, Target};

const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Makes a request to `target` one to a proxy: with the whole URL, and without speaking of the
/// server's own connection.
pub fn address<B>(request: &mut Request<B>, target: &Target) {
    let authority = target.host_header();
    let whole = Uri::builder()
        .scheme("http")
        .authority(authority)
        .path_and_query(request.uri().path_and_query().map_or("/", |path| path.as_str()));
    if let Ok(whole) = whole.build() {
        *request.uri_mut() = whole;
    }
    let headers = std::mem::take(request.headers_mut());
    let mut last = None;
    for (name, value) in headers {
        // A name comes with the first of its values only.
        last = name.or(last);
        let Some(name) = &last else { continue };
        let name = if *name == CONNECTION { PROXY_CONNECTION } else { name.clone() };
        request.headers_mut().append(name, value);
    }
}

/// What asks a proxy for a tunnel to `origin`.
pub fn tunnel_request(origin: &Origin, library: &str) -> Request<()> {
    let host = if origin.host.contains(':') { format!("[{}]", origin.host) } else { origin.host.clone() };
    let authority = format!("{host}:{}", origin.port);
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (USER_AGENT, format!("Microsoft BITS/{library}")),
        (HOST, authority.clone()),
        (PROXY_CONNECTION, "Keep-Alive".to_owned()),
    ] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    let mut request = Request::new(());
    *request.method_mut() = Method::CONNECT;
    if let Ok(authority) = authority.parse::<Authority>() {
        *request.uri_mut() = authority.into();
    }
    *request.headers_mut() = headers;
    request
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::download::Ask;

    /// The request for the whole of `url` as a proxy gets it: its target, and its headers.
    fn to_proxy(url: &str) -> (String, Vec<String>) {
        let target = Target::parse(url).unwrap();
        let plain = crate::download::Request::new(&Ask::Whole, &target, "7.8");
        let mut request = Request::new(());
        *request.uri_mut() = plain.path.into();
        *request.headers_mut() = plain.headers;
        request.headers_mut().append("x-twice", HeaderValue::from_static("1"));
        request.headers_mut().append("x-twice", HeaderValue::from_static("2"));
        address(&mut request, &target);
        let lines = request.headers().iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
        (request.uri().to_string(), lines.collect())
    }

    #[test]
    fn a_proxy_is_told_the_whole_url_and_to_keep_its_own_connection() {
        let (url, headers) = to_proxy("http://user:secret@[::1]:8080/a%20b?c=d#e");

        assert_eq!(url, "http://[::1]:8080/a%20b?c=d");
        let expected = [
            "proxy-connection: Keep-Alive",
            "accept: */*",
            "accept-encoding: identity",
            "user-agent: Microsoft BITS/7.8",
            "host: [::1]:8080",
            "x-twice: 1",
            "x-twice: 2",
        ];
        assert_eq!(headers, expected);
    }

    #[test]
    fn a_tunnel_is_asked_for_by_host_and_port() {
        for (url, authority) in [("https://host/a", "host:443"), ("https://[::1]:8443/", "[::1]:8443")] {
            let request = tunnel_request(Target::parse(url).unwrap().origin(), "7.8");

            assert_eq!((request.method(), request.uri().to_string()), (&Method::CONNECT, authority.to_owned()));
            assert_eq!(request.headers()[HOST], authority);
            assert_eq!(request.headers()[USER_AGENT], "Microsoft BITS/7.8");
        }
    }

    proptest! {
        #[test]
        fn every_url_can_be_told_to_a_proxy(host in "[a-z0-9._~!$&\'()*+,;=-]{1,12}", rest in "\\PC{0,20}") {
            let url = format!("http://{host}/{rest}");
            prop_assume!(Target::parse(&url).is_ok());
            let target = Target::parse(&url).unwrap();
            prop_assert!(to_proxy(&url).0.starts_with("http://"));
            let tunnel = tunnel_request(target.origin(), "7.8");
            prop_assert!(tunnel.uri().authority().is_some());
        }
    }
}
