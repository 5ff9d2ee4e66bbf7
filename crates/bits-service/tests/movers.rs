//! Jobs come to the same over the simulation as over HTTP, at servers of the same URLs.

use std::sync::Arc;
use std::time::Duration;

use bits_api::{
    AuthCredentials, AuthScheme, AuthTarget, ErrorContext, Hresult, Job, JobState, JobType, ProxyUsage, SecurityFlags,
};
use bits_origin::{Content, Digest, Guard, Origin, Script};
use bits_service::{Builder, Emulator, SimGuard, SimScheme, Simulation, What};
use bits_world::clock::{Clock, VirtualClock};
use tempfile::TempDir;

const SIZE: u64 = 3_000;
const NAME: &str = r"EXAMPLE\alice";
const RIGHT: &str = "correct horse";
const WRONG: &str = "battery staple";
const LONG: Duration = Duration::from_hours(1);

const SERVER: AuthTarget = AuthTarget::SERVER;
const PROXY: AuthTarget = AuthTarget::PROXY;

/// A job of two files.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    /// What the server of the files offers to whoever asks; it is open where that is nothing.
    server: &'static [SimScheme],
    /// What the proxy does; there is none where that is nothing.
    proxy: &'static [SimScheme],
    https: bool,
    /// Where the client asks first: another server, which sends it to the files.
    elsewhere: bool,
    /// Whether its URLs say who asks.
    in_url: bool,
    /// The passwords that the job has.
    sets: &'static [(AuthTarget, AuthScheme, &'static str)],
    flags: SecurityFlags,
    decisions: &'static [(&'static str, &'static str)],
    end: End,
    /// Whether what was told was accepted, each time.
    judged: &'static [bool],
}

type End = Result<(), Hresult>;

const OPEN: Case = Case {
    name: "open",
    server: &[],
    proxy: &[],
    https: false,
    elsewhere: false,
    in_url: false,
    sets: &[],
    flags: SecurityFlags::empty(),
    decisions: &[],
    end: Ok(()),
    judged: &[],
};
const REFUSED: End = Err(Hresult::BG_E_HTTP_ERROR_401);
const REFUSED_BY_PROXY: End = Err(Hresult::BG_E_HTTP_ERROR_407);
const DISALLOW: SecurityFlags = SecurityFlags::REDIRECT_POLICY_DISALLOW;
const BASIC: &[SimScheme] = &[SimScheme::Basic];
/// A simulated attempt asks once, and so is redirected once.
const SENT: &[(&str, &str)] = &[("http_options.redirect_with_credentials", "sent"), ("http.redirects_kept", "attempt")];

#[rustfmt::skip]
const CASES: &[Case] = &[
    OPEN,
    Case { name: "nothing is told unasked", sets: &[(SERVER, AuthScheme::BASIC, RIGHT)], ..OPEN },
    Case { name: "no record", server: BASIC, end: REFUSED, ..OPEN },
    Case { name: "Basic", server: BASIC, sets: &[(SERVER, AuthScheme::BASIC, RIGHT)], judged: &[true], ..OPEN },
    Case { name: "Basic by HTTPS", https: true, server: BASIC, sets: &[(SERVER, AuthScheme::BASIC, RIGHT)], judged: &[true], ..OPEN },
    Case { name: "Basic, wrong", server: BASIC, sets: &[(SERVER, AuthScheme::BASIC, WRONG)], end: REFUSED, judged: &[false], ..OPEN },
    Case { name: "Digest", server: &[SimScheme::Digest], sets: &[(SERVER, AuthScheme::DIGEST, RIGHT)], judged: &[true], ..OPEN },
    Case { name: "Digest, wrong", server: &[SimScheme::Digest], sets: &[(SERVER, AuthScheme::DIGEST, WRONG)], end: REFUSED, judged: &[false], ..OPEN },
    Case { name: "NTLM", server: &[SimScheme::Ntlm], sets: &[(SERVER, AuthScheme::NTLM, RIGHT)], judged: &[true], ..OPEN },
    Case { name: "NTLM, wrong", server: &[SimScheme::Ntlm], sets: &[(SERVER, AuthScheme::NTLM, WRONG)], end: REFUSED, judged: &[false], ..OPEN },
    Case { name: "Negotiate", server: &[SimScheme::Negotiate], sets: &[(SERVER, AuthScheme::NEGOTIATE, RIGHT)], judged: &[true], ..OPEN },
    Case { name: "Negotiate, wrong", server: &[SimScheme::Negotiate], sets: &[(SERVER, AuthScheme::NEGOTIATE, WRONG)], end: REFUSED, judged: &[false], ..OPEN },
    Case { name: "another scheme", server: BASIC, sets: &[(SERVER, AuthScheme::NTLM, RIGHT)], end: REFUSED, ..OPEN },
    Case { name: "another target", server: BASIC, sets: &[(PROXY, AuthScheme::BASIC, RIGHT)], end: REFUSED, ..OPEN },
    Case {
        name: "the strongest scheme alone", server: &[SimScheme::Basic, SimScheme::Digest],
        sets: &[(SERVER, AuthScheme::BASIC, RIGHT), (SERVER, AuthScheme::DIGEST, WRONG)], end: REFUSED, judged: &[false], ..OPEN
    },
    Case { name: "the URL", server: BASIC, in_url: true, judged: &[true], ..OPEN },
    Case { name: "the URL, ignored", server: BASIC, in_url: true, decisions: &[("http.url_credentials", "ignored")], end: REFUSED, ..OPEN },
    Case { name: "a proxy, no record", proxy: BASIC, end: REFUSED_BY_PROXY, ..OPEN },
    Case { name: "a proxy", proxy: BASIC, sets: &[(PROXY, AuthScheme::BASIC, RIGHT)], judged: &[true], ..OPEN },
    Case { name: "a proxy, wrong", proxy: BASIC, sets: &[(PROXY, AuthScheme::BASIC, WRONG)], end: REFUSED_BY_PROXY, judged: &[false], ..OPEN },
    Case { name: "a proxy before HTTPS", https: true, proxy: BASIC, sets: &[(PROXY, AuthScheme::BASIC, RIGHT)], judged: &[true], ..OPEN },
    Case { name: "a proxy before HTTPS, wrong", https: true, proxy: BASIC, sets: &[(PROXY, AuthScheme::BASIC, WRONG)], end: REFUSED_BY_PROXY, judged: &[false], ..OPEN },
    Case {
        name: "a proxy and a server", proxy: BASIC, server: &[SimScheme::Digest],
        sets: &[(PROXY, AuthScheme::BASIC, RIGHT), (SERVER, AuthScheme::DIGEST, RIGHT)], judged: &[true, true], ..OPEN
    },
    Case { name: "a redirect", elsewhere: true, ..OPEN },
    Case { name: "a redirect, withheld", elsewhere: true, server: BASIC, sets: &[(SERVER, AuthScheme::BASIC, RIGHT)], end: REFUSED, ..OPEN },
    Case { name: "a redirect, refused", elsewhere: true, flags: DISALLOW, end: Err(Hresult::from_http_status(302)), ..OPEN },
    Case {
        name: "a redirect, refused by the other code", elsewhere: true, flags: DISALLOW,
        decisions: &[("http.redirects_refused", "HRESULT_FROM_WIN32")], end: Err(Hresult::from_win32(302)), ..OPEN
    },
    // A connection leads to one server, and whoever asks on the next is told anew.
    Case { name: "a redirect, told", elsewhere: true, server: BASIC, sets: &[(SERVER, AuthScheme::BASIC, RIGHT)], decisions: SENT, judged: &[true, true], ..OPEN },
];

/// Servers with the same URLs, real and simulated.
struct Network {
    server: Origin,
    proxy: Origin,
    elsewhere: Origin,
    simulation: Simulation,
    clock: Clock,
}

impl Network {
    fn new(case: &Case) -> Self {
        let clock = Clock::Virtual(VirtualClock::new());
        let [server, proxy, elsewhere] = [(); 3].map(|()| Origin::start(clock.clone()).unwrap());
        let network = Self { server, proxy, elsewhere, simulation: Simulation::new(), clock };
        for path in PATHS {
            let url = Self::url(&network.server, case, path);
            network.server.put(path, Content::synthetic(SIZE, 1));
            network.simulation.serve(&url, SIZE);
            network.simulation.guard(&url, simulated(case.server));
            let from = Self::url(&network.elsewhere, case, path);
            network
                .elsewhere
                .script(Script::parse("elsewhere", &format!("{path}: status 302, header location \"{url}\"")).unwrap());
            network.simulation.redirect(&from, 302, &url);
        }
        if !case.server.is_empty() {
            network.server.guard("*", real(case.server));
        }
        network.proxy.guard_proxy(real(case.proxy));
        let proxy = network.proxy.address();
        network.simulation.guard_proxy(&proxy.ip().to_string(), proxy.port(), simulated(case.proxy));
        network
    }

    fn url(origin: &Origin, case: &Case, path: &str) -> String {
        if case.https { origin.https_url(path) } else { origin.url(path) }
    }

    fn builder(&self) -> Builder {
        let builder = Emulator::builder().clock(self.clock.clone());
        [&self.server, &self.elsewhere].into_iter().fold(builder, |builder, origin| builder.trust(origin.ca_pem()))
    }

    /// What the job of a case comes to.
    fn come_to(&self, case: &Case, builder: Builder, folder: &TempDir) -> Outcome {
        let builder = builder.world(|world| world.drives.mount('C', folder.path()));
        let builder = case.decisions.iter().fold(builder, |builder, (id, value)| builder.decision(id, value));
        let emulator = builder.start().unwrap();
        let job = emulator.client("client").manager().unwrap().create_job(Some("job"), JobType::DOWNLOAD).unwrap().job;
        let first = if case.elsewhere { &self.elsewhere } else { &self.server };
        for path in PATHS {
            let url = Self::url(first, case, path);
            let url = if case.in_url { url.replace("://", "://EXAMPLE%5Calice:correct%20horse@") } else { url };
            job.add_file(Some(&url), Some(&format!(r"C:\{}", &path[1..]))).unwrap();
        }
        if !case.proxy.is_empty() {
            job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(&self.proxy.address().to_string()), None).unwrap();
        }
        job.http_options().unwrap().set_security_flags(case.flags).unwrap();
        for (target, scheme, password) in case.sets {
            let (user_name, password) = (Some(NAME), Some(*password));
            let credentials = AuthCredentials { target: *target, scheme: *scheme, user_name, password };
            job.job2().unwrap().set_credentials(&credentials).unwrap();
        }

        job.resume().unwrap();
        let is_over = || [JobState::TRANSFERRED, JobState::ERROR].contains(&job.state().unwrap());
        assert!(emulator.run_until(is_over, LONG).unwrap(), "{}: {}", case.name, emulator.timeline());

        let judged = emulator.timeline().entries().into_iter().filter_map(|entry| match entry.what {
            What::CredentialsJudged { by, accepted, .. } => Some((by, accepted)),
            _ => None,
        });
        Outcome { error: error_of(&job), judged: judged.collect() }
    }
}

const PATHS: [&str; 2] = ["/one", "/two"];

#[derive(Debug, Eq, PartialEq)]
struct Outcome {
    error: Option<(ErrorContext, Hresult)>,
    /// By whom what was told was judged, and how.
    judged: Vec<(String, bool)>,
}

fn error_of(job: &Arc<dyn Job>) -> Option<(ErrorContext, Hresult)> {
    job.error().ok().map(|error| error.error().unwrap())
}

fn simulated(schemes: &[SimScheme]) -> Option<SimGuard> {
    let guard = schemes.iter().fold(SimGuard::new(), |guard, scheme| guard.offers(*scheme));
    (!schemes.is_empty()).then(|| guard.knows(NAME, RIGHT))
}

fn real(schemes: &[SimScheme]) -> Guard {
    let real = |scheme: &SimScheme| match scheme {
        SimScheme::Basic => bits_origin::Scheme::Basic,
        SimScheme::Digest => bits_origin::Scheme::Digest(Digest::new()),
        SimScheme::Ntlm => bits_origin::Scheme::Ntlm,
        SimScheme::Negotiate => bits_origin::Scheme::Negotiate,
        other => panic!("{other:?} has no counterpart"),
    };
    let guard = Guard::new("vault").knows(NAME, RIGHT);
    schemes.iter().fold(guard, |guard, scheme| guard.offers(real(scheme)))
}

#[test]
fn jobs_come_to_the_same_as_over_http() {
    for case in CASES {
        let network = Network::new(case);
        let folder = tempfile::tempdir().unwrap();

        let simulated = network.come_to(case, network.builder().simulated(&network.simulation), &folder);
        let real = network.come_to(case, network.builder(), &folder);

        assert_eq!(simulated, real, "{}", case.name);
        let expected = case.end.err().map(|code| (ErrorContext::REMOTE_FILE, code));
        assert_eq!((real.error, verdicts(&real)), (expected, case.judged.to_vec()), "{}", case.name);
    }
}

fn verdicts(outcome: &Outcome) -> Vec<bool> {
    outcome.judged.iter().map(|(_, accepted)| *accepted).collect()
}
