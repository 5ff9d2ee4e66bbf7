//! Passport where bytes move: a server that asks for it, a nexus, and a login server.

use bits_api::{AuthCredentials, AuthScheme, AuthTarget, ProxyUsage, SecurityFlags};
use bits_origin::{Fault, Guard, Journal, Origin, Passport, PassportOddity, Rule, Scheme, Script};
use bits_world::Passport as Servers;

use super::http::{bytes, content};
use super::prelude::*;

cases![
    a_partner_that_asks_is_shown_a_token_and_then_cookies,
    name_and_password_are_for_the_login_server_alone,
    what_the_login_server_refuses_is_the_error_of_the_job,
    a_login_server_of_another_realm_hears_no_password,
    a_partner_that_takes_no_token_is_an_error,
    a_login_server_may_lead_on_but_not_for_ever,
    nothing_leads_from_https_to_http,
    a_nexus_that_makes_no_sense_is_an_error,
    without_a_nexus_nobody_is_asked,
    a_login_server_may_be_set_by_hand,
    a_login_server_that_is_away_is_a_passing_error,
    a_later_version_has_the_nexus_asked_again,
    without_a_record_a_challenge_is_a_redirect,
    passport_is_chosen_by_its_strength,
    no_proxy_signs_anybody_in,
    the_servers_beside_are_reached_through_the_jobs_proxy,
    the_servers_beside_see_nothing_of_the_jobs_own,
    a_token_goes_where_it_was_asked_for,
    the_files_of_a_job_share_a_sign_in,
    what_stands_for_a_token_stays_encrypted,
    a_server_that_was_not_named_has_nobody_sign_in,
];

const NAME: &str = "user1@example.com";
const PASSWORD: &str = "correct, horse";
const EXPLICIT: [&str; 2] = ["auth.passport_explicit", "auth.scheme.passport.explicit_only"];
const REFUSED: (ErrorContext, Hresult) = (ErrorContext::REMOTE_FILE, Hresult::BG_E_HTTP_ERROR_401);

fn passport() -> Passport {
    Passport::new("Test.Net").knows(NAME, PASSWORD)
}

/// A server with a file behind Passport, which is its own nexus and login server.
fn partner(c: &mut Bench, oddities: &[PassportOddity]) -> Result<Arc<Origin>, Stop> {
    let origin = c.origin()?;
    c.trust_origin()?;
    origin.put("/file", content());
    let passport = oddities.iter().cloned().fold(passport(), Passport::oddly);
    origin.guard_by_passport("/file*", passport);
    origin.journal_credentials();
    Ok(origin)
}

fn use_nexus(c: &Bench, url: &str) -> Outcome {
    let servers = Servers::nexus(url).map_err(|error| Stop::Failed(error.to_string()))?;
    c.set_passport(servers)
}

fn set(job: &Arc<dyn Job>, target: AuthTarget, password: &str) -> Outcome {
    let (scheme, user_name, password) = (AuthScheme::PASSPORT, Some(NAME), Some(password));
    job.job2()?.set_credentials(&AuthCredentials { target, scheme, user_name, password })?;
    Ok(())
}

/// A suspended job for a file of the partner that can sign in, by HTTP.
fn member(c: &Bench, origin: &Origin) -> Result<Arc<dyn Job>, Stop> {
    use_nexus(c, &origin.url(Passport::NEXUS))?;
    let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
    set(&job, AuthTarget::SERVER, PASSWORD)?;
    Ok(job)
}

/// Method, path and status of each request.
fn seen(journal: &Journal) -> Vec<String> {
    let line = |request: &bits_origin::Request| {
        format!("{} {} {}", request.method, request.path, request.status.unwrap_or_default())
    };
    journal.iter().map(line).collect()
}

/// What came in Authorization with each request, without the partner's own words.
fn said(journal: &Journal) -> Vec<String> {
    let word = |value: &str| value.split(",OrgVerb").next().unwrap_or_default().to_owned();
    journal.iter().map(|request| request.header("Authorization").map(word).unwrap_or_default()).collect()
}

/// How many requests came with a password.
fn tellings(journal: &Journal) -> usize {
    said(journal).iter().filter(|value| value.contains("pwd=")).count()
}

fn lines(expected: &[&str]) -> Vec<String> {
    expected.iter().map(|line| (*line).to_owned()).collect()
}

fn downloads(c: &mut Bench, job: &Arc<dyn Job>, clauses: &[&'static str]) -> Outcome {
    c.wait(job, JobState::TRANSFERRED, SOON)?;
    job.complete()?;
    for clause in clauses {
        c.holds(*clause, "the file has the bytes of the server's", c.downloaded()? == bytes())?;
    }
    Ok(())
}

/// Resumes a job and lets it fail like a refused sign-in.
fn is_refused(c: &mut Bench, job: &Arc<dyn Job>, clauses: [&'static str; 2]) -> Outcome {
    job.resume()?;
    c.wait(job, JobState::ERROR, SOON)?;
    c.is(clauses, error_of(job)?, REFUSED)
}

fn a_partner_that_asks_is_shown_a_token_and_then_cookies(c: &mut Bench) -> Outcome {
    for (is_https, challenge) in [(false, 302), (true, 302), (false, 401)] {
        c.start_over();
        let oddities = if challenge == 401 { vec![PassportOddity::ChallengesBy401] } else { vec![] };
        let origin = partner(c, &oddities)?;
        let url = |path| if is_https { origin.https_url(path) } else { origin.url(path) };
        use_nexus(c, &url(Passport::NEXUS))?;
        let job = c.job_for(&url("/file"), JobPriority::NORMAL)?;
        set(&job, AuthTarget::SERVER, PASSWORD)?;
        job.resume()?;
        downloads(c, &job, &["auth.schemes", "auth.scheme.supported_set", EXPLICIT[0], EXPLICIT[1]])?;
        let journal = origin.journal();
        let expected = [
            &format!("HEAD /file {challenge}"),
            "GET /rdr/pprdr.asp 200",
            "GET /login2.srf 401",
            "GET /login2.srf 200",
            "HEAD /file 200",
            "GET /file 206",
        ];
        c.is(EXPLICIT, seen(&journal), lines(&expected))?;
        let shown: Vec<_> =
            journal.requests_to("/file").iter().map(|request| request.header("Authorization").is_some()).collect();
        c.is("auth.only_on_challenge", shown, vec![false, true, false])?;
    }
    Ok(())
}

fn name_and_password_are_for_the_login_server_alone(c: &mut Bench) -> Outcome {
    let origin = partner(c, &[])?;
    let job = member(c, &origin)?;
    job.resume()?;
    downloads(c, &job, &[EXPLICIT[0]])?;
    let said = said(&origin.journal());
    let told = "Passport1.4 sign-in=user1%40example.com,pwd=correct%2C%20horse,elapsed-time=0";
    c.is("auth.basic_credentials.user_name.passport_form", said[3].clone(), told.to_owned())?;
    c.is(EXPLICIT[0], tellings(&origin.journal()), 1)?;
    c.is("auth.only_on_challenge", said[..3].to_vec(), lines(&["", "", "Passport1.4 tname="]))?;
    c.holds(EXPLICIT[0], "the partner is shown a token", said[4].starts_with("Passport1.4 from-PP='t="))?;
    let form = "nobody's address";
    let job = c.job_for(&origin.url("/file?again"), JobPriority::NORMAL)?;
    let (target, scheme) = (AuthTarget::SERVER, AuthScheme::PASSPORT);
    job.job2()?.set_credentials(&AuthCredentials { target, scheme, user_name: Some(form), password: Some("x") })?;
    is_refused(c, &job, EXPLICIT)?;
    let told = self::said(&origin.journal()).last().cloned().unwrap_or_default();
    let whole = "Passport1.4 sign-in=nobody%27s%20address,pwd=x,elapsed-time=0";
    c.is("auth.basic_credentials.user_name.passport_form", told, whole.to_owned())
}

fn what_the_login_server_refuses_is_the_error_of_the_job(c: &mut Bench) -> Outcome {
    let origin = partner(c, &[])?;
    let job = member(c, &origin)?;
    set(&job, AuthTarget::SERVER, "wrong")?;
    is_refused(c, &job, ["job2.set_credentials.rejected", "job2.set_credentials.error_server"])?;
    let expected = ["HEAD /file 302", "GET /rdr/pprdr.asp 200", "GET /login2.srf 401", "GET /login2.srf 401"];
    c.is("job2.set_credentials.rejected", seen(&origin.journal()), lines(&expected))?;
    set(&job, AuthTarget::SERVER, PASSWORD)?;
    job.resume()?;
    downloads(c, &job, &["job2.set_credentials.retry"])
}

fn a_login_server_of_another_realm_hears_no_password(c: &mut Bench) -> Outcome {
    for oddity in [PassportOddity::OtherRealm, PassportOddity::NeverAgain] {
        c.start_over();
        let origin = partner(c, &[oddity])?;
        let job = member(c, &origin)?;
        is_refused(c, &job, EXPLICIT)?;
        c.is(EXPLICIT, tellings(&origin.journal()), 0)?;
        c.is(EXPLICIT, origin.journal().len(), 3)?;
    }
    Ok(())
}

fn a_partner_that_takes_no_token_is_an_error(c: &mut Bench) -> Outcome {
    for also in [PassportOddity::SetsNoCookie, PassportOddity::ChallengesBy401] {
        c.start_over();
        let origin = partner(c, &[PassportOddity::TakesNoToken, also])?;
        let job = member(c, &origin)?;
        is_refused(c, &job, ["job2.set_credentials.rejected", EXPLICIT[0]])?;
        c.is("job2.set_credentials.rejected", origin.journal().requests_to("/file").len(), 2)?;
        c.is("job2.set_credentials.rejected", tellings(&origin.journal()), 1)?;
    }
    Ok(())
}

fn a_login_server_may_lead_on_but_not_for_ever(c: &mut Bench) -> Outcome {
    let origin = partner(c, &[PassportOddity::SendsOn(2)])?;
    let job = member(c, &origin)?;
    job.resume()?;
    downloads(c, &job, &[EXPLICIT[0]])?;
    let expected = ["GET /login2.srf 302", "GET /login3.srf?1 302", "GET /login3.srf?2 200"];
    c.is(EXPLICIT[0], seen(&origin.journal())[3..6].to_vec(), lines(&expected))?;
    let endless = [
        // The login server, and ten more.
        (PassportOddity::SendsAbout, 11),
        (PassportOddity::SendsTo("/login2.srf".to_owned()), 1),
        (PassportOddity::SendsTo("gopher://nowhere".to_owned()), 1),
    ];
    for (oddity, asked) in endless {
        c.start_over();
        let origin = partner(c, &[oddity])?;
        let job = member(c, &origin)?;
        is_refused(c, &job, EXPLICIT)?;
        // Beside them the partner and the nexus.
        c.is(EXPLICIT[0], origin.journal().len(), 2 + asked)?;
    }
    Ok(())
}

fn nothing_leads_from_https_to_http(c: &mut Bench) -> Outcome {
    for oddity in [PassportOddity::NamesPlainLogin, PassportOddity::SendsToPlain] {
        c.start_over();
        let origin = partner(c, &[oddity])?;
        use_nexus(c, &origin.https_url(Passport::NEXUS))?;
        let job = c.job_for(&origin.https_url("/file"), JobPriority::NORMAL)?;
        set(&job, AuthTarget::SERVER, PASSWORD)?;
        is_refused(c, &job, EXPLICIT)?;
        c.holds(EXPLICIT[0], "all was said by HTTPS", origin.journal().iter().all(|request| request.https))?;
    }
    Ok(())
}

fn a_nexus_that_makes_no_sense_is_an_error(c: &mut Bench) -> Outcome {
    for says in ["", "DARealm=Test.Net", "DALogin=login2.srf", "\u{fffd}"] {
        c.start_over();
        let origin = partner(c, &[PassportOddity::NexusSays(says.to_owned())])?;
        let job = member(c, &origin)?;
        is_refused(c, &job, EXPLICIT)?;
        c.is(EXPLICIT[0], origin.journal().len(), 2)?;
    }
    c.start_over();
    c.decide("passport.failure", "ERROR_WINHTTP_LOGIN_FAILURE")?;
    let origin = partner(c, &[PassportOddity::NexusSays(String::new())])?;
    let job = member(c, &origin)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.is(EXPLICIT[0], error_of(&job)?, (ErrorContext::REMOTE_FILE, Hresult::ERROR_WINHTTP_LOGIN_FAILURE))
}

fn without_a_nexus_nobody_is_asked(c: &mut Bench) -> Outcome {
    let origin = partner(c, &[])?;
    let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
    set(&job, AuthTarget::SERVER, PASSWORD)?;
    is_refused(c, &job, EXPLICIT)?;
    c.is(EXPLICIT[0], seen(&origin.journal()), lines(&["HEAD /file 302"]))
}

fn a_login_server_may_be_set_by_hand(c: &mut Bench) -> Outcome {
    let origin = partner(c, &[])?;
    let servers = Servers::login_server(&origin.url("/login2.srf"), "Test.Net", 1);
    c.set_passport(servers.map_err(|error| Stop::Failed(error.to_string()))?)?;
    let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
    set(&job, AuthTarget::SERVER, PASSWORD)?;
    job.resume()?;
    downloads(c, &job, &[EXPLICIT[0]])?;
    c.is(EXPLICIT[0], origin.journal().requests_to(Passport::NEXUS).len(), 0)
}

fn a_login_server_that_is_away_is_a_passing_error(c: &mut Bench) -> Outcome {
    let origin = partner(c, &[])?;
    let away = c.proxy()?;
    let nobody = away.url(Passport::NEXUS);
    drop(away);
    let job = member(c, &origin)?;
    use_nexus(c, &nobody)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSIENT_ERROR, SOON)?;
    c.is(EXPLICIT[0], error_of(&job)?.1, Hresult::ERROR_WINHTTP_CANNOT_CONNECT)?;
    use_nexus(c, &origin.url(Passport::NEXUS))?;
    c.follow(Rule::on("/login2.srf").times(1).fault(Fault::Status { code: 503, retry_after: None }))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSIENT_ERROR, SOON)?;
    c.is(EXPLICIT[0], error_of(&job)?.1, Hresult::BG_E_HTTP_ERROR_503)?;
    job.resume()?;
    downloads(c, &job, &[EXPLICIT[0]])
}

fn a_later_version_has_the_nexus_asked_again(c: &mut Bench) -> Outcome {
    for (told, asked) in [(1, 1), (2, 2)] {
        c.start_over();
        let origin = partner(c, &[PassportOddity::TellsVersion(told), PassportOddity::SetsNoCookie])?;
        let job = member(c, &origin)?;
        job.resume()?;
        downloads(c, &job, &[EXPLICIT[0]])?;
        // HEAD and GET each sign in; the second time the login server knows the client by its cookie.
        c.is(EXPLICIT[0], origin.journal().requests_to(Passport::NEXUS).len(), asked)?;
        c.is(EXPLICIT[0], (origin.journal().requests_to("/login2.srf").len(), tellings(&origin.journal())), (3, 1))?;
    }
    Ok(())
}

fn without_a_record_a_challenge_is_a_redirect(c: &mut Bench) -> Outcome {
    let records =
        [None, Some((AuthTarget::PROXY, AuthScheme::PASSPORT)), Some((AuthTarget::SERVER, AuthScheme::BASIC))];
    for record in records {
        c.start_over();
        let origin = partner(c, &[])?;
        use_nexus(c, &origin.url(Passport::NEXUS))?;
        let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
        if let Some((target, scheme)) = record {
            let (user_name, password) = (Some(NAME), Some(PASSWORD));
            job.job2()?.set_credentials(&AuthCredentials { target, scheme, user_name, password })?;
        }
        job.resume()?;
        c.wait(&job, JobState::ERROR, SOON)?;
        c.is("auth.passport_explicit", seen(&origin.journal()), lines(&["HEAD /file 302", "HEAD /signin.html 404"]))?;
    }
    Ok(())
}

fn passport_is_chosen_by_its_strength(c: &mut Bench) -> Outcome {
    let others = [
        (AuthScheme::DIGEST, "Digest realm=\"x\", nonce=\"y\"", true),
        (AuthScheme::BASIC, "Basic realm=\"x\"", true),
        (AuthScheme::NTLM, "NTLM", false),
    ];
    for (scheme, challenge, is_weaker) in others {
        c.start_over();
        let origin = partner(c, &[PassportOddity::ChallengesBy401, PassportOddity::OffersToo(challenge.to_owned())])?;
        let job = member(c, &origin)?;
        let (target, user_name, password) = (AuthTarget::SERVER, Some(NAME), Some(PASSWORD));
        job.job2()?.set_credentials(&AuthCredentials { target, scheme, user_name, password })?;
        job.resume()?;
        c.settle()?;
        let signed_in = !origin.journal().requests_to(Passport::NEXUS).is_empty();
        c.is("auth.passport_explicit", signed_in, is_weaker)?;
        c.is("auth.passport_explicit", job.state()? == JobState::TRANSFERRED, is_weaker)?;
    }
    Ok(())
}

fn no_proxy_signs_anybody_in(c: &mut Bench) -> Outcome {
    let origin = partner(c, &[])?;
    let proxy = c.proxy()?;
    let challenge = Fault::Header("Proxy-Authenticate".to_owned(), "Passport1.4 id=507".to_owned());
    let refusal = Rule::on("*").fault(Fault::Status { code: 407, retry_after: None }).fault(challenge);
    proxy.script(Script::new().rule(refusal));
    let job = member(c, &origin)?;
    set(&job, AuthTarget::PROXY, PASSWORD)?;
    job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(&proxy.address().to_string()), None)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.returns("job2.set_credentials.error_proxy", error_of(&job)?.1)?;
    c.is("auth.passport_explicit", (proxy.journal().len(), origin.journal().len()), (1, 0))
}

fn the_servers_beside_are_reached_through_the_jobs_proxy(c: &mut Bench) -> Outcome {
    for is_https in [false, true] {
        c.start_over();
        let origin = partner(c, &[])?;
        let proxy = c.proxy()?;
        proxy.journal_credentials();
        proxy.guard_proxy(Guard::new("proxy").offers(Scheme::Basic).knows("alice", "secret"));
        let url = |path| if is_https { origin.https_url(path) } else { origin.url(path) };
        use_nexus(c, &url(Passport::NEXUS))?;
        let job = c.job_for(&url("/file"), JobPriority::NORMAL)?;
        set(&job, AuthTarget::SERVER, PASSWORD)?;
        let (target, scheme) = (AuthTarget::PROXY, AuthScheme::BASIC);
        let record = AuthCredentials { target, scheme, user_name: Some("alice"), password: Some("secret") };
        job.job2()?.set_credentials(&record)?;
        job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(&proxy.address().to_string()), None)?;
        job.resume()?;
        downloads(c, &job, &["auth.schemes", EXPLICIT[0]])?;
        let (through, all) = (proxy.journal(), origin.journal());
        let passed = through.iter().filter(|request| request.status == Some(200)).count();
        let others = all.iter().filter(|request| request.header("Proxy-Authorization").is_some()).count();
        c.holds("auth.schemes", "each server was reached through the proxy", passed >= 3)?;
        c.is("auth.schemes", (all.len(), others, tellings(&through)), (6, 0, usize::from(!is_https)))?;
    }
    Ok(())
}

fn the_servers_beside_see_nothing_of_the_jobs_own(c: &mut Bench) -> Outcome {
    let origin = partner(c, &[])?;
    let job = member(c, &origin)?;
    job.http_options()?.set_custom_headers(Some("X-Own: mine\r\n"))?;
    job.resume()?;
    downloads(c, &job, &[EXPLICIT[0]])?;
    let own: Vec<_> = origin.journal().iter().map(|request| request.header("X-Own").is_some()).collect();
    c.is(EXPLICIT[0], own, vec![true, false, false, false, true, true])?;
    // What the job excuses of its own server is not excused of those who hear the password.
    c.start_over();
    let origin = c.origin()?;
    origin.put("/file", content());
    origin.guard_by_passport("/file", passport());
    origin.journal_credentials();
    use_nexus(c, &origin.https_url(Passport::NEXUS))?;
    let job = c.job_for(&origin.https_url("/file"), JobPriority::NORMAL)?;
    set(&job, AuthTarget::SERVER, PASSWORD)?;
    job.http_options()?.set_security_flags(SecurityFlags::IGNORE_UNKNOWN_CA)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.is(EXPLICIT[0], error_of(&job)?.1, Hresult::ERROR_WINHTTP_SECURE_INVALID_CA)?;
    c.is(EXPLICIT[0], seen(&origin.journal()), lines(&["HEAD /file 302"]))
}

fn a_token_goes_where_it_was_asked_for(c: &mut Bench) -> Outcome {
    let other = c.proxy()?;
    let origin = partner(c, &[PassportOddity::SendsBackTo(other.url("/file"))])?;
    let job = member(c, &origin)?;
    is_refused(c, &job, EXPLICIT)?;
    c.is(EXPLICIT[0], other.journal().len(), 0)?;
    c.start_over();
    let origin = partner(c, &[PassportOddity::SendsBackTo("nowhere".to_owned())])?;
    let job = member(c, &origin)?;
    is_refused(c, &job, EXPLICIT)?;
    for (flags, state) in
        [(SecurityFlags::empty(), JobState::TRANSFERRED), (SecurityFlags::REDIRECT_POLICY_DISALLOW, JobState::ERROR)]
    {
        c.start_over();
        let origin = partner(c, &[])?;
        let back = origin.url("/file-elsewhere");
        origin.put("/file-elsewhere", content());
        origin.guard_by_passport("/file*", passport().oddly(PassportOddity::SendsBackTo(back)));
        let job = member(c, &origin)?;
        job.http_options()?.set_security_flags(flags)?;
        job.resume()?;
        c.wait(&job, state, SOON)?;
        let redirected = seen(&origin.journal()).contains(&"HEAD /file-elsewhere 200".to_owned());
        c.is(EXPLICIT[0], redirected, state == JobState::TRANSFERRED)?;
    }
    Ok(())
}

fn the_files_of_a_job_share_a_sign_in(c: &mut Bench) -> Outcome {
    let origin = partner(c, &[])?;
    let job = member(c, &origin)?;
    job.add_file(Some(&origin.url("/file?two")), Some(&c.local("two.bin")))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is(EXPLICIT[0], (origin.journal().len(), tellings(&origin.journal())), (8, 1))?;
    // The cookies of one are nobody else's.
    let job = c.job_for(&origin.url("/file?three"), JobPriority::NORMAL)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.is(EXPLICIT[0], seen(&origin.journal())[8..].to_vec(), lines(&["HEAD /file?three 302", "HEAD /signin.html 404"]))
}

fn what_stands_for_a_token_stays_encrypted(c: &mut Bench) -> Outcome {
    let origin = partner(c, &[])?;
    origin.put("/open", content());
    use_nexus(c, &origin.https_url(Passport::NEXUS))?;
    let job = c.job_for(&origin.https_url("/file"), JobPriority::NORMAL)?;
    job.add_file(Some(&origin.url("/open")), Some(&c.local("open.bin")))?;
    set(&job, AuthTarget::SERVER, PASSWORD)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let journal = origin.journal();
    let (open, encrypted): (Vec<_>, Vec<_>) = journal.iter().partition(|request| !request.https);
    let told = |requests: &[&bits_origin::Request]| requests.iter().any(|request| request.header("Cookie").is_some());
    c.is(EXPLICIT[0], (open.is_empty(), told(&open), told(&encrypted)), (false, false, true))
}

fn a_server_that_was_not_named_has_nobody_sign_in(c: &mut Bench) -> Outcome {
    let named = c.proxy()?;
    let origin = partner(c, &[])?;
    let status = Fault::Status { code: 302, retry_after: None };
    let there = Fault::Header("Location".to_owned(), origin.url("/file"));
    named.script(Script::new().rule(Rule::on("/file").fault(status).fault(there)));
    use_nexus(c, &origin.url(Passport::NEXUS))?;
    let job = c.job_for(&named.url("/file"), JobPriority::NORMAL)?;
    set(&job, AuthTarget::SERVER, PASSWORD)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    // Its challenge is a redirect like any other.
    c.is("auth.target.server", seen(&origin.journal()), lines(&["HEAD /file 302", "HEAD /signin.html 404"]))?;
    c.is("auth.target.server", said(&origin.journal()).concat(), String::new())
}
