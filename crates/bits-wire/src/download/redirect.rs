//! Redirects, under the default policy: followed silently (clause `http.redirect_success`).

use http::StatusCode;
use http::header::LOCATION;

use super::{Answer, Scheme, Target, status_failure, transient};
use crate::attempt::Failure;
use bits_api::Hresult;
use bits_world::{Decisions, Switch};

/// The places that an attempt was sent to.
#[derive(Clone, Debug)]
pub struct Redirects {
    seen: Vec<Target>,
    decisions: Decisions,
}

impl Redirects {
    /// No redirect yet: the attempt is at `start`.
    pub fn new(start: Target) -> Self {
        Self { seen: vec![start], decisions: Decisions::default() }
    }

    /// The same by other choices where the documentation is silent.
    #[must_use]
    pub fn by(self, decisions: &Decisions) -> Self {
        Self { decisions: decisions.clone(), ..self }
    }

    /// Where the next request goes.
    pub fn target(&self) -> &Target {
        // The list begins with one entry and only grows.
        &self.seen[self.seen.len() - 1]
    }

    /// Follows `answer` when it is a redirect; returns whether it was one.
    ///
    /// # Errors
    /// `BG_E_HTTP_ERROR_3xx` for a redirect that leads from HTTPS to HTTP (clause
    /// `http_options.set_security_flags.https_to_http_default`), away from HTTP, or nowhere;
    /// `ERROR_WINHTTP_REDIRECT_FAILED` for a circle and for one too many.
    pub fn follow(&mut self, answer: &Answer<'_>) -> Result<bool, Failure> {
        if !matches!(answer.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(false);
        }
        let next = answer.headers.get(LOCATION).and_then(|location| self.resolve(location.as_bytes()));
        let next = next.ok_or(refused(answer.status))?;
        // Usually as many as WinHTTP follows by default.
        let is_one_too_many = self.seen.len() as u64 > self.decisions.count(Switch::MostRedirects);
        if is_one_too_many {
            self.decisions.note(Switch::MostRedirects);
        }
        if is_one_too_many || self.seen.contains(&next) {
            return Err(transient(Hresult::ERROR_WINHTTP_REDIRECT_FAILED));
        }
        self.seen.push(next);
        Ok(true)
    }

    fn resolve(&self, location: &[u8]) -> Option<Target> {
        let next = self.target().join(std::str::from_utf8(location).ok()?)?;
        let downgrade = self.target().origin().scheme == Scheme::Https && next.origin().scheme == Scheme::Http;
        (!downgrade).then_some(next)
    }
}

/// A redirect that is not followed shows its status.
fn refused(status: StatusCode) -> Failure {
    Failure { transient: false, ..status_failure(status) }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Version};

    use super::*;

    fn follow(redirects: &mut Redirects, status: u16, location: Option<&str>) -> Result<bool, Failure> {
        let mut headers = HeaderMap::new();
        if let Some(location) = location {
            headers.insert(LOCATION, HeaderValue::from_str(location).unwrap());
        }
        let status = StatusCode::from_u16(status).unwrap();
        redirects.follow(&Answer { version: Version::HTTP_11, status, headers: &headers })
    }

    fn at(url: &str) -> Redirects {
        Redirects::new(Target::parse(url).unwrap())
    }

    #[test]
    fn redirects_are_followed_to_other_paths_and_other_hosts() {
        let mut redirects = at("http://a/dir/file");

        assert_eq!(follow(&mut redirects, 301, Some("other?x=1")), Ok(true));
        assert_eq!(redirects.target(), &Target::parse("http://a/dir/other?x=1").unwrap());
        assert_eq!(follow(&mut redirects, 307, Some("https://b/file#fragment")), Ok(true));
        assert_eq!(redirects.target(), &Target::parse("https://b/file").unwrap());
    }

    #[test]
    fn other_answers_are_no_redirects() {
        for status in [200, 206, 300, 304, 305, 404, 503] {
            assert_eq!(follow(&mut at("http://a/"), status, Some("/b")), Ok(false), "{status}");
        }
    }

    #[test]
    fn a_circle_fails() {
        let mut redirects = at("http://a/1");

        assert_eq!(follow(&mut redirects, 302, Some("/2")), Ok(true));
        let failure = follow(&mut redirects, 302, Some("/1")).unwrap_err();
        assert_eq!(failure.code, Hresult::ERROR_WINHTTP_REDIRECT_FAILED);
    }

    #[test]
    fn the_eleventh_redirect_fails_or_the_one_after_those_that_were_chosen() {
        let mut two = Decisions::default();
        two.set("http.redirects_followed", "2").unwrap();
        for (decisions, most) in [(Decisions::default(), 10), (two, 2)] {
            let mut redirects = at("http://a/0").by(&decisions);

            for n in 1..=most {
                assert_eq!(follow(&mut redirects, 302, Some(&format!("/{n}"))), Ok(true));
            }
            assert!(decisions.touched().is_empty());
            let failure = follow(&mut redirects, 302, Some("/more")).unwrap_err();

            assert_eq!(failure.code, Hresult::ERROR_WINHTTP_REDIRECT_FAILED);
            assert_eq!(decisions.touched(), ["http.redirects_followed"]);
        }
    }

    #[test]
    fn from_https_to_http_and_away_from_http_no_redirect_is_followed() {
        let cases = [Some("http://a/"), Some("ftp://a/"), Some("file:///etc/passwd"), Some("http://"), None];
        for location in cases {
            let failure = follow(&mut at("https://a/x"), 302, location).unwrap_err();
            assert_eq!(failure.code, Hresult::BG_E_HTTP_ERROR_302, "{location:?}");
            assert!(!failure.transient);
        }
    }
}
