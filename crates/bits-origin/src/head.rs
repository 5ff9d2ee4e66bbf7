//! Reading the head of a request.

/// The largest head that is read; BITS documents no limit that comes near.
pub(crate) const MAX_HEAD: usize = 256 * 1024;

/// The request line and the headers, spelled and ordered as they came.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Head {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) version: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Head {
    /// The first value of a header, whatever its case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Path and query, also when the whole URL was sent, as to a proxy.
    pub(crate) fn path(&self) -> &str {
        match self.target.split_once("://") {
            Some((_, rest)) if !self.target.starts_with('/') => rest.find('/').map_or("/", |slash| &rest[slash..]),
            _ => &self.target,
        }
    }

    /// Host and port of the server that is asked, where the client speaks to a proxy.
    pub(crate) fn authority(&self) -> Option<String> {
        if self.method == "CONNECT" {
            return Some(self.target.clone());
        }
        let (scheme, rest) = self.target.split_once("://").filter(|_| !self.target.starts_with('/'))?;
        let host = rest.split('/').next().unwrap_or_default();
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        let port = if scheme.eq_ignore_ascii_case("https") { 443 } else { 80 };
        Some(if has_port { host.to_owned() } else { format!("{host}:{port}") })
    }

    /// Whether the client wants the connection closed after the answer.
    pub(crate) fn wants_close(&self) -> bool {
        let says = |word| {
            self.header("connection").is_some_and(|value| value.split(',').any(|w| w.trim().eq_ignore_ascii_case(word)))
        };
        says("close") || (self.version != "HTTP/1.1" && !says("keep-alive"))
    }

    /// Whether a body follows, which this origin does not read.
    pub(crate) fn has_body(&self) -> bool {
        self.header("transfer-encoding").is_some() || self.header("content-length").is_some_and(|n| n.trim() != "0")
    }
}

/// The status line and the headers of an answer, in order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ResponseHead {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
}

impl ResponseHead {
    /// How many bytes of body follow, in answer to that method; `None` when their end shows later.
    pub(crate) fn body_length(&self, method: &str) -> Option<u64> {
        let header = |name: &str| self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
        match self.status {
            _ if method == "HEAD" => Some(0),
            100..=199 | 204 | 304 => Some(0),
            _ if header("transfer-encoding").is_some() => None,
            _ => header("content-length").and_then(|(_, length)| length.parse().ok()),
        }
    }
}

/// Reads the whole head of an answer.
///
/// # Errors
/// What is wrong with it, naming the line.
pub(crate) fn parse_response(bytes: &[u8]) -> Result<ResponseHead, String> {
    let text: String = bytes.iter().copied().map(char::from).collect();
    let mut lines = text.split("\r\n").take_while(|line| !line.is_empty());
    let status_line = lines.next().unwrap_or_default();
    let status = status_line.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1)?.parse().ok());
    let status = status.ok_or_else(|| format!("status line {status_line:?} is not VERSION STATUS"))?;
    Ok(ResponseHead { status, headers: lines.map(header_line).collect::<Result<_, _>>()? })
}

/// A path without its query.
pub(crate) fn bare(path: &str) -> &str {
    path.split('?').next().unwrap_or(path)
}

/// Whether a request to `sent` is one to `path`: the same, or the same but for a query.
pub(crate) fn is_to(path: &str, sent: &str) -> bool {
    path == sent || path == bare(sent)
}

/// Whether `bytes` can be the beginning of a request.
pub(crate) fn can_begin(bytes: &[u8]) -> bool {
    bytes.first().is_none_or(|byte| byte.is_ascii_graphic() || *byte == b'\r')
}

/// Looks for the end of a head in `bytes`; returns its length with the empty line.
pub(crate) fn end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

/// Reads a whole head.
///
/// # Errors
/// What is wrong with it, naming the line.
pub(crate) fn parse(bytes: &[u8]) -> Result<Head, String> {
    // Every byte is a character, so that what came can be looked at whatever it was.
    let text: String = bytes.iter().copied().map(char::from).collect();
    let mut lines = text.split("\r\n").take_while(|line| !line.is_empty());
    let request_line = lines.next().unwrap_or_default();
    let [method, target, version] = request_line.split(' ').collect::<Vec<_>>()[..] else {
        return Err(format!("request line {request_line:?} is not METHOD TARGET VERSION"));
    };
    if !matches!(version, "HTTP/1.0" | "HTTP/1.1") {
        return Err(format!("request line {request_line:?} asks for an unknown version"));
    }
    let headers = lines.map(header_line).collect::<Result<_, _>>()?;
    Ok(Head { method: method.into(), target: target.into(), version: version.into(), headers })
}

fn header_line(line: &str) -> Result<(String, String), String> {
    match line.split_once(':') {
        Some((name, value)) if !name.is_empty() && !name.contains([' ', '\t']) => {
            Ok((name.into(), value.trim_matches([' ', '\t']).into()))
        }
        _ => Err(format!("header line {line:?} is not NAME: VALUE")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Head {
        parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn headers_keep_their_order_and_spelling() {
        let head = head("GET /a?b HTTP/1.1\r\nhOsT: x\r\nRange:bytes=0-1 \r\nX-Empty:\r\n\r\n");
        assert_eq!(head.path(), "/a?b");
        let spelled: Vec<_> = head.headers.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(spelled, ["hOsT=x", "Range=bytes=0-1", "X-Empty="]);
        assert_eq!(head.header("RANGE"), Some("bytes=0-1"));
    }

    #[test]
    fn a_whole_url_is_served_by_its_path() {
        assert_eq!(head("GET http://host:1/a/b?c HTTP/1.1\r\n\r\n").path(), "/a/b?c");
        assert_eq!(head("GET http://host HTTP/1.1\r\n\r\n").path(), "/");
        assert_eq!(head("GET /x?u=http://host/y HTTP/1.1\r\n\r\n").path(), "/x?u=http://host/y");
    }

    #[test]
    fn a_malformed_head_is_refused_with_the_line() {
        for (text, culprit) in [
            ("GET /\r\n\r\n", "\"GET /\""),
            ("GET / HTTP/2\r\n\r\n", "unknown version"),
            ("GET / HTTP/1.1\r\nno colon\r\n\r\n", "\"no colon\""),
            ("GET / HTTP/1.1\r\na : b\r\n\r\n", "\"a : b\""),
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert!(error.contains(culprit), "{error}");
        }
    }

    #[test]
    fn only_http_1_1_keeps_a_connection_unasked() {
        assert!(!head("GET / HTTP/1.1\r\n\r\n").wants_close());
        assert!(head("GET / HTTP/1.1\r\nConnection: Foo, Close\r\n\r\n").wants_close());
        assert!(head("GET / HTTP/1.0\r\n\r\n").wants_close());
        assert!(!head("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").wants_close());
    }
}
