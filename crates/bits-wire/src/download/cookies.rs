//! What a server has asked to be told again (RFC 6265), where a choice lets it be told: usually
//! nothing of it is kept (a decision, `http.cookies`).

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

use super::{Scheme, Target};

/// The cookies of one attempt. Each belongs to the host alone that has set it, whatever domain it
/// names: whom else it may be told to cannot be known without a list of public suffixes.
#[derive(Clone, Debug, Default)]
pub struct Cookies(Vec<Cookie>);

#[derive(Clone, Debug)]
struct Cookie {
    host: String,
    path: String,
    name: String,
    /// Name and value, as they are sent.
    pair: HeaderValue,
    needs_tls: bool,
}

impl Cookies {
    /// So many are kept, as RFC 6265 asks for; the oldest goes first.
    const MOST: usize = 50;
    /// The longest one that is kept, in bytes.
    const LONGEST: usize = 4096;

    /// Whether an answer sets any.
    pub fn are_set_by(headers: &HeaderMap) -> bool {
        headers.contains_key(SET_COOKIE)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes in what an answer from `target` sets.
    pub fn take_in(&mut self, target: &Target, headers: &HeaderMap) {
        self.take(target, headers, false);
    }

    /// The same for what is as good as credentials: set by HTTPS, it is told by HTTPS alone, whether
    /// or not it says so itself.
    pub fn take_in_credentials(&mut self, target: &Target, headers: &HeaderMap) {
        self.take(target, headers, target.origin().scheme == Scheme::Https);
    }

    fn take(&mut self, target: &Target, headers: &HeaderMap, needs_tls: bool) {
        for line in headers.get_all(SET_COOKIE) {
            let Some((mut cookie, is_over)) = line.to_str().ok().and_then(|line| read(target, line)) else { continue };
            cookie.needs_tls |= needs_tls;
            self.0.retain(|kept| (&kept.host, &kept.path, &kept.name) != (&cookie.host, &cookie.path, &cookie.name));
            if !is_over {
                self.0.push(cookie);
            }
            if self.0.len() > Self::MOST {
                self.0.remove(0);
            }
        }
    }

    /// Adds to the headers of a request what `target` is to be told, unless the client tells it
    /// something itself.
    pub fn add_to(&self, target: &Target, headers: &mut HeaderMap) {
        if headers.contains_key(COOKIE) {
            return;
        }
        let told = self.0.iter().filter(|cookie| cookie.is_for(target)).map(|cookie| cookie.pair.as_bytes());
        let told = told.collect::<Vec<_>>().join(&b"; "[..]);
        if let Some(mut value) = HeaderValue::from_bytes(&told).ok().filter(|_| !told.is_empty()) {
            value.set_sensitive(true);
            headers.insert(COOKIE, value);
        }
    }
}

impl Cookie {
    fn is_for(&self, target: &Target) -> bool {
        let path = target.path_and_query().path();
        let is_below = path
            .strip_prefix(&*self.path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || self.path.ends_with('/'));
        is_below && self.host == target.origin().host && (!self.needs_tls || target.origin().scheme == Scheme::Https)
    }
}

/// A line of Set-Cookie, and whether it only takes the cookie back.
fn read(target: &Target, line: &str) -> Option<(Cookie, bool)> {
    let mut parts = line.split(';').map(str::trim);
    let pair = parts.next()?;
    let (name, _) = pair.split_once('=')?;
    let is_kept = !name.trim().is_empty() && pair.len() <= Cookies::LONGEST;
    let mut value = HeaderValue::from_str(pair).ok().filter(|_| is_kept)?;
    value.set_sensitive(true);
    let mut cookie = Cookie {
        host: target.origin().host.clone(),
        path: folder(target.path_and_query().path()).to_owned(),
        name: name.trim().to_owned(),
        pair: value,
        needs_tls: false,
    };
    let mut is_over = false;
    for attribute in parts {
        let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
            "secure" => cookie.needs_tls = true,
            "max-age" => is_over |= value.trim().parse::<i64>().is_ok_and(|seconds| seconds <= 0),
            // The usual way to take one back; no attempt lasts until another date.
            "expires" => is_over |= value.contains("1970"),
            _ => {}
        }
    }
    Some((cookie, is_over))
}

/// The folder of a path, without the slash at its end.
fn folder(path: &str) -> &str {
    match path.rfind('/') {
        None | Some(0) => "/",
        Some(last) => &path[..last],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SET_AT: &str = "https://host:81/dir/page";

    /// What is told at `url` after these lines of Set-Cookie.
    fn told(lines: &[&str], url: &str) -> Option<String> {
        let mut cookies = Cookies::default();
        for line in lines {
            let headers = [(SET_COOKIE, HeaderValue::from_str(line).unwrap())].into_iter().collect();
            cookies.take_in(&Target::parse(SET_AT).unwrap(), &headers);
        }
        let mut headers = HeaderMap::new();
        cookies.add_to(&Target::parse(url).unwrap(), &mut headers);
        headers.get(COOKIE).map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_cookie_goes_back_to_its_host_and_folder() {
        let table = [
            ("https://host:81/dir/page", true),
            ("https://host/dir/other/page?x", true),
            ("http://host/dir", true),
            ("https://host/dirty", false),
            ("https://host/", false),
            ("https://other.host/dir/page", false),
        ];
        for (url, is_told) in table {
            assert_eq!(told(&["a=1; Domain=host; HttpOnly"], url), is_told.then(|| "a=1".to_owned()), "{url}");
        }
    }

    #[test]
    fn its_attributes_say_otherwise() {
        assert_eq!(told(&["a=1; path=/"], "http://host/x").as_deref(), Some("a=1"));
        assert_eq!(told(&["a=1; Path=/x"], SET_AT), None);
        assert_eq!(told(&["a=1; secure"], "http://host/dir/page"), None);
        assert_eq!(told(&["a=1; secure"], SET_AT).as_deref(), Some("a=1"));
    }

    #[test]
    fn what_is_as_good_as_credentials_is_told_as_it_was_set() {
        let set = [(SET_COOKIE, HeaderValue::from_static("a=1; path=/"))].into_iter().collect();
        let is_told = |set_at, url| {
            let (mut cookies, mut headers) = (Cookies::default(), HeaderMap::new());
            cookies.take_in_credentials(&Target::parse(set_at).unwrap(), &set);
            cookies.add_to(&Target::parse(url).unwrap(), &mut headers);
            headers.contains_key(COOKIE)
        };

        assert!(is_told("https://host/", "https://host/"));
        assert!(!is_told("https://host/", "http://host/"));
        assert!(is_told("http://host/", "http://host/"));
    }

    #[test]
    fn a_later_one_takes_its_place_or_takes_it_back() {
        assert_eq!(told(&["a=1", "b=2", "a=3"], SET_AT).as_deref(), Some("b=2; a=3"));
        assert_eq!(told(&["a=1", "a=; Max-Age=0"], SET_AT), None);
        assert_eq!(told(&["a=1", "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], SET_AT), None);
    }

    #[test]
    fn what_is_no_cookie_is_passed_over_and_of_many_the_newest_are_kept() {
        let long = format!("a={}", "x".repeat(4095));
        assert_eq!(told(&["", "=1", "flag", &long], SET_AT), None);
        let many: Vec<String> = (0..60).map(|n| format!("n{n}={n}")).collect();
        let told = told(&many.iter().map(String::as_str).collect::<Vec<_>>(), SET_AT).unwrap();
        assert_eq!((told.split("; ").count(), told.starts_with("n10=10;")), (50, true));
    }

    #[test]
    fn the_clients_own_word_stands_alone() {
        let mut cookies = Cookies::default();
        let target = Target::parse(SET_AT).unwrap();
        cookies.take_in(&target, &[(SET_COOKIE, HeaderValue::from_static("a=1"))].into_iter().collect());
        let mut headers: HeaderMap = [(COOKIE, HeaderValue::from_static("own=2"))].into_iter().collect();

        cookies.add_to(&target, &mut headers);

        assert_eq!(headers.get_all(COOKIE).iter().collect::<Vec<_>>(), ["own=2"]);
    }

    proptest! {
        #[test]
        fn whatever_is_set_can_be_told(lines in proptest::collection::vec("[ -~\t]{0,40}", 0..80)) {
            let lines: Vec<&str> = lines.iter().map(|line| line.trim_matches(['\t', ' '])).collect();
            let told = told(&lines, SET_AT).unwrap_or_default();
            prop_assert!(told.split("; ").count() <= 50 && !told.contains(['\r', '\n']));
        }
    }
}
