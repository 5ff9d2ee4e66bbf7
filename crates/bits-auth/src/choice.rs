//! Which of the schemes that are offered is answered.

use bits_api::{AuthScheme, AuthTarget};
use bits_wire::auth::{Login, Logins};

use crate::challenge::Challenge;

/// From the strongest to the weakest (a decision, `job2.set_credentials.choose`).
const BY_STRENGTH: [AuthScheme; 5] =
    [AuthScheme::NEGOTIATE, AuthScheme::NTLM, AuthScheme::PASSPORT, AuthScheme::DIGEST, AuthScheme::BASIC];

/// The strongest scheme that is offered and that the job has a record for, or else one for which
/// something stands in.
pub(crate) fn choose<'l>(
    challenges: &[Challenge<'_>],
    target: AuthTarget,
    logins: &'l Logins,
) -> Option<(AuthScheme, &'l Login)> {
    let is_offered = |scheme| challenges.iter().any(|challenge| challenge.scheme == scheme);
    // No proxy signs anybody in.
    let signs_in = |scheme| (scheme, target) != (AuthScheme::PASSPORT, AuthTarget::PROXY);
    let answered: Vec<_> = BY_STRENGTH.into_iter().filter(|scheme| is_offered(*scheme) && signs_in(*scheme)).collect();
    logins.first_of(target, &answered)
}

#[cfg(test)]
mod tests {
    use bits_wire::Secret;

    use super::*;
    use crate::challenge::in_line;

    fn chosen(line: &str, records: &[(AuthTarget, AuthScheme)]) -> Option<AuthScheme> {
        let login = Login { user_name: Secret::new("name"), password: Secret::new("password") };
        let logins = records.iter().map(|record| (*record, login.clone())).collect();
        choose(&in_line(line), AuthTarget::SERVER, &logins).map(|(scheme, _)| scheme)
    }

    #[test]
    fn the_strongest_scheme_with_a_record_is_chosen() {
        let [basic, digest] = [AuthScheme::BASIC, AuthScheme::DIGEST].map(|scheme| (AuthTarget::SERVER, scheme));
        let line = "Basic realm=x, Digest realm=x, NTLM";

        assert_eq!(chosen(line, &[basic, digest]), Some(AuthScheme::DIGEST));
        assert_eq!(chosen(line, &[basic]), Some(AuthScheme::BASIC));
        assert_eq!(chosen("NTLM", &[basic, digest]), None);
        assert_eq!(chosen(line, &[(AuthTarget::PROXY, AuthScheme::BASIC)]), None);
    }
}
