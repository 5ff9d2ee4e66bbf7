//! What was found out about a server: downloads that were played to it, and further questions.

use bits_transfer::{Handshake, Inquirer, Tried};
use bits_wire::attempt::Validators;
use bits_wire::download::{Ask, Fault, Origin, Request, Scheme, Target};
use bits_world::Decisions;
use http::HeaderValue;
use http::header::IF_UNMODIFIED_SINCE;

use super::play::{Exchange, Part, Play, Player};

/// So much is read of the answer to a further question.
const MOST_BODY: usize = 4 * 1024;
/// A time before that of nearly every file, as HTTP writes it and in seconds since 1970.
const OLD: (&str, i64) = ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777);
/// Whose TLS is looked at, at most: those that redirects lead to.
const MOST_HANDSHAKES: usize = 3;

/// A TLS server, looked at.
pub(crate) struct Shaken {
    pub(crate) origin: Origin,
    pub(crate) shown: Result<Handshake, (Fault, String)>,
    /// Whether it speaks TLS 1.2 too.
    pub(crate) speaks_tls12: bool,
}

/// The addresses of a host that cannot be reached, or why there are none.
pub(crate) struct Unreached {
    pub(crate) origin: Origin,
    pub(crate) tried: Result<Vec<Tried>, String>,
}

/// Everything that is known.
pub(crate) struct Evidence {
    /// In the order of [`Part`]; but for the first two, they may be missing.
    pub(crate) plays: Vec<Play>,
    /// One byte by GET, where HEAD was refused.
    pub(crate) get_instead: Option<Exchange>,
    /// All of a file that is empty by what HEAD says.
    pub(crate) nothing: Option<Exchange>,
    /// The last byte of the file.
    pub(crate) last_byte: Option<Exchange>,
    /// One byte, if the file is older than any file is.
    pub(crate) condition: Option<Exchange>,
    pub(crate) shaken: Vec<Shaken>,
    pub(crate) unreached: Option<Unreached>,
}

impl Evidence {
    /// Asks the server of `url` all there is to ask.
    pub(crate) fn gather(inquirer: &mut Inquirer, url: &str, library: &str, decisions: &Decisions) -> Self {
        let mut player = Player { inquirer, library, decisions, url };
        let mut plays = vec![player.begin(Part::Foreground), player.begin(Part::Background)];
        let arrived = plays.iter().find_map(|play| Some((play.part, play.end.ok().flatten()?)));
        if let Some((part, known)) = arrived.filter(|(_, known)| known.size > 1) {
            plays.push(player.go_on(part, known));
        }
        let known = arrived.map(|(_, known)| known);
        if let Some(known) = known.filter(|known| known.size > 2) {
            plays.push(player.ranges(known.size));
        }
        if plays[0].end.is_err() && is_answered(&plays[0]) {
            plays.push(player.begin(Part::Dynamic));
        }
        if leads_to_plain(&plays[0]) {
            plays.push(player.begin(Part::ToPlain));
        }
        let mut evidence = Self {
            plays,
            get_instead: None,
            nothing: None,
            last_byte: None,
            condition: None,
            shaken: Vec::new(),
            unreached: None,
        };
        evidence.ask_further(inquirer, library, known);
        evidence.look_at_servers(inquirer);
        evidence
    }

    fn ask_further(&mut self, inquirer: &mut Inquirer, library: &str, known: Option<Validators>) {
        let Some(last) = self.plays.iter().find_map(|play| play.exchanges.last()) else { return };
        let target = last.target.clone();
        let mut ask = |first, last, change: &dyn Fn(&mut Request)| {
            further(inquirer, &target, library, Ask::Range { first, last, unmodified_since: None }, change)
        };
        if self.refused_head().is_some() {
            self.get_instead = Some(ask(0, 0, &|_| {}));
        }
        if known.is_some_and(|known| known.size == 0) {
            self.nothing = Some(further(inquirer, &target, library, Ask::Whole, &|_| {}));
            return;
        }
        let Some(known) = known.filter(|known| known.size > 2) else { return };
        let end = known.size - 1;
        self.last_byte = Some(ask(end, end, &|_| {}));
        if known.last_modified.is_some_and(|stamp| stamp.unix_seconds() > OLD.1) {
            let past = HeaderValue::from_static(OLD.0);
            self.condition = Some(ask(0, 0, &|request| _ = request.headers.insert(IF_UNMODIFIED_SINCE, past.clone())));
        }
    }

    fn look_at_servers(&mut self, inquirer: &Inquirer) {
        let mut secure: Vec<Origin> = Vec::new();
        let mut unreached = None;
        for exchange in self.plays.iter().flat_map(|play| &play.exchanges) {
            let origin = exchange.target.origin();
            if matches!(exchange.reply, Err(Fault::NameNotResolved | Fault::CannotConnect | Fault::Timeout)) {
                unreached.get_or_insert_with(|| origin.clone());
            } else if origin.scheme == Scheme::Https && !secure.contains(origin) {
                secure.push(origin.clone());
            }
        }
        for origin in secure.into_iter().take(MOST_HANDSHAKES) {
            let shown = inquirer.shake_hands(&origin, false);
            let is_tls13 = shown.as_ref().is_ok_and(|shown| shown.is_tls13);
            let speaks_tls12 = !is_tls13 || inquirer.shake_hands(&origin, true).is_ok();
            self.shaken.push(Shaken { origin, shown, speaks_tls12 });
        }
        self.unreached = unreached.map(|origin| Unreached { tried: inquirer.try_addresses(&origin), origin });
    }

    /// Every answer and fault, those to further questions last.
    pub(crate) fn exchanges(&self) -> impl Iterator<Item = &Exchange> {
        self.plays.iter().flat_map(|play| &play.exchanges).chain(self.further())
    }

    /// The answers to questions that are no part of a download.
    pub(crate) fn further(&self) -> impl Iterator<Item = &Exchange> {
        [&self.get_instead, &self.nothing, &self.last_byte, &self.condition].into_iter().flatten()
    }

    /// The answer that refuses HEAD, where it is no redirect and asks for no credentials.
    pub(crate) fn refused_head(&self) -> Option<&Exchange> {
        let refuses = |status: u16| !matches!(status, 200..=399 | 401 | 407);
        self.plays
            .iter()
            .filter_map(|play| play.exchanges.last())
            .find(|last| last.ask == Ask::Size && last.status().is_some_and(refuses))
    }

    /// The file as the first download that came to know it does.
    pub(crate) fn known(&self) -> Option<Validators> {
        self.plays.iter().find_map(|play| play.end.ok().flatten())
    }

    /// What the server calls itself.
    pub(crate) fn server(&self) -> Option<String> {
        // Of several, the one that the last redirect led to.
        self.plays.iter().find_map(|play| play.exchanges.last()).and_then(|last| last.header("server"))
    }

    /// The downloads that decide whether BITS is content.
    pub(crate) fn deciding(&self) -> impl Iterator<Item = &Play> {
        self.plays.iter().filter(|play| play.part.counts())
    }
}

/// Whether a download comes to its end where it is sent from HTTPS to HTTP.
fn leads_to_plain(play: &Play) -> bool {
    let is_plain = |location: String| location.trim_start().get(..5).is_some_and(|s| s.eq_ignore_ascii_case("http:"));
    play.exchanges.last().is_some_and(|last| {
        last.is_redirect()
            && last.target.origin().scheme == Scheme::Https
            && last.header("location").is_some_and(is_plain)
    })
}

fn is_answered(play: &Play) -> bool {
    play.exchanges
        .last()
        .is_some_and(|last| last.status().is_some_and(|status| !matches!(status, 300..=399 | 401 | 407)))
}

fn further(
    inquirer: &mut Inquirer,
    target: &Target,
    library: &str,
    ask: Ask,
    change: &dyn Fn(&mut Request),
) -> Exchange {
    let mut request = Request::new(&ask, target, library);
    change(&mut request);
    let reply = inquirer.ask(target, &request, MOST_BODY);
    Exchange { target: target.clone(), ask, request, reply }
}
